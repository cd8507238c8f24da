"""The budget in ``security/budgets.py`` from which each route takes, and the guard that takes from it.

A route that is missing here fails the start of the application.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.types import Guard

from chat_mvp.addresses import address_group
from chat_mvp.security.budgets import RateLimits

ROUTE_BUDGETS: Final[Mapping[str, str]] = {
    "POST /api/v1/auth/register": "register",
    "POST /api/v1/auth/login": "sign_in",
    "POST /api/v1/auth/refresh": "refresh",
    "POST /api/v1/auth/logout": "sign_out",
    "POST /api/v1/auth/logout-all": "sign_out",
    "GET /api/v1/users/me": "read",
    "PATCH /api/v1/users/me": "profile",
    "GET /api/v1/users": "search",
    "GET /api/v1/users/{user_id}": "read",
    "GET /api/v1/users/by-username/{username}": "read",
    "GET /api/v1/users/{user_id}/presence": "read",
    "GET /api/v1/contacts": "read",
    "PUT /api/v1/contacts/{user_id}": "contact",
    "DELETE /api/v1/contacts/{user_id}": "contact",
    "GET /api/v1/contacts/blocked": "read",
    "PUT /api/v1/contacts/{user_id}/block": "block",
    "DELETE /api/v1/contacts/{user_id}/block": "block",
    "GET /api/v1/conversations": "list",
    "POST /api/v1/conversations": "create_conversation",
    "GET /api/v1/conversations/{conversation_id}": "read",
    "PATCH /api/v1/conversations/{conversation_id}": "change_conversation",
    "DELETE /api/v1/conversations/{conversation_id}": "change_conversation",
    "PATCH /api/v1/conversations/{conversation_id}/me": "own_settings",
    "POST /api/v1/conversations/{conversation_id}/leave": "leave_conversation",
    "GET /api/v1/conversations/{conversation_id}/members": "list",
    "PUT /api/v1/conversations/{conversation_id}/members/{user_id}": "change_member",
    "PATCH /api/v1/conversations/{conversation_id}/members/{user_id}": "change_member",
    "DELETE /api/v1/conversations/{conversation_id}/members/{user_id}": "change_member",
    "GET /api/v1/conversations/{conversation_id}/messages": "history",
    "POST /api/v1/conversations/{conversation_id}/messages": "message",
    "GET /api/v1/conversations/{conversation_id}/pins": "history",
    "GET /api/v1/messages/sync": "changes",
    "GET /api/v1/messages/{message_id}": "history",
    "PATCH /api/v1/messages/{message_id}": "message",
    "DELETE /api/v1/messages/{message_id}": "message",
    "PUT /api/v1/messages/{message_id}/reactions/{emoji}": "message",
    "DELETE /api/v1/messages/{message_id}/reactions/{emoji}": "message",
    "PUT /api/v1/messages/{message_id}/pin": "message",
    "DELETE /api/v1/messages/{message_id}/pin": "message",
    "GET /api/v1/messages/{message_id}/receipts": "receipts",
    "GET /api/v1/messages/{message_id}/edits": "history",
    "GET /api/v1/sync": "history",
    "GET /health/live": "probe",
    "GET /health/ready": "probe",
    "GET /metrics": "probe",
    "GET /": "page",
    "GET /{path}": "page",
}
"""By method and path as in the OpenAPI document."""

ASTRAY: Final = "astray"
"""The budget of requests without a route or a valid token, and of methods that the framework answers."""

_SCHEMA: Final = "/schema"
"""The framework serves everything below this path. It costs as much as a page."""


def route_budget(method: str, path: str) -> str | None:
    """Return the budget from which a route takes, or ``None`` for a missing route."""
    if path == _SCHEMA or path.startswith(f"{_SCHEMA}/"):
        return "page"
    return ROUTE_BUDGETS.get(f"{method} {path}")


def address_guard(rate_limits: RateLimits) -> Guard:
    """Return a guard for the whole application that counts, by address, the requests that need no account."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if connection.scope["type"] != ScopeType.HTTP:
            # WebSockets have their own budget, see realtime/socket.py.
            return
        budget = _budget_of(connection) or ASTRAY
        if rate_limits.is_by_address(budget):
            rate_limits.check(budget, address_of(connection))

    return guard


def check_account(rate_limits: RateLimits, connection: ASGIConnection[Any, Any, Any, Any], user_id: str) -> None:
    """Take from the budget of a route that is counted by account. ``RateLimitedError`` when it is used up."""
    budget = _budget_of(connection)
    if budget is not None and not rate_limits.is_by_address(budget):
        rate_limits.check(budget, user_id)


def address_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Return the address under which limits count this client."""
    return address_group(connection.client.host) if connection.client else ""


def check_every_route_has_a_budget(app: Litestar) -> None:
    """Raise ``ValueError`` with the routes of an application that have no budget."""
    missing = [f"{method} {path}" for method, path in _routes(app) if route_budget(method, path) is None]
    if missing:
        raise ValueError(f"without a budget: {', '.join(missing)}")


def _routes(app: Litestar) -> Iterable[tuple[str, str]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler):
                # Litestar answers OPTIONS without calling our code.
                for method in sorted(handler.http_methods - {"OPTIONS"}):
                    yield method, route.path_format


def _budget_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    return route_budget(str(connection.scope.get("method")), connection.scope["path_template"])
