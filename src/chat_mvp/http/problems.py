"""Turns exceptions into HTTP answers: RFC 9457 problem documents with a stable ``code``. No other module does this.

An exception that is not listed here is a fault of the server. It is logged once, with its traceback, and the answer
does not describe it.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.enums import ParamType
from litestar.exceptions import HTTPException, InternalServerException, ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.types import Receive, Scope, Send

from chat_mvp.errors import BadRequestError, ChatError, InternalError, RateLimitedError, TooLargeError, ValidationError
from chat_mvp.limits import MAX_BODY_BYTES, MAX_DISCARDED_BYTES, MAX_DISCARDING_S
from chat_mvp.security.budgets import pause_s
from chat_mvp.transport.problem import MEDIA_TYPE, Problem, problem_headers, problem_of
from chat_mvp.validation_messages import in_words

NO_STORE: Final = {"Cache-Control": "no-store"}

_GONE: Final = "client disconnected prematurely"
"""Litestar's text when a connection ends within a body. It has no exception type for that."""

__all__ = ["EXCEPTION_HANDLERS", "MEDIA_TYPE", "NO_STORE", "Problem", "problem_response"]

_log = structlog.get_logger(__name__)


def problem_response(error: ChatError, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Return the answer for an error, with ``Retry-After`` in whole seconds if a retry can help."""
    return Response(
        msgspec.json.encode(problem_of(error)),
        status_code=error.status,
        media_type=MEDIA_TYPE,
        headers=problem_headers(error) | dict(headers or {}),
    )


def _on_chat_error(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    if isinstance(error, InternalError) or not isinstance(error, ChatError):
        return _on_fault(_, error)
    if isinstance(error, RateLimitedError):
        return _Late(problem_response(error), pause_s(error))
    return problem_response(error)


def _on_validation(request: Request[Any, Any, Any], error: ValidationException) -> Response[bytes]:
    complaints = error.extra if isinstance(error.extra, list) else []
    if any(complaint.get("source") == "body" for complaint in complaints):
        # Bodies are decoded before parameters are checked, so this can only be a missing body.
        return problem_response(BadRequestError("The body is empty. Send a JSON body."))
    if any(complaint.get("source") == ParamType.PATH for complaint in complaints):
        return _on_framework_error(request, HTTPException(status_code=HTTPStatus.NOT_FOUND))
    fields = {str(complaint.get("key", "query")): in_words(str(complaint["message"])) for complaint in complaints}
    sentences = [f"{field} {detail}." for field, detail in fields.items()]
    return problem_response(
        ValidationError(" ".join(sentences) or "The value of a parameter is not allowed.", fields=fields)
    )


_NAMES: Final[Mapping[int, tuple[str, str]]] = {
    HTTPStatus.BAD_REQUEST: ("bad_request", "The request is malformed."),
    HTTPStatus.UNAUTHORIZED: ("unauthenticated", "Sign in first."),
    HTTPStatus.FORBIDDEN: ("forbidden", "You are not allowed to do this."),
    HTTPStatus.NOT_FOUND: ("not_found", "There is nothing at this URL."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "unsupported_media_type",
        "Send the body as JSON, with Content-Type: application/json.",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: ("rate_limited", "Too many requests in a short time. Try again later."),
}


def _on_framework_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer the errors of Litestar itself: no such route, no such method, a body over its limit."""
    status = error.status_code
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        handler = request.scope.get("route_handler")
        limit = handler.resolve_request_max_body_size() if isinstance(handler, HTTPRouteHandler) else None
        too_large = TooLargeError(f"The body is over its limit of {limit or MAX_BODY_BYTES:,} bytes.")
        answer = problem_response(too_large, {"Connection": "close"})
        # A client that waits for "100 Continue" has sent none of its body.
        return answer if "100-continue" in request.headers.get("expect", "").lower() else _AfterBody(answer)
    if isinstance(error, InternalServerException) and error.detail == _GONE:
        # The client has disconnected and reads no answer.
        return problem_response(BadRequestError("The connection ended within the body."))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _on_fault(request, error)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        # A route is a method and a path, and there is one code for a route that does not exist.
        status = HTTPStatus.NOT_FOUND
    code, detail = _NAMES.get(status, ("bad_request", "The server cannot answer this request."))
    problem = Problem("about:blank", HTTPStatus(status).phrase, status, code, detail, [])
    headers = NO_STORE | (error.headers or {})
    return Response(msgspec.json.encode(problem), status_code=status, media_type=MEDIA_TYPE, headers=headers)


class _Late(Response[bytes]):
    """An answer that is delayed by some seconds."""

    def __init__(self, answer: Response[bytes], after_s: float) -> None:
        super().__init__(
            answer.content, status_code=answer.status_code, media_type=answer.media_type, headers=answer.headers
        )
        self._after_s = after_s

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> Any:
        answer = super().to_asgi_response(*args, **kwargs)

        async def wait_then_answer(scope: Scope, receive: Receive, send: Send) -> None:
            await asyncio.sleep(self._after_s)
            await answer(scope, receive, send)

        return wait_then_answer


class _AfterBody(Response[bytes]):
    """An answer that is sent after the body was read and discarded.

    If a connection is closed while the client still sends, it is reset, and the client never sees the answer. A body
    that is longer than ``MAX_DISCARDED_BYTES`` or slower than ``MAX_DISCARDING_S`` is not read to its end.
    """

    def __init__(self, answer: Response[bytes]) -> None:
        super().__init__(
            answer.content, status_code=answer.status_code, media_type=answer.media_type, headers=answer.headers
        )

    def to_asgi_response(self, *args: Any, **kwargs: Any) -> Any:
        answer = super().to_asgi_response(*args, **kwargs)

        async def discard_then_answer(scope: Scope, receive: Receive, send: Send) -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(MAX_DISCARDING_S):
                    await _discard(receive)
            await answer(scope, receive, send)

        return discard_then_answer


async def _discard(receive: Receive) -> None:
    remaining = MAX_DISCARDED_BYTES
    while remaining > 0:
        message = await receive()
        if message["type"] != "http.request" or not message["more_body"]:
            return
        remaining -= len(message["body"])


def _on_fault(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    _log.error(
        "a request failed",
        method=request.method,
        path=request.scope.get("path_template") or request.url.path,
        exc_info=error,
    )
    return problem_response(InternalError("Something went wrong on the server. Try again later."))


EXCEPTION_HANDLERS: Final[dict[Any, Callable[[Request[Any, Any, Any], Any], Response[bytes]]]] = {
    ChatError: _on_chat_error,
    ValidationException: _on_validation,
    HTTPException: _on_framework_error,
    Exception: _on_fault,
}
"""For ``Litestar(exception_handlers=…)``. The handler of the nearest class of the exception is used."""
