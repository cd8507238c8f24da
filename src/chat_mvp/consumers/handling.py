"""Handing events to a consumer until each is handled or set aside."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import msgspec
import structlog

from chat_mvp.consumers.consumer import Consumer
from chat_mvp.consumers.timing import Timing
from chat_mvp.errors import ChatError, UnavailableError
from chat_mvp.events.codec import decode_events, encode_events, type_of
from chat_mvp.events.types import Event
from chat_mvp.storage.consumers import Consumers, SetAsideEvent
from chat_mvp.storage.errors import is_passing_of_driver
from chat_mvp.storage.event_stream import StoredEvents

MAX_ERROR_CHARS = 500
NOT_UNDERSTOOD = "This version of the program does not understand the event."

_LOG = structlog.get_logger(__name__)

Handled = Callable[[StoredEvents, int], Awaitable[None]]
"""Called with what is handled now, together with all before it, and how many events are handled since the last call."""


class LeaseLostError(Exception):
    """Another process has claimed the consumer."""


class CancelledByConsumerError(Exception):
    """A consumer raised ``CancelledError`` although its task was not cancelled."""


class _Tagged(msgspec.Struct):
    type: str


class Counts:
    """What happened in this process."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.handled = 0
        self.failed = 0
        """Attempts that failed."""
        self.set_aside = 0
        self.failing_since: float | None = None
        """Since when no attempt has succeeded, on the monotonic clock."""
        self.last_error: str | None = None
        """The type of what the last attempt raised."""
        self.busy_since: float | None = None
        """When ``handle`` of the consumer was called that has not returned yet, on the monotonic clock."""


class Handling:
    """Hands events to one consumer."""

    def __init__(self, consumer: Consumer, store: Consumers, *, owner: str, timing: Timing) -> None:
        """Note failures as ``owner``, and set aside what cannot be handled."""
        self.counts = Counts()
        self._consumer = consumer
        self._store = store
        self._owner = owner
        self._timing = timing
        self._wanted_tags = frozenset(map(type_of, consumer.event_types))
        self._warned_of: set[str] = set()

    async def handle(self, found: Sequence[StoredEvents], handled: Handled) -> None:
        """Hand over all events of these transactions: together, and one by one when that fails.

        ``LeaseLostError`` when an event must be set aside and another process has claimed the consumer.
        """
        wanted = [event for stored in found for event in stored.events if isinstance(event, self._consumer.event_types)]
        # One event alone is not tried twice in a row.
        can_together = len(wanted) != 1 and not any(stored.unknown for stored in found)
        if can_together and await self._try_together(wanted):
            await handled(found[-1], len(wanted))
            return
        for stored in found:
            count = 0
            for position, event in enumerate(stored.events):
                if isinstance(event, self._consumer.event_types):
                    count += await self._handle_alone(event, stored.id, position)
            for position, text in enumerate(stored.unknown, len(stored.events)):
                await self._skip(text, stored.id, position)
            await handled(stored, count)

    async def handle_again(self, entry: SetAsideEvent) -> None:
        """Make one attempt at an event that was set aside."""
        event = _decoded(entry.event)
        if event is None:
            await self._store.put_back(entry.id, NOT_UNDERSTOOD)
            return
        try:
            await self._hand_over([event])
        except Exception as error:  # noqa: BLE001  (whatever it fails of, it is set aside again)
            self.counts.failed += 1
            if not is_passing(error):
                _LOG.warning("event_failed_again", consumer=self._consumer.name, set_aside=entry.id, error=_said(error))
                await self._store.put_back(entry.id, _said(error))
            return
        self._succeeded(1)
        await self._store.remove_set_aside(entry.id)

    async def note_failure(self, error: Exception) -> None:
        """Count a failed attempt, and store of what it failed."""
        counts = self.counts
        counts.failed += 1
        counts.last_error = type(error).__name__
        if counts.failing_since is None:
            counts.failing_since = time.monotonic()
        with suppress(ChatError):
            await self._store.note_failure(self._consumer.name, self._owner, _said(error))

    def note_success(self) -> None:
        """Note that nothing fails now."""
        self.counts.failing_since = None

    async def _hand_over(self, events: Sequence[Event]) -> None:
        self.counts.busy_since = time.monotonic()
        try:
            await done_by_consumer(self._consumer.handle(events))
        finally:
            self.counts.busy_since = None

    async def _try_together(self, events: Sequence[Event]) -> bool:
        failures = 0
        while events:
            try:
                await self._hand_over(events)
                break
            except Exception as error:  # noqa: BLE001  (whatever it fails of, the others must be handled)
                failures += 1
                if not is_passing(error):
                    await self.note_failure(error)
                    return False
                await self._wait(error, failures)
        self._succeeded(len(events))
        return True

    async def _handle_alone(self, event: Event, source: str, position: int) -> int:
        failures = attempts = 0
        while True:
            try:
                await self._hand_over([event])
                break
            except Exception as error:  # noqa: BLE001  (whatever it fails of, the others must be handled)
                failures += 1
                attempts += not is_passing(error)
                if attempts < self._timing.max_attempts:
                    await self._wait(error, failures)
                    continue
                await self.note_failure(error)
                _LOG.error(
                    "event_set_aside",
                    consumer=self._consumer.name,
                    type=type_of(event),
                    attempts=attempts,
                    exc_info=error,
                )
                await self._set_aside(encode_events([event])[1:-1], source, position, _said(error))
                return 0
        self._succeeded(1)
        return 1

    async def _skip(self, text: str, source: str, position: int) -> None:
        """Pass over an event of an unknown type; a damaged one that the consumer would want is set aside."""
        tag = _tag(text)
        if tag is None or tag in self._wanted_tags:
            _LOG.error("event_set_aside", consumer=self._consumer.name, type=tag, reason=NOT_UNDERSTOOD)
            await self._set_aside(text, source, position, NOT_UNDERSTOOD)
        elif tag not in self._warned_of:
            self._warned_of.add(tag)
            _LOG.warning("unknown_event_type", consumer=self._consumer.name, type=tag)

    async def _set_aside(self, text: str, source: str, position: int, error: str) -> None:
        if not await self._store.set_aside(self._consumer.name, self._owner, source, position, event=text, error=error):
            # The process that has claimed it hands over the event again.
            raise LeaseLostError
        self.counts.set_aside += 1

    def _succeeded(self, count: int) -> None:
        self.counts.handled += count
        if count:
            self.note_success()

    async def _wait(self, error: Exception, failures: int) -> None:
        await self.note_failure(error)
        pause_s = self._timing.pause_s(failures)
        _LOG.warning(
            "consumer_failed",
            consumer=self._consumer.name,
            failures=failures,
            again_in_s=round(pause_s, 1),
            error=_said(error),
        )
        await asyncio.sleep(pause_s)


async def done_by_consumer(work: Awaitable[None]) -> None:
    """Wait for what a consumer does. A cancellation of its own is an error like others: it must not end this task."""
    try:
        await work
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise CancelledByConsumerError("Something that the consumer waited for was cancelled.") from error


def is_passing(error: Exception) -> bool:
    """Tell whether trying again later can help, without any change of the program or of the event."""
    if isinstance(error, ChatError):
        return isinstance(error, UnavailableError) or error.retry_after_ms is not None
    return is_passing_of_driver(error)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:MAX_ERROR_CHARS]


def _tag(text: str) -> str | None:
    try:
        return msgspec.json.decode(text, type=_Tagged).type
    except msgspec.DecodeError:
        return None


def _decoded(text: str) -> Event | None:
    try:
        events = decode_events(f"[{text}]").events
    except ValueError:
        return None
    return events[0] if events else None
