"""What this process does when events are committed: it changes what it keeps in memory and tells its connections."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

import structlog

from chat_mvp.events.types import Event

_E = TypeVar("_E", bound=Event)
Handler = Callable[[_E], Awaitable[None] | None]
"""Reacts to an event. It may be called more than once for one event: doing it twice must do no harm."""

_LOG = structlog.get_logger(__name__)


class LocalEvents:
    """Calls the handlers of each event in the order of their registration.

    What a handler does before it returns is done when ``apply`` returns. When a handler returns an awaitable, that runs
    afterwards, in a task. So whatever closes a way, such as a block, belongs in the first part.

    A handler that fails is logged, and the others are called all the same.
    """

    def __init__(self) -> None:
        """Begin without handlers."""
        self._handlers: dict[type[Event], list[Handler[Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def on(self, kind: type[_E], handler: Handler[_E]) -> None:
        """Call ``handler`` for every event of this type from now on."""
        self._handlers.setdefault(kind, []).append(handler)

    def apply(self, events: Iterable[Event]) -> None:
        """React to events, which must be committed, and return without waiting for the asynchronous parts."""
        self._begin(events)

    async def applied(self, events: Sequence[Event]) -> None:
        """React to events, which must be committed, and return when all is done."""
        task = self._begin(events)
        if task is not None:
            # Not awaited itself: what was begun ends also when the caller is cancelled.
            await asyncio.wait([task])

    def close(self) -> None:
        """Cancel the asynchronous parts that still run."""
        for task in self._tasks:
            task.cancel()

    def _begin(self, events: Iterable[Event]) -> asyncio.Task[None] | None:
        rest: list[tuple[Event, Awaitable[None]]] = []
        for event in events:
            for handler in self._handlers.get(type(event), ()):
                try:
                    following = handler(event)
                except Exception:  # noqa: BLE001  (the others must hear of what is committed)
                    _log_failure(event)
                else:
                    if following is not None:
                        rest.append((event, following))
        if not rest:
            return None
        task = asyncio.get_running_loop().create_task(_finish(rest), name="local events")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: _drop(rest))
        return task


async def _finish(rest: Iterable[tuple[Event, Awaitable[None]]]) -> None:
    for event, following in rest:
        try:
            await following
        except Exception:  # noqa: BLE001  (the same)
            _log_failure(event)


def _drop(rest: Iterable[tuple[Event, Awaitable[None]]]) -> None:
    """Close what was not begun because the task was cancelled."""
    for _, following in rest:
        if isinstance(following, Coroutine):
            following.close()


def _log_failure(event: Event) -> None:
    _LOG.exception("event_not_applied", type=type(event).__name__)
