"""Keeps ``active_connections`` up to date, in batches: new connections, ended ones, and heartbeats of the others."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from chat_mvp.clock import Now
from chat_mvp.errors import ChatError
from chat_mvp.storage.connections import ConnectionRecord, Connections
from chat_mvp.supervision import Supervisor

FLUSH_S = 0.25

_LOG = structlog.get_logger(__name__)


class ConnectionLog:
    """Writes this process's connections. If a write fails, it is repeated later or the entry expires."""

    def __init__(
        self, connections: Connections, live_ids: Callable[[], Iterable[str]], interval_s: float, clock: Now
    ) -> None:
        """Refresh the connections that ``live_ids`` returns every ``interval_s`` seconds."""
        self._clock = clock
        self._connections = connections
        self._live_ids = live_ids
        self._interval_s = interval_s
        self._began: dict[str, ConnectionRecord] = {}
        self._ended: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()

    def start(self, supervisor: Supervisor) -> None:
        """Start to write, in tasks of ``supervisor``."""
        self._tasks = [
            supervisor.run("connection log", self._write_changes),
            supervisor.run("heartbeat", self._refresh),
        ]

    async def stop(self) -> None:
        """Write what is not written yet, and end."""
        for task in self._tasks:
            task.cancel()
        await self._flush()

    def began(self, record: ConnectionRecord) -> None:
        """Note a new connection."""
        self._began[record.id] = record
        self._wake.set()

    def ended(self, connection_id: str) -> None:
        """Note that a connection has ended."""
        if self._began.pop(connection_id, None) is None:
            self._ended.append(connection_id)
            self._wake.set()

    async def _write_changes(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._flush()
            await asyncio.sleep(FLUSH_S)

    async def _flush(self) -> None:
        began, self._began = list(self._began.values()), {}
        ended, self._ended = self._ended, []
        try:
            if began:
                await self._connections.insert(began, self._clock())
            if ended:
                await self._connections.delete(ended)
        except ChatError:
            _LOG.warning("connections not noted", began=len(began), ended=len(ended))

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                await self._connections.refresh(list(self._live_ids()), self._clock())
            except ChatError:
                _LOG.warning("heartbeat not written")
