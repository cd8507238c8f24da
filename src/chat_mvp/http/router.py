"""The router of everything under /api/v1."""

from collections.abc import Collection, Iterable, Mapping

from litestar import Router
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler

from chat_mvp.http.auth import Authenticator, caller_guard, page_guard, provide_caller
from chat_mvp.http.params import integer_guard
from chat_mvp.limits import MAX_BODY_BYTES
from chat_mvp.security.budgets import RateLimits

API_PATH = "/api/v1"
AUTH_PATH = f"{API_PATH}/auth"
"""Browsers send the refresh cookie only to the routes below this path."""


def api_router(
    routes: Iterable[HTTPRouteHandler],
    *,
    authenticator: Authenticator,
    rate_limits: RateLimits,
    services: Mapping[str, object],
    allowed_origins: Collection[str] = (),
) -> Router:
    """Return a router with these routes: guarded, with limited bodies, and with each service under its parameter name.

    ``allowed_origins`` are web origins, besides the server's own, whose pages may sign users in.
    """
    return Router(
        API_PATH,
        route_handlers=list(routes),
        guards=[page_guard(AUTH_PATH, allowed_origins), caller_guard(authenticator, rate_limits), integer_guard],
        dependencies={"caller": Provide(provide_caller)} | {name: _provided(it) for name, it in services.items()},
        request_max_body_size=MAX_BODY_BYTES,
    )


def _provided(service: object) -> Provide:
    def provide() -> object:
        return service

    return Provide(provide, sync_to_thread=False)
