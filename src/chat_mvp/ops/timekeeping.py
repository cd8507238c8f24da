"""Keeps the server's clock in line with the time of the database, and detects a wrong clock."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from chat_mvp.clock import Clock, Now, uptime
from chat_mvp.errors import UnavailableError
from chat_mvp.times import utc_now

FOLLOW_EVERY_S = 60.0
WORST_ANSWER_S = 1.0
"""A slower answer says too little about the time at which it was given."""
NOTEWORTHY_S = 5.0
"""Clocks that are synchronised by NTP differ by milliseconds."""

_REMEDY = (
    "Synchronise the clocks of this machine and of the database by NTP. If both are right now, restart the server."
)

_LOG = structlog.stdlib.get_logger(__name__)


class Timekeeper:
    """Makes a clock follow the database, and logs when their times, or the time of this machine, differ."""

    def __init__(
        self,
        clock: Clock,
        fetch_time: Callable[[], Awaitable[datetime]],
        *,
        host_now: Now = utc_now,
        elapsed: Callable[[], float] = uptime,
    ) -> None:
        """Get the database's time from ``fetch_time``, which raises ``UnavailableError`` when it gets no answer."""
        self.database_ahead_s = 0.0
        """How far the database is ahead of the clock, in seconds."""
        self.host_ahead_s = 0.0
        """How far this machine's own clock is ahead of the clock, in seconds."""
        self._clock = clock
        self._fetch_time = fetch_time
        self._host_now = host_now
        self._elapsed = elapsed
        self._is_noted = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Set the clock by the database before it has dated anything, and start to follow the database."""
        reference = await self._reference()
        if reference is not None:
            self._clock.start_at(reference)
        self._compare(0.0)
        self._task = asyncio.get_running_loop().create_task(self._run(), name="timekeeping")

    def close(self) -> None:
        """Stop following the database."""
        if self._task is not None:
            self._task.cancel()

    async def follow(self) -> None:
        """Move the clock towards the database's time. Without an answer nothing changes."""
        reference = await self._reference()
        self._compare(self.database_ahead_s if reference is None else self._clock.follow(reference))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FOLLOW_EVERY_S)
            await self.follow()

    async def _reference(self) -> datetime | None:
        asked_at = self._elapsed()
        try:
            reference = await self._fetch_time()
        except UnavailableError:
            return None
        duration_s = self._elapsed() - asked_at
        return reference + timedelta(seconds=duration_s / 2) if duration_s <= WORST_ANSWER_S else None

    def _compare(self, database_ahead_s: float) -> None:
        self.database_ahead_s = database_ahead_s
        self.host_ahead_s = (self._host_now() - self._clock()).total_seconds()
        is_apart = max(abs(self.database_ahead_s), abs(self.host_ahead_s)) > NOTEWORTHY_S
        if is_apart == self._is_noted:
            return
        self._is_noted = is_apart
        apart = {"database_ahead_s": round(self.database_ahead_s, 3), "host_ahead_s": round(self.host_ahead_s, 3)}
        if is_apart:
            _LOG.warning("clocks_apart", remedy=_REMEDY, **apart)
        else:
            _LOG.info("clocks_agree", **apart)
