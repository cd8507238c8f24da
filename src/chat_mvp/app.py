"""The only wiring: every object is made here and handed what it needs.

``create_app`` returns an ASGI application; ``chat-mvp serve`` runs it, and others may mount it in their own.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import prometheus_client
from litestar import Litestar, Router, asgi
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from chat_mvp import __version__
from chat_mvp.clock import Clock
from chat_mvp.delivery.blocks import Blocks
from chat_mvp.delivery.bus import MemoryBus
from chat_mvp.delivery.catchup import CatchUp
from chat_mvp.delivery.drain import Drain
from chat_mvp.delivery.receipts import Receipts
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.delivery.snapshot import Snapshots
from chat_mvp.delivery.writer import Writer
from chat_mvp.errors import NotFoundError
from chat_mvp.features.accounts import routes as account_routes
from chat_mvp.features.accounts.service import AccountService
from chat_mvp.features.contacts import routes as contact_routes
from chat_mvp.features.contacts.service import ContactService
from chat_mvp.features.conversations import routes as conversation_routes
from chat_mvp.features.conversations.service import ConversationService
from chat_mvp.features.conversations.strangers import Strangers
from chat_mvp.features.conversations.views import ConversationViews
from chat_mvp.features.messages import routes as message_routes
from chat_mvp.features.messages.handlers import message_handlers
from chat_mvp.features.messages.history import MessageHistory
from chat_mvp.features.messages.marks import WithheldMarks
from chat_mvp.features.messages.service import MessageService
from chat_mvp.features.messages.sync import MessageSync
from chat_mvp.features.presence import routes as presence_routes
from chat_mvp.features.presence.handlers import presence_handlers
from chat_mvp.features.presence.service import PresenceService
from chat_mvp.features.typing.handlers import typing_handlers
from chat_mvp.features.typing.service import TypingService
from chat_mvp.features.users import routes as user_routes
from chat_mvp.features.users.service import UserService
from chat_mvp.http.bodies import JsonBodies
from chat_mvp.http.budgets import address_guard, check_every_route_has_a_budget
from chat_mvp.http.problems import EXCEPTION_HANDLERS
from chat_mvp.http.router import api_router
from chat_mvp.jobs.purge import PurgeConversation, PurgeQueue
from chat_mvp.jobs.runner import JobRunner
from chat_mvp.limits import (
    CONNECTS_BURST,
    CONNECTS_PER_S,
    MAX_COSTLY_AT_ONCE,
    MAX_COSTLY_AT_ONCE_EACH,
    MAX_COSTLY_WAITING,
)
from chat_mvp.ops import health, metrics
from chat_mvp.ops.disk import DiskRoom
from chat_mvp.ops.timekeeping import Timekeeper
from chat_mvp.protocol import CLOSE_UNAUTHENTICATED
from chat_mvp.realtime.admission import Admission
from chat_mvp.realtime.dispatch import Dispatcher
from chat_mvp.realtime.farewell import Farewell
from chat_mvp.realtime.greeter import Greeter
from chat_mvp.realtime.handlers import connection_handlers
from chat_mvp.realtime.heartbeat import ConnectionLog
from chat_mvp.realtime.presence import PresenceTracker
from chat_mvp.realtime.registry import Registry
from chat_mvp.realtime.runtime import Runtime
from chat_mvp.realtime.socket import SocketEndpoint
from chat_mvp.security.authentication import Authenticator
from chat_mvp.security.budgets import BUDGETS, Budget, RateLimits
from chat_mvp.security.devices import DeviceMarks
from chat_mvp.security.guessing import SignInGuard
from chat_mvp.security.keys import load_signing_keys
from chat_mvp.security.password_strength import PasswordStrength
from chat_mvp.security.passwords import Passwords
from chat_mvp.security.ratelimit import Limiter
from chat_mvp.security.refresh import RefreshTokens
from chat_mvp.security.tokens import Tokens
from chat_mvp.security.turns import Turns
from chat_mvp.settings import Settings
from chat_mvp.spec.openapi import openapi_config
from chat_mvp.storage.arrivals import Arrivals
from chat_mvp.storage.auth_sessions import AuthSessions
from chat_mvp.storage.client import Database
from chat_mvp.storage.commit import COMMITS_AT_ONCE, MongoCommit, TransientError
from chat_mvp.storage.connections import Connections
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.conversations import Conversations, direct_key
from chat_mvp.storage.directory import UserDirectory
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.jobs import Jobs
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.purging import Leftovers
from chat_mvp.storage.queue import Queue
from chat_mvp.storage.summaries import Summaries
from chat_mvp.storage.users import Users
from chat_mvp.supervision import Supervisor
from chat_mvp.times import utc_now
from chat_mvp.web import routes as web_routes
from chat_mvp.web.files import load_files

_SECONDS_A_DAY = 24 * 60 * 60


def create_app(settings: Settings, database: Database) -> Litestar:
    """Return the application on an open database, which the caller closes after it has shut down.

    ``app.state.runtime`` is the ``Runtime``, whose ``say_goodbye`` a server calls before it stops.
    """
    clock = Clock(utc_now())
    timekeeper = Timekeeper(clock, database.fetch_time)
    users, contacts, auth_sessions = Users(), Contacts(), AuthSessions(clock)
    messages, queue = Messages(database.collections), Queue(database.collections)
    conversations, arrivals = Conversations(database.collections), Arrivals(database.collections)
    directory = UserDirectory(users)
    turns = Turns(
        at_once=MAX_COSTLY_AT_ONCE,
        at_once_each=MAX_COSTLY_AT_ONCE_EACH,
        max_waiting=MAX_COSTLY_WAITING,
        busy="The server is busy. Try again in a moment.",
        retry_after_ms=1_000,
    )
    limits = settings.rate_limits == "on"
    rates = RateLimits({**BUDGETS, "message": _message_budget(settings)}, enabled=limits)
    disk = settings.data_dir if settings.mongo_uri is None else None
    check_room = DiskRoom(disk).check

    # The engine.
    bus, blocks = MemoryBus(), Blocks(arrivals.fetch_blocks)
    rosters = Rosters(conversations, contacts, directory.fetch_users)
    receipts = Receipts(bus, blocks)
    snapshots = Snapshots(conversations, messages, Summaries(database.collections), blocks)
    views = ConversationViews(snapshots, messages, directory.fetch_users)
    presence = PresenceTracker(
        fetch_presences=arrivals.fetch_presences,
        save_last_seen=users.save_last_seen,
        fetch_blocked=blocks.fetch,
        cache_seconds=settings.presence_ttl_seconds,
        clock=clock,
    )
    leftovers = Leftovers(database.collections)
    jobs = JobRunner(Jobs(database.collections), [PurgeConversation(leftovers), PurgeQueue(leftovers)])

    def is_reachable(sender_id: str, user_id: str) -> bool:
        return presence.is_reachable(user_id) and not blocks.may_part(sender_id, user_id)

    commits = [MongoCommit(database, number) for number in range(COMMITS_AT_ONCE)]
    writer = Writer(
        commits=commits,
        messages=messages,
        rosters=rosters,
        bus=bus,
        is_reachable=is_reachable,
        queue_max_members=settings.queue_max_members,
        job_stored=jobs.wake,
        check_room=check_room,
        clock=clock,
    )

    # Connections.
    typing = TypingService(bus, rosters, blocks, presence.is_hidden)

    def connections_changed(user_id: str) -> None:
        presence.connections_changed(user_id)
        typing.connections_changed(user_id, {connection.id for connection in registry.of(user_id)})

    registry = Registry(connections_changed)
    bus.subscribe(registry.deliver)
    connection_log = ConnectionLog(
        Connections(database.collections, process=new_id()),
        lambda: [connection.id for connection in registry],
        settings.heartbeat_seconds,
        clock,
    )

    # Features.
    keys = load_signing_keys(settings.data_dir, _secret(settings))
    tokens = Tokens(keys, lifetime_s=settings.access_token_minutes * 60, clock=clock)
    authenticator = Authenticator(tokens, arrivals.fetch_session_owner)
    passwords, strength = Passwords(), PasswordStrength()
    counters = metrics.new_registry()
    accounts = AccountService(
        users=users,
        auth_sessions=auth_sessions,
        passwords=passwords,
        strength=strength,
        tokens=tokens,
        refresh_tokens=RefreshTokens(keys),
        authenticator=authenticator,
        registration=settings.registration,
        session_lifetime_s=settings.refresh_token_days * _SECONDS_A_DAY,
        on_session_ended=lambda session_id: registry.end_session(session_id, CLOSE_UNAUTHENTICATED, "signed out"),
        guard=SignInGuard(enabled=limits, count=_sign_in_counter(counters)),
        device_marks=DeviceMarks(keys),
        clock=clock,
        check_room=check_room,
    )
    withheld_marks = WithheldMarks(
        writer=writer,
        rosters=rosters,
        receipts=receipts,
        conversations=conversations,
        is_hidden=presence.is_hidden,
    )
    presence_service = PresenceService(
        tracker=presence,
        registry=registry,
        users=users,
        arrivals=arrivals,
        conversations=conversations,
        on_hide=typing.stop,
        on_show=withheld_marks.show_everywhere,
    )
    bus.subscribe(presence_service.published)

    async def block_changed(owner_id: str, other_id: str, blocked: bool) -> None:
        # Before the block counts: after that, no `stop` would reach the other.
        typing.stop(owner_id)
        typing.stop(other_id)
        blocks.changed(owner_id, other_id, blocked)
        rosters.forget_direct(direct_key(owner_id, other_id))
        await presence_service.block_changed(owner_id, other_id, blocked)
        if not blocked:
            await withheld_marks.show_in_direct(owner_id, other_id)

    contact_service = ContactService(
        contacts=contacts,
        directory=directory,
        on_contact_changed=presence_service.contact_changed,
        on_block_changed=block_changed,
        clock=clock,
        check_room=check_room,
        turns=turns,
    )
    strangers = Strangers(contacts=contacts, conversations=conversations, limits=rates, enabled=limits)
    conversation_service = ConversationService(
        writer=writer,
        rosters=rosters,
        bus=bus,
        conversations=conversations,
        contacts=contacts,
        snapshots=snapshots,
        views=views,
        fetch_users=directory.fetch_users,
        blocks=blocks,
        is_connected=registry.is_connected,
        on_parted=presence_service.parted,
        clock=clock,
        check_room=check_room,
        strangers=strangers,
        turns=turns,
    )
    message_service = MessageService(
        writer=writer,
        rosters=rosters,
        receipts=receipts,
        messages=messages,
        users=users,
        contacts=contacts,
        fetch_users=directory.fetch_users,
        blocks=blocks,
        is_hidden=presence.is_hidden,
        check_may_write_first=strangers.check_may_write_first,
    )
    user_service = UserService(
        users=users,
        directory=directory,
        on_status_changed=presence.status_changed,
        check_room=check_room,
        turns=turns,
    )

    # The way in.
    greeter = Greeter(
        snapshots=snapshots,
        catch_up=CatchUp(messages, views.fetch),
        drain=Drain(queue, messages),
        queue=queue,
        watch=presence_service.watch,
        settled=writer.settled,
        clock=clock,
        epoch=database.epoch,
        heartbeat_s=settings.heartbeat_seconds,
        sends_per_s=settings.rate_limit_sends_per_s if limits else None,
    )
    farewell = Farewell()
    supervisor = Supervisor()
    endpoint = SocketEndpoint(
        authenticator=authenticator,
        admission=Admission(
            pace=Limiter(rate_per_s=CONNECTS_PER_S, burst=CONNECTS_BURST) if limits else None,
        ),
        registry=registry,
        greeter=greeter,
        dispatcher=Dispatcher(
            rates,
            connection_handlers(authenticator, clock),
            message_handlers(message_service),
            presence_handlers(presence_service),
            typing_handlers(typing),
        ),
        presence=presence,
        connection_log=connection_log,
        farewell=farewell,
        allowed_origins=_origins(settings),
        limits=limits,
        rates=rates,
    )
    runtime = Runtime(
        clock=clock,
        writer=writer,
        jobs=jobs,
        receipts=receipts,
        presence=presence,
        timers=(typing, presence_service, timekeeper),
        registry=registry,
        connection_log=connection_log,
        farewell=farewell,
        supervisor=supervisor,
    )
    services = {
        "accounts": accounts,
        "users": user_service,
        "contacts": contact_service,
        "conversation_service": conversation_service,
        "message_service": message_service,
        "message_history": MessageHistory(
            rosters=rosters, messages=messages, conversations=conversations, blocks=blocks
        ),
        "message_sync": MessageSync(writer=writer, messages=messages, conversations=conversations, turns=turns),
        "presence_service": presence_service,
    }
    routes = [
        *account_routes.ROUTES,
        *user_routes.ROUTES,
        *presence_routes.ROUTES,
        *contact_routes.ROUTES,
        *conversation_routes.ROUTES,
        *message_routes.ROUTES,
    ]
    root = {
        "readiness": health.Readiness(database.ping_write, supervisor.problem, disk=disk),
        "metrics_registry": _metrics(counters, runtime, passwords, timekeeper),
        "web_files": load_files(Path(__file__).parent / "web" / "static"),
    }
    app = Litestar(
        guards=[address_guard(rates)],
        route_handlers=[
            api_router(
                routes,
                authenticator=authenticator,
                limits=rates,
                services=services,
                allowed_origins=_origins(settings),
            ),
            _socket_route(endpoint),
            Router(
                "/",
                route_handlers=[*health.HANDLERS, metrics.metrics, *web_routes.ROUTES],
                dependencies={name: _provided(it) for name, it in root.items()},
            ),
        ],
        lifespan=[_lifespan(runtime, timekeeper, (passwords, strength), commits)],
        exception_handlers=EXCEPTION_HANDLERS,
        plugins=[JsonBodies()],
        openapi_config=openapi_config(__version__),
        state=State({"runtime": runtime}),
        logging_config=None,
        cors_config=_cross_origin(settings),
    )
    check_every_route_has_a_budget(app)
    return app


def _lifespan(
    runtime: Runtime,
    timekeeper: Timekeeper,
    pools: Sequence[Passwords | PasswordStrength],
    commits: Sequence[MongoCommit],
) -> Any:
    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        with suppress(TransientError):
            for commit in commits:
                await commit.take_over()
        await timekeeper.start()
        runtime.start()
        try:
            yield
        finally:
            await runtime.say_goodbye()
            for pool in pools:
                pool.close()

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


def _secret(settings: Settings) -> str | None:
    return settings.jwt_secret.get_secret_value() if settings.jwt_secret is not None else None


def _message_budget(settings: Settings) -> Budget:
    usual = BUDGETS["message"]
    rate_per_s, burst = settings.rate_limit_sends_per_s, settings.rate_limit_send_burst
    return Budget(by=usual.by, burst=burst, rate_per_s=rate_per_s, what=usual.what)


def _origins(settings: Settings) -> frozenset[str]:
    own = {settings.public_url.rstrip("/")} if settings.public_url else set()
    return frozenset(own | set(settings.allowed_origins))


def _cross_origin(settings: Settings) -> CORSConfig | None:
    """Let the web origins that may open a WebSocket use HTTP too; nobody else's page may."""
    if not settings.allowed_origins:
        return None
    return CORSConfig(
        allow_origins=list(settings.allowed_origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["X-Total-Count", "Retry-After"],
        allow_credentials=True,
    )


def _sign_in_counter(registry: prometheus_client.CollectorRegistry) -> Callable[[str], None]:
    description = "Attempts to sign in by result: ok, wrong, limited (refused before), unchecked (server too busy)"
    counter = prometheus_client.Counter("chat_mvp_sign_ins", description, ["result"], registry=registry)
    return lambda result: counter.labels(result).inc()


def _metrics(
    registry: prometheus_client.CollectorRegistry, runtime: Runtime, passwords: Passwords, timekeeper: Timekeeper
) -> prometheus_client.CollectorRegistry:
    gauges = {
        "chat_mvp_connections": ("Live WebSockets", lambda: len(runtime.registry)),
        "chat_mvp_passwords_waiting": ("Passwords that wait to be hashed", lambda: passwords.waiting),
        "chat_mvp_writer_waiting": ("Operations that wait for the writer", lambda: runtime.writer.waiting),
        "chat_mvp_writer_batches": ("Batches committed since the start", lambda: runtime.writer.batches),
        "chat_mvp_jobs_done": ("Jobs done since the start", lambda: runtime.jobs.done),
        "chat_mvp_jobs_failed": ("Attempts at jobs that failed since the start", lambda: runtime.jobs.failed),
        "chat_mvp_task_restarts": (
            "Failures of background tasks",
            lambda: runtime.supervisor.restarts,
        ),
        "chat_mvp_writer_operations": ("Operations done since the start", lambda: runtime.writer.operations),
        "chat_mvp_clock_database_ahead_seconds": (
            "How far the database's time is before that of the server",
            lambda: timekeeper.database_ahead_s,
        ),
        "chat_mvp_clock_host_ahead_seconds": (
            "How far this machine's own time is before that of the server",
            lambda: timekeeper.host_ahead_s,
        ),
    }
    for name, (description, read) in gauges.items():
        prometheus_client.Gauge(name, description, registry=registry).set_function(read)
    return registry
