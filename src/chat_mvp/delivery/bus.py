"""The bus between what happens and the connections: frames of committed events, and signals.

Signals, such as typing, are not stored and may be dropped.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from chat_mvp.protocol import ServerFrame


class Publication(Struct, kw_only=True, frozen=True):
    """One frame and the users who get it.

    ``conversation_id``, ``rev`` and ``message_id`` are set for changes of messages, so that a connection that is still
    catching up knows what it has already been sent. ``answered_connection`` caused it and was answered.
    """

    audience: tuple[str, ...]
    frame: ServerFrame
    conversation_id: str | None = None
    rev: int = 0
    message_id: str | None = None
    answered_connection: str | None = None
    droppable: bool = False
    """Whether a connection that has much waiting may go without it, as with typing and presence."""


Listener = Callable[[Publication], None]


class Bus(Protocol):
    """Carries publications to the listeners, those of one conversation in the order they were published."""

    def publish(self, publication: Publication) -> None:
        """Hand the frame of a committed event to every listener; returns at once."""
        ...

    def signal(self, audience: tuple[str, ...], frame: ServerFrame) -> None:
        """Hand a frame that is not stored, and may be dropped, to every listener; returns at once."""
        ...

    def subscribe(self, listener: Listener) -> None:
        """Call this for every publication from now on."""
        ...


class MemoryBus:
    """The bus of a single process."""

    def __init__(self) -> None:
        """Begin with no listener."""
        self._listeners: list[Listener] = []

    def publish(self, publication: Publication) -> None:
        """Call every listener in turn."""
        for listener in self._listeners:
            listener(publication)

    def signal(self, audience: tuple[str, ...], frame: ServerFrame) -> None:
        """Publish a frame that may be dropped."""
        self.publish(Publication(audience=audience, frame=frame, droppable=True))

    def subscribe(self, listener: Listener) -> None:
        """Call this for every publication from now on."""
        self._listeners.append(listener)
