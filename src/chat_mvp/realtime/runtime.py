"""All background tasks, started and stopped in the right order."""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Protocol

from chat_mvp.clock import Now
from chat_mvp.consumers.runner import ConsumerRunner
from chat_mvp.delivery.receipts import Receipts
from chat_mvp.delivery.sweep import Sweep
from chat_mvp.delivery.writer import Writer
from chat_mvp.jobs.expired_sessions import ExpiredSessions
from chat_mvp.jobs.runner import JobRunner
from chat_mvp.protocol import CLOSE_RESTART
from chat_mvp.realtime.connection_closer import ConnectionCloser
from chat_mvp.realtime.expiry import watch_expiry
from chat_mvp.realtime.heartbeat import ConnectionLog
from chat_mvp.realtime.presence import PresenceTracker
from chat_mvp.realtime.profiles import ProfileUpdates
from chat_mvp.realtime.registry import Registry
from chat_mvp.supervision import Supervisor

CLOSE_ALL_WITHIN_S = 3.0
"""How long closing all connections may take."""


class Closable(Protocol):
    """An object with timers or tasks to stop."""

    def close(self) -> None:
        """Stop them."""
        ...


class Runtime:
    """The background parts of one application."""

    def __init__(
        self,
        *,
        clock: Now,
        writer: Writer,
        sweep: Sweep,
        confirmations: Closable,
        jobs: JobRunner,
        consumers: ConsumerRunner,
        receipts: Receipts,
        presence: PresenceTracker,
        profile_updates: ProfileUpdates,
        expired_sessions: ExpiredSessions,
        timers: Iterable[Closable],
        reactions: Iterable[Closable],
        registry: Registry,
        connection_log: ConnectionLog,
        closer: ConnectionCloser,
        supervisor: Supervisor,
    ) -> None:
        """Keep the parts without starting them."""
        self.supervisor = supervisor
        self.writer = writer
        self._sweep = sweep
        self._confirmations = confirmations
        self.jobs = jobs
        self.consumers = consumers
        self._clock = clock
        self.registry = registry
        self._receipts = receipts
        self._presence = presence
        self._profile_updates = profile_updates
        self._expired_sessions = expired_sessions
        self._timers = tuple(timers)
        self._reactions = tuple(reactions)
        self._connection_log = connection_log
        self._closer = closer
        self._expiry: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None

    def problem(self) -> str | None:
        """Return a text for the operator about a failed background task or a stuck consumer of events, or ``None``."""
        return self.supervisor.problem() or self.consumers.problem()

    def start(self) -> None:
        """Start everything on the running event loop."""
        self.writer.start(self.supervisor)
        self._sweep.start(self.supervisor)
        self._presence.start(self.registry.is_connected, self.supervisor)
        self._profile_updates.start(self.supervisor)
        self._expired_sessions.start(self.supervisor)
        self._connection_log.start(self.supervisor)
        self.jobs.start(self.supervisor)
        self.consumers.start(self.supervisor)
        self._expiry = self.supervisor.run("expiry", lambda: watch_expiry(self.registry, self._clock))

    async def stop(self) -> None:
        """Stop cleanly. Later calls wait for the first one.

        The server accepts no new sends, commits and acknowledges those that it accepted, sends ``bye`` with 1012 to
        every connection, and stores what it writes in batches.
        """
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(self._stop(), name="stop")
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
        self._closer.is_stopping = True
        await self._sweep.stop()
        # What was gathered goes to the writer, which then stores everything that it accepted.
        self._confirmations.close()
        await self.writer.stop()
        self._receipts.close()
        for timer in self._timers:
            timer.close()
        for connection in self.registry:
            connection.close(CLOSE_RESTART, "the server is restarting")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_ALL_WITHIN_S):
                await self._closer.finish()
        if self._expiry is not None:
            self._expiry.cancel()
        await self.jobs.stop()
        await self._profile_updates.stop()
        self._expired_sessions.close()
        for reaction in self._reactions:
            reaction.close()
        await self.consumers.stop()
        await self._presence.stop()
        await self._connection_log.stop()
