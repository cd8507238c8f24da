"""The common parts of all HTTP answers of the server, around the application."""

from collections.abc import Awaitable, Mapping
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from chat_mvp.http.shutdown_answers import answering_at_shutdown


def at_the_edge(app: ASGIApp, headers: Mapping[str, str]) -> ASGIApp:
    """Return ``app`` with answers for interrupted requests and for ``HEAD``, and with ``headers`` on every answer."""
    return with_headers(answering_head(answering_at_shutdown(app)), headers)


# The applications below pass a WebSocket on without a coroutine of their own, which would stay in memory for each idle
# connection.


def with_headers(app: ASGIApp, headers: Mapping[str, str]) -> ASGIApp:
    """Return ``app`` whose HTTP answers have these headers, unless they have set them themselves."""
    defaults = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    def serve(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != ScopeType.HTTP:
            return app(scope, receive, send)

        async def complete(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                names = {name.lower() for name, _ in own}
                message["headers"] = own + [header for header in defaults if header[0] not in names]
            await send(message)

        return app(scope, receive, complete)

    return serve


def answering_head(app: ASGIApp) -> ASGIApp:
    """Return ``app`` that answers ``HEAD`` like ``GET``, without the body (RFC 9110 section 9.3.2)."""

    def serve(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != ScopeType.HTTP or scope["method"] != "HEAD":
            return app(scope, receive, send)

        async def without_body(message: Any) -> None:
            if message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        as_get: Any = {**scope, "method": "GET"}
        return app(as_get, receive, without_body)

    return serve
