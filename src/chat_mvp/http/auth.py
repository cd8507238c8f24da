"""Callers over HTTP: every route requires a signed-in user unless it is declared open.

The guard checks the ``Authorization`` header before the body is read, so a caller without a token learns nothing else.
Handlers get the authenticated caller as their parameter ``caller``.
"""

from collections.abc import Collection
from typing import Any

import structlog
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.types import Guard

from chat_mvp.errors import ForbiddenError, UnauthenticatedError
from chat_mvp.http.budgets import check_account
from chat_mvp.http.openapi import OPEN
from chat_mvp.security import authentication
from chat_mvp.security.authentication import Authenticator
from chat_mvp.security.budgets import RateLimits
from chat_mvp.security.guessing import shown
from chat_mvp.security.origins import is_allowed_page

__all__ = ["Authenticator", "Caller", "bearer_token", "caller_guard", "page_guard", "provide_caller"]

Caller = NamedDependency[authentication.Caller]
"""Type of a handler's parameter ``caller: Caller``."""

_STATE_KEY = "chat_mvp_caller"
_LOG = structlog.get_logger(__name__)


def bearer_token(header: str | None) -> str:
    """Return the token of an ``Authorization`` header. ``UnauthenticatedError`` when it contains none."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError("Sign in first.")
    return token.strip()


def caller_guard(authenticator: Authenticator, rate_limits: RateLimits) -> Guard:
    """Return a Litestar guard that authenticates the caller, except on routes with ``security=OPEN``.

    It raises ``UnauthenticatedError`` or ``TokenExpiredError`` without a valid token, and ``RateLimitedError`` when the
    caller has used up the budget of the route.
    """

    # This is a function because Litestar copies guards that are objects. Each copy would have its own authenticator,
    # which is never notified of ended sessions.
    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        if isinstance(handler, HTTPRouteHandler) and handler.security == OPEN:
            return
        token = bearer_token(connection.headers.get("authorization"))
        caller = await authenticator.authenticate(token)
        check_account(rate_limits, connection, caller.user_id)
        connection.state[_STATE_KEY] = caller

    return guard


def page_guard(path: str, allowed_origins: Collection[str]) -> Guard:
    """Return a Litestar guard that refuses requests from pages of other sites below ``path``, where the cookie is sent.

    A browser sends such a request with the user's cookie, and stores a returned cookie, without asking the user.
    """

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if not f"{connection.scope['path']}/".startswith(f"{path}/"):
            return
        headers = connection.headers
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        is_secure = connection.scope["scheme"] == "https"
        if not is_allowed_page(origin, site, headers.get("host"), allowed_origins, is_secure=is_secure):
            client = connection.client.host if connection.client else None
            _LOG.info("page_refused", origin=None if origin is None else shown(origin), client=client)
            raise ForbiddenError("Pages of other sites are not allowed to sign users in or out.")

    return guard


async def provide_caller(request: Request[Any, Any, Any]) -> authentication.Caller:
    """Return the caller whom the guard authenticated."""
    caller: authentication.Caller = request.state[_STATE_KEY]
    return caller
