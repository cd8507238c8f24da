"""Counts, by address, requests that have no route or no valid token.

No other limit counts them, because a budget belongs to a route or to an account.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from chat_mvp.errors import ChatError, RateLimitedError, TokenExpiredError, UnauthenticatedError
from chat_mvp.http.budgets import ASTRAY, address_of
from chat_mvp.security.budgets import RateLimits

_NO_ROUTE: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})

_Handler = Callable[[Request[Any, Any, Any], Any], Response[bytes]]


def counting_astray(handlers: Mapping[Any, _Handler], limits: RateLimits) -> ExceptionHandlersMap:
    """Return ``handlers``, which answer ``rate_limited`` instead if an address sends too many such requests."""
    return {kind: _counting(handler, handlers[ChatError], limits) for kind, handler in handlers.items()}


def _counting(answer: _Handler, refuse: _Handler, limits: RateLimits) -> _Handler:
    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        if _is_astray(error):
            try:
                limits.check(ASTRAY, address_of(request))
            except RateLimitedError as refusal:
                return refuse(request, refusal)
        return answer(request, error)

    return handle


def _is_astray(error: Exception) -> bool:
    if isinstance(error, HTTPException):
        return error.status_code in _NO_ROUTE
    return isinstance(error, UnauthenticatedError | TokenExpiredError)
