"""How this process reacts to committed events: it changes what it keeps in memory, and notifies its connections."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import structlog

from chat_mvp.events.types import Event

_E = TypeVar("_E", bound=Event)
Handler = Callable[[_E], Awaitable[None] | None]
"""Reacts to an event. It may be called more than once for one event, so repeating it must do no harm."""

_LOG = structlog.get_logger(__name__)


class LocalEvents:
    """Calls the handlers of each event in the order of their registration.

    The synchronous part of a handler is done when ``apply`` returns. If a handler returns an awaitable, the awaitable
    runs afterwards, in a task. So anything that restricts access, such as a block, belongs in the synchronous part.

    If a handler fails, the failure is logged and the other handlers are still called.
    """

    def __init__(self) -> None:
        """Start without handlers."""
        self._handlers: dict[type[Event], list[Handler[Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def on(self, kind: type[_E], handler: Handler[_E]) -> None:
        """Call ``handler`` for every later event of this type."""
        self._handlers.setdefault(kind, []).append(handler)

    def apply(self, events: Iterable[Event]) -> None:
        """React to committed events, and return without waiting for the asynchronous parts."""
        self._begin(events)

    async def applied(self, events: Sequence[Event]) -> None:
        """React to committed events, and return when the asynchronous parts are done too."""
        task = self._begin(events)
        if task is not None:
            # The task is not awaited directly, so that it also finishes when the caller is cancelled.
            await asyncio.wait([task])

    def close(self) -> None:
        """Cancel the asynchronous parts that still run."""
        for task in self._tasks:
            task.cancel()

    def _begin(self, events: Iterable[Event]) -> asyncio.Task[None] | None:
        awaitables: list[tuple[Event, Awaitable[None]]] = []
        for event in events:
            for handler in self._handlers.get(type(event), ()):
                try:
                    awaitable = handler(event)
                except Exception:  # noqa: BLE001  (the other handlers must get the committed event)
                    _log_failure(event)
                else:
                    if awaitable is not None:
                        awaitables.append((event, awaitable))
        if not awaitables:
            return None
        task = asyncio.get_running_loop().create_task(_finish(awaitables), name="local events")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: _drop(awaitables))
        return task


async def _finish(awaitables: Iterable[tuple[Event, Awaitable[None]]]) -> None:
    for event, awaitable in awaitables:
        try:
            await awaitable
        except Exception:  # noqa: BLE001  (the other handlers must finish)
            _log_failure(event)


def _drop(awaitables: Iterable[tuple[Event, Awaitable[None]]]) -> None:
    """Close the awaitables that were not started because the task was cancelled."""
    for _, awaitable in awaitables:
        if isinstance(awaitable, Coroutine):
            awaitable.close()


def _log_failure(event: Event) -> None:
    _LOG.exception("event_not_applied", type=type(event).__name__)
