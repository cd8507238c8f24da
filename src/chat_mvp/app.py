"""The application: routes, lifespan and error handling around the parts that ``chat_mvp.assembly`` builds.

``create_app`` returns an ASGI application; ``chat-mvp serve`` runs it, and others may mount it in their own.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from litestar import Litestar, Router, asgi
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from chat_mvp import __version__
from chat_mvp.assembly.engine import Engine, build_engine
from chat_mvp.assembly.foundation import Foundation, build_foundation
from chat_mvp.assembly.realtime import build_realtime, origins
from chat_mvp.assembly.services import Services, build_services
from chat_mvp.consumers.consumer import Consumer
from chat_mvp.consumers.runner import ConsumerRunner
from chat_mvp.errors import NotFoundError
from chat_mvp.features.accounts import routes as account_routes
from chat_mvp.features.contacts import routes as contact_routes
from chat_mvp.features.conversations import routes as conversation_routes
from chat_mvp.features.messages import routes as message_routes
from chat_mvp.features.presence import routes as presence_routes
from chat_mvp.features.users import routes as user_routes
from chat_mvp.http.astray import counting_astray
from chat_mvp.http.bodies import JsonBodies
from chat_mvp.http.budgets import address_guard, check_every_route_has_a_budget
from chat_mvp.http.problems import EXCEPTION_HANDLERS
from chat_mvp.http.router import api_router
from chat_mvp.ops import health, metrics
from chat_mvp.realtime.runtime import Runtime
from chat_mvp.realtime.socket import SocketEndpoint
from chat_mvp.settings import Settings
from chat_mvp.spec.openapi import openapi_config
from chat_mvp.storage.client import Database
from chat_mvp.storage.commit import TransientError
from chat_mvp.web import routes as web_routes
from chat_mvp.web.files import load_files

_ROUTES = [
    *account_routes.ROUTES,
    *user_routes.ROUTES,
    *presence_routes.ROUTES,
    *contact_routes.ROUTES,
    *conversation_routes.ROUTES,
    *message_routes.ROUTES,
]


def create_app(settings: Settings, database: Database, consumers: Sequence[Consumer] = ()) -> Litestar:
    """Return the application on an open database, which the caller closes after it has shut down.

    ``consumers`` are given the committed events, in one process at a time (docs/events.md).
    ``app.state.runtime`` is the ``Runtime``, whose ``stop`` a server calls before it stops.
    """
    counters = metrics.new_registry()
    base = build_foundation(settings, database)
    engine = build_engine(base, consumers)
    services = build_services(base, engine, counters)
    realtime = build_realtime(base, engine, services)
    metrics.add_gauges(counters, _gauges(base, engine, services, realtime.runtime))
    metrics.add_gauges_by_name(counters, "consumer", _gauges_of_consumers(engine.consumers))
    api = api_router(
        _ROUTES,
        authenticator=services.authenticator,
        rate_limits=base.rate_limits,
        services=services.by_parameter(),
        allowed_origins=origins(settings),
    )
    root = {
        "readiness": health.Readiness(database.ping_write, realtime.runtime.problem, disk=base.disk),
        "metrics_registry": counters,
        "web_files": load_files(Path(__file__).parent / "web" / "static"),
    }
    app = Litestar(
        guards=[address_guard(base.rate_limits)],
        route_handlers=[
            api,
            _socket_route(realtime.endpoint),
            Router(
                "/",
                route_handlers=[*health.HANDLERS, metrics.metrics, *web_routes.ROUTES],
                dependencies={name: _provided(it) for name, it in root.items()},
            ),
        ],
        lifespan=[_lifespan(base, engine, services, realtime.runtime)],
        exception_handlers=counting_astray(EXCEPTION_HANDLERS, base.rate_limits),
        plugins=[JsonBodies()],
        openapi_config=openapi_config(__version__),
        state=State({"runtime": realtime.runtime}),
        logging_config=None,
        cors_config=_cross_origin(settings),
    )
    check_every_route_has_a_budget(app)
    return app


def _lifespan(base: Foundation, engine: Engine, services: Services, runtime: Runtime) -> Any:
    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        with suppress(TransientError):
            for commit in engine.commits:
                await commit.take_over()
        await base.timekeeper.start()
        runtime.start()
        try:
            yield
        finally:
            await runtime.stop()
            services.passwords.close()
            services.strength.close()

    return lifespan


def _socket_route(endpoint: SocketEndpoint) -> Any:
    @asgi("/ws", copy_scope=False)
    async def socket(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.WEBSOCKET:
            # It is a route for WebSockets only: over HTTP there is nothing here.
            raise NotFoundError("Only WebSockets are served at this address.")
        await endpoint(scope, receive, send)  # type: ignore[arg-type]

    return socket


def _provided(service: object) -> Provide:
    return Provide(lambda: service, sync_to_thread=False)


def _cross_origin(settings: Settings) -> CORSConfig | None:
    """Let the web origins that may open a WebSocket use HTTP too; other pages may not."""
    if not settings.allowed_origins:
        return None
    return CORSConfig(
        allow_origins=list(settings.allowed_origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["X-Total-Count", "Retry-After"],
        allow_credentials=True,
    )


def _gauges(base: Foundation, engine: Engine, services: Services, runtime: Runtime) -> metrics.Gauges:
    writer, jobs, timekeeper = engine.writer, engine.jobs, base.timekeeper
    return {
        "chat_mvp_connections": ("Live WebSockets", lambda: len(engine.registry)),
        "chat_mvp_passwords_waiting": ("Passwords that wait to be hashed", lambda: services.passwords.waiting),
        "chat_mvp_writer_waiting": ("Operations that wait for the writer", lambda: writer.waiting),
        "chat_mvp_writer_batches": ("Batches committed since the start", lambda: writer.batches),
        "chat_mvp_writer_operations": ("Operations done since the start", lambda: writer.operations),
        "chat_mvp_jobs_done": ("Jobs done since the start", lambda: jobs.done),
        "chat_mvp_jobs_failed": ("Attempts at jobs that failed since the start", lambda: jobs.failed),
        "chat_mvp_task_restarts": ("Failures of background tasks", lambda: runtime.supervisor.restarts),
        "chat_mvp_clock_database_ahead_seconds": (
            "How far the clock of the database is ahead of the server's",
            lambda: timekeeper.database_ahead_s,
        ),
        "chat_mvp_clock_host_ahead_seconds": (
            "How far the clock of this machine is ahead of the server's",
            lambda: timekeeper.host_ahead_s,
        ),
    }


def _gauges_of_consumers(consumers: ConsumerRunner) -> metrics.GaugesByName:
    return {
        "chat_mvp_consumer_lag_seconds": (
            "How long ago the oldest event was stored that a consumer has not handled, where this process feeds it",
            consumers.lags_s,
        ),
        "chat_mvp_consumer_handled": ("Events that consumers handled since the start", consumers.handled),
        "chat_mvp_consumer_failed": ("Attempts of consumers that failed since the start", consumers.failed),
        "chat_mvp_consumer_set_aside": ("Events that were set aside since the start", consumers.set_aside),
    }
