"""The router of everything under /api/v1."""

from collections.abc import Iterable, Mapping

from litestar import Router
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler

from chat_mvp.http.auth import Authenticator, caller_guard, provide_caller
from chat_mvp.limits import MAX_BODY_BYTES
from chat_mvp.security.budgets import RateLimits

API_PATH = "/api/v1"


def api_router(
    routes: Iterable[HTTPRouteHandler],
    *,
    authenticator: Authenticator,
    limits: RateLimits,
    services: Mapping[str, object],
) -> Router:
    """Return a router with these routes: guarded, with bodies limited, and each service under its parameter name."""
    return Router(
        API_PATH,
        route_handlers=list(routes),
        guards=[caller_guard(authenticator, limits)],
        dependencies={"caller": Provide(provide_caller)} | {name: _provided(it) for name, it in services.items()},
        request_max_body_size=MAX_BODY_BYTES,
    )


def _provided(service: object) -> Provide:
    def provide() -> object:
        return service

    return Provide(provide, sync_to_thread=False)
