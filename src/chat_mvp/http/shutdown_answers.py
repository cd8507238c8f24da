"""Answers to the HTTP requests that are still running when the server stops."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from chat_mvp.errors import UnavailableError
from chat_mvp.http.problems import problem_response

RETRY_AFTER_MS = 1_000


def answering_at_shutdown(app: ASGIApp) -> ASGIApp:
    """Return ``app`` with an answer for HTTP requests that the server cancels: 503 ``unavailable``.

    Such a request waits, for instance, for a database that does not answer. Without this, the web server would answer
    500.
    """

    def serve(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # Pass a WebSocket on without a coroutine, which would stay in memory for each idle connection.
        return _serve(scope, receive, send) if scope["type"] == ScopeType.HTTP else app(scope, receive, send)

    async def _serve(scope: Scope, receive: Receive, send: Send) -> None:
        is_answered = False

        async def note(message: Any) -> None:
            nonlocal is_answered
            is_answered = is_answered or message["type"] == "http.response.start"
            await send(message)

        try:
            await app(scope, receive, note)
        except asyncio.CancelledError:
            if is_answered:
                raise
            await _answer(send)

    return serve


async def _answer(send: Send) -> None:
    error = UnavailableError("The server is stopping. Try again in a moment.", retry_after_ms=RETRY_AFTER_MS)
    problem = problem_response(error, {"Connection": "close"})
    headers = {**problem.headers, "Content-Type": problem.media_type, "Content-Length": len(problem.content)}
    await send(
        {
            "type": "http.response.start",
            "status": error.status,
            "headers": [(name.lower().encode(), str(value).encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": problem.content, "more_body": False})
