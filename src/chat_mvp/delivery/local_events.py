"""What this process does about its own committed events, besides sending frames: caches, typing, presence, jobs."""

from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from chat_mvp.events.types import Event

E = TypeVar("E", bound=Event)

_LOG = structlog.get_logger(__name__)


class LocalEvents:
    """Calls handlers for committed events of the types that they asked for."""

    def __init__(self) -> None:
        """Begin without handlers."""
        self._handlers: dict[type[Event], list[Callable[[Any], None]]] = {}

    def on(self, event_type: type[E], handler: Callable[[E], None]) -> None:
        """Call ``handler`` for every event of this type from now on, after the handlers that were there before."""
        self._handlers.setdefault(event_type, []).append(handler)

    def apply(self, event: Event) -> None:
        """Call the handlers of an event. One that fails is logged, and keeps the others from nothing."""
        for handler in self._handlers.get(type(event), ()):
            try:
                handler(event)
            except Exception:  # noqa: BLE001  (what is stored is stored: one handler must not stop the others)
                _LOG.exception("event_handler_failed", event_type=type(event).__name__)
