"""Callers over HTTP: every route wants a signed-in person unless it says otherwise.

The guard looks at the ``Authorization`` header before a body is read, so a stranger learns nothing but that they are
one. Handlers get what it found as their parameter ``caller``.
"""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from chat_mvp.errors import UnauthenticatedError
from chat_mvp.http.openapi import OPEN
from chat_mvp.security import authentication
from chat_mvp.security.authentication import Authenticator

__all__ = ["Authenticator", "Caller", "CallerGuard", "bearer_token", "provide_caller"]

Caller = NamedDependency[authentication.Caller]
"""Type of a handler's parameter ``caller: Caller``."""

_STATE_KEY = "chat_mvp_caller"


def bearer_token(header: str | None) -> str:
    """Return the token of an ``Authorization`` header; ``UnauthenticatedError`` when it carries none."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError("Sign in first.")
    return token.strip()


class CallerGuard:
    """Litestar guard: finds out who asks, except on routes with ``security=OPEN``.

    ``UnauthenticatedError`` or ``TokenExpiredError`` when nobody does.
    """

    def __init__(self, authenticator: Authenticator) -> None:
        """Ask this authenticator."""
        self._authenticator = authenticator

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        """Refuse the request, or note its caller."""
        if isinstance(handler, HTTPRouteHandler) and handler.security == OPEN:
            return
        token = bearer_token(connection.headers.get("authorization"))
        connection.state[_STATE_KEY] = await self._authenticator.authenticate(token)


async def provide_caller(request: Request[Any, Any, Any]) -> authentication.Caller:
    """Return who asks, as the guard found out."""
    caller: authentication.Caller = request.state[_STATE_KEY]
    return caller
