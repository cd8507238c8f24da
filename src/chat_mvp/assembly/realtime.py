"""The WebSocket endpoint, and the background tasks that run as long as the application."""

from dataclasses import dataclass
from datetime import timedelta

from chat_mvp.assembly.engine import Engine
from chat_mvp.assembly.foundation import Foundation
from chat_mvp.assembly.services import Services
from chat_mvp.delivery.backlog import Backlogs
from chat_mvp.delivery.catchup import CatchUp
from chat_mvp.features.messages.handlers import message_handlers
from chat_mvp.features.presence.handlers import presence_handlers
from chat_mvp.features.typing.handlers import typing_handlers
from chat_mvp.jobs.expired_sessions import ExpiredSessions
from chat_mvp.limits import CONNECTS_BURST, CONNECTS_PER_S
from chat_mvp.realtime.admission import Admission
from chat_mvp.realtime.connect_flow import ConnectFlow
from chat_mvp.realtime.connection_closer import ConnectionCloser
from chat_mvp.realtime.dispatch import Dispatcher
from chat_mvp.realtime.handlers import connection_handlers
from chat_mvp.realtime.runtime import Runtime
from chat_mvp.realtime.socket import SocketEndpoint
from chat_mvp.security.ratelimit import Limiter
from chat_mvp.settings import Settings
from chat_mvp.storage.queue import Queue
from chat_mvp.supervision import Supervisor


@dataclass(frozen=True)
class Realtime:
    """The parts."""

    endpoint: SocketEndpoint
    runtime: Runtime


def build_realtime(base: Foundation, engine: Engine, services: Services) -> Realtime:
    """Build the parts."""
    closer = ConnectionCloser()
    pace = Limiter(rate_per_s=CONNECTS_PER_S, burst=CONNECTS_BURST) if base.has_limits else None
    backlogs = Backlogs(
        queue=Queue(base.database.collections),
        owed=engine.owed,
        messages=base.messages,
        ttl=timedelta(days=base.settings.queue_ttl_days),
        clock=base.clock,
    )
    endpoint = SocketEndpoint(
        authenticator=services.authenticator,
        admission=Admission(pace=pace),
        registry=engine.registry,
        connect_flow=_build_connect_flow(base, engine, services, backlogs),
        dispatcher=Dispatcher(
            base.rate_limits,
            connection_handlers(services.authenticator, base.clock),
            message_handlers(services.message_service, services.confirmations),
            presence_handlers(services.presence_service),
            typing_handlers(engine.typing),
        ),
        presence=engine.presence,
        connection_log=engine.connection_log,
        closer=closer,
        allowed_origins=origins(base.settings),
        has_limits=base.has_limits,
        rate_limits=base.rate_limits,
    )
    runtime = Runtime(
        clock=base.clock,
        writer=engine.writer,
        sweep=engine.sweep,
        confirmations=services.confirmations,
        jobs=engine.jobs,
        consumers=engine.consumers,
        receipts=engine.receipts,
        presence=engine.presence,
        profile_updates=engine.profile_updates,
        expired_sessions=ExpiredSessions(base.auth_sessions, base.recorder),
        timers=(engine.typing, services.presence_service, base.timekeeper, backlogs),
        reactions=(base.recorder, base.local_events),
        registry=engine.registry,
        connection_log=engine.connection_log,
        closer=closer,
        supervisor=Supervisor(),
    )
    return Realtime(endpoint, runtime)


def origins(settings: Settings) -> frozenset[str]:
    """Return the origins whose pages may connect and sign people in, besides the one that the request names as host."""
    own = {settings.public_url.rstrip("/")} if settings.public_url else set()
    return frozenset(own | set(settings.allowed_origins))


def _build_connect_flow(base: Foundation, engine: Engine, services: Services, backlogs: Backlogs) -> ConnectFlow:
    settings = base.settings
    return ConnectFlow(
        snapshots=engine.snapshots,
        catch_up=CatchUp(base.messages, base.recent_messages, engine.views.fetch),
        backlogs=backlogs,
        watch=services.presence_service.watch,
        settled=engine.writer.settled,
        clock=base.clock,
        epoch=base.database.epoch,
        heartbeat_s=settings.heartbeat_seconds,
        sends_per_s=settings.rate_limit_sends_per_s if base.has_limits else None,
    )
