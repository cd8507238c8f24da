"""Feeds one consumer for as long as this process holds its lease."""

import asyncio
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog

from chat_mvp.clock import Now
from chat_mvp.consumers.consumer import Consumer
from chat_mvp.consumers.handling import Counts, Handling, LeaseLostError, done_by_consumer, is_passing
from chat_mvp.consumers.timing import Timing
from chat_mvp.errors import ChatError
from chat_mvp.events.codec import type_of
from chat_mvp.storage.client import Collections
from chat_mvp.storage.consumers import ConsumerRecord, Consumers, ConsumerState, Progress
from chat_mvp.storage.event_stream import Cursor, CursorLostError, StoredEvents, fetch_cursor, open_event_stream
from chat_mvp.supervision import cancel

MAX_EVENTS = 500
"""About how many events a consumer is given at once."""
MAX_RETRIES_AT_ONCE = 10
LEAVE_WITHIN_S = 2.0
END_MARGIN = timedelta(seconds=5)
"""At the end of the stream, everything older than this is handled: a change is dated before it is committed."""

_LOG = structlog.get_logger(__name__)


class _RebuildFailedError(Exception):
    """The consumer raised while it rebuilt."""


class Worker:
    """One consumer in one process."""

    def __init__(
        self, consumer: Consumer, store: Consumers, streams: Collections, *, owner: str, timing: Timing, now: Now
    ) -> None:
        """Claim the consumer as ``owner``; ``now`` is the clock that dates events."""
        self.name = consumer.name
        self.is_owner = False
        self._consumer = consumer
        self._tags = [type_of(event_type) for event_type in consumer.event_types]
        self._store = store
        self._streams = streams
        self._owner = owner
        self._timing = timing
        self._now = now
        self._handling = Handling(consumer, store, owner=owner, timing=timing)
        self._stopping = asyncio.Event()
        self._is_registered = False
        self._lease_until = 0.0
        self._is_lease_lost = False
        # Where it is: the position after all that was handled, and what of that is not stored yet.
        self._cursor: Cursor | None = None
        self._at: datetime | None = None
        self._unsaved = 0
        self._saved_cursor: Cursor | None = None
        self._saved_at = 0.0
        self._retried_at = 0.0
        self._oldest_in_hand: datetime | None = None
        self._is_at_end = False
        self._failures = 0

    @property
    def counts(self) -> Counts:
        """What happened in this process."""
        return self._handling.counts

    def lag_s(self) -> float:
        """Return the age of the oldest event that is not handled, in seconds. Without such an event, at most 1 s."""
        if self._oldest_in_hand is None and (self._is_at_end or self._at is None):
            return 0.0
        return max(0.0, (self._now() - (self._oldest_in_hand or self._at or self._now())).total_seconds())

    def failing_for_s(self) -> float:
        """Return for how long no attempt has succeeded; 0 when the last one did."""
        since = self.counts.failing_since
        return 0.0 if since is None else time.monotonic() - since

    def busy_for_s(self) -> float:
        """Return for how long the consumer has been handling what it was given last; 0 when it has returned."""
        since = self.counts.busy_since
        return 0.0 if since is None else time.monotonic() - since

    def stop(self) -> None:
        """Make ``run`` end soon: within the time of grace, whatever the consumer does."""
        self._stopping.set()

    async def run(self) -> None:
        """Feed the consumer whenever this process can have its lease, until ``stop``."""
        while not self._stopping.is_set():
            record = await self._claim()
            if record is None:
                await self._pause(self._timing.poll_s)
            else:
                await self._hold(record)

    async def _claim(self) -> ConsumerRecord | None:
        begun = time.monotonic()
        try:
            if not self._is_registered:
                await self._store.register(self.name, self._tags)
                self._is_registered = True
            record = await self._store.claim(self.name, self._owner, lease_ms=_ms(self._timing.lease_s))
        except ChatError:
            # The database cannot answer now.
            return None
        self._lease_until = begun + self._timing.lease_s
        return record

    async def _hold(self, record: ConsumerRecord) -> None:
        """Feed the consumer until the lease is lost or the process stops."""
        _LOG.info("consumer_claimed", consumer=self.name, state=record.state)
        self.is_owner, self._is_lease_lost = True, False
        self._handling.note_success()
        tasks: list[asyncio.Task[Any]] = [
            asyncio.create_task(self._feed(record), name=f"consumer {self.name}: events"),
            asyncio.create_task(self._renew(), name=f"consumer {self.name}: lease"),
            asyncio.create_task(self._stopping.wait(), name=f"consumer {self.name}: stop"),
        ]
        feeding = tasks[0]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if self._stopping.is_set():
                await asyncio.wait([feeding], timeout=self._timing.grace_s)
        finally:
            await cancel(tasks)
            await self._leave()
            self._is_registered = not self._is_lease_lost
        for task in tasks:
            if not task.cancelled():
                task.result()

    async def _leave(self) -> None:
        self.is_owner = False
        self._oldest_in_hand = None
        if self._is_lease_lost:
            return
        with suppress(ChatError, TimeoutError, LeaseLostError):
            async with asyncio.timeout(LEAVE_WITHIN_S):
                await self._save(at_once=True)
                await self._store.release(self.name, self._owner)

    async def _renew(self) -> None:
        """Renew the lease, and return when it is lost."""
        while True:
            await asyncio.sleep(self._timing.renew_s)
            begun = time.monotonic()
            try:
                self._is_lease_lost = not await self._store.renew(
                    self.name, self._owner, lease_ms=_ms(self._timing.lease_s)
                )
                self._lease_until = begun + self._timing.lease_s
            except ChatError:
                self._is_lease_lost = time.monotonic() > self._lease_until
            if self._is_lease_lost:
                _LOG.warning("consumer_lease_lost", consumer=self.name)
                return

    async def _feed(self, record: ConsumerRecord) -> None:
        state = record.state
        self._cursor = self._saved_cursor = record.cursor
        self._at, self._unsaved, self._failures, self._is_at_end = record.at, 0, 0, False
        while not self._stopping.is_set():
            try:
                if state != "running" or self._cursor is None:
                    self._cursor = self._saved_cursor = await self._rebuild(state)
                    state = "running"
                await self._follow(self._cursor)
            except CursorLostError as error:
                state = "lost"
                _LOG.error("events_lost", consumer=self.name, reason=str(error), remedy="It rebuilds now.")
            except LeaseLostError:
                self._is_lease_lost = True
                return
            except (ChatError, _RebuildFailedError):
                # What the consumer raised is logged, and the database comes back.
                self._is_at_end = False
            self._oldest_in_hand = None
            self._failures += 1
            await self._pause(self._timing.pause_s(self._failures))

    async def _rebuild(self, state: ConsumerState) -> Cursor:
        """Rebuild and return a cursor from before that, so that nothing is missed that happens meanwhile."""
        at, cursor = self._now(), await fetch_cursor(self._streams)
        # This is stored with a majority: the rebuild sees all that was committed before the cursor.
        _owned(await self._store.begin_rebuild(self.name, self._owner, state))
        _LOG.info("consumer_rebuilds", consumer=self.name, state=state)
        try:
            await done_by_consumer(self._consumer.rebuild())
        except Exception as error:
            await self._handling.note_failure(error)
            _LOG.warning(
                "consumer_rebuild_failed",
                consumer=self.name,
                error=f"{type(error).__name__}: {error}",
                exc_info=None if is_passing(error) else error,
            )
            raise _RebuildFailedError from error
        _owned(await self._store.finish_rebuild(self.name, self._owner, cursor, at))
        self._handling.note_success()
        self._at = at
        return cursor

    async def _follow(self, cursor: Cursor) -> None:
        async with open_event_stream(self._streams, self._tags, after=cursor) as stream:
            while not self._stopping.is_set():
                found = await stream.fetch(limit=MAX_EVENTS, within_s=self._timing.save_s)
                if found:
                    self._oldest_in_hand, self._is_at_end = found[0].at, False
                    await self._handling.handle(found, self._handled)
                    self._oldest_in_hand = None
                self._failures = 0
                self._cursor, self._is_at_end = stream.cursor, stream.is_at_end
                if self._is_at_end:
                    self._pass_to(self._now() - END_MARGIN)
                await self._save()
                await self._try_again()
                # While much is read ahead, nothing above suspends. The event loop serves connections here.
                await asyncio.sleep(0)

    async def _handled(self, stored: StoredEvents, count: int) -> None:
        self._cursor = stored.cursor
        self._pass_to(stored.at)
        self._unsaved += count
        await self._save()

    def _pass_to(self, at: datetime) -> None:
        # The clocks of processes differ: the times of events in a row may go back.
        self._at = at if self._at is None else max(self._at, at)

    async def _save(self, *, at_once: bool = False) -> None:
        """Store how far it is, unless that was done a moment ago."""
        cursor, count = self._cursor, self._unsaved
        if cursor is None or cursor == self._saved_cursor:
            return
        wait_s = self._timing.save_s if count else self._timing.idle_save_s
        if not at_once and time.monotonic() - self._saved_at < wait_s:
            return
        progress = Progress(cursor=cursor, at=self._at, handled=count)
        _owned(await self._store.advance(self.name, self._owner, progress))
        self._saved_cursor, self._saved_at = cursor, time.monotonic()
        self._unsaved -= count

    async def _try_again(self) -> None:
        """Make an attempt at each event that was set aside and for which someone asks."""
        if time.monotonic() - self._retried_at < self._timing.retry_check_s:
            return
        self._retried_at = time.monotonic()
        for entry in await self._store.fetch_set_aside(name=self.name, retry=True, limit=MAX_RETRIES_AT_ONCE):
            await self._handling.handle_again(entry)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


def _owned(is_owned: bool) -> None:
    if not is_owned:
        raise LeaseLostError


def _ms(seconds: float) -> int:
    return round(seconds * 1_000)
