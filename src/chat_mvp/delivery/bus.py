"""The bus carries frames of committed events and signals to the connections.

Signals, such as typing, are not stored and may be dropped.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from chat_mvp.protocol import ServerFrame


class Publication(Struct, kw_only=True, frozen=True):
    """One frame and the users who get it.

    ``conversation_id``, ``rev`` and ``message_id`` are set for changes of messages. With them, a connection that is
    still catching up recognises what it has already been sent. ``answered_connection`` is the connection that caused
    the frame. It has its answer.
    """

    audience: tuple[str, ...]
    frame: ServerFrame
    conversation_id: str | None = None
    rev: int = 0
    message_id: str | None = None
    answered_connection: str | None = None
    droppable: bool = False
    """Whether a connection with many waiting frames may skip this one. True for typing and presence."""


Listener = Callable[[Publication], None]


class Bus(Protocol):
    """Carries publications to the listeners. The publications of one conversation keep their order."""

    def publish(self, publication: Publication) -> None:
        """Give the frame of a committed event to every listener. Does not wait for the connections."""
        ...

    def signal(self, audience: tuple[str, ...], frame: ServerFrame) -> None:
        """Give a frame that is not stored, and may be dropped, to every listener. Does not wait for the connections."""
        ...

    def subscribe(self, listener: Listener) -> None:
        """Call ``listener`` for every later publication."""
        ...


class MemoryBus:
    """The bus of a single process."""

    def __init__(self) -> None:
        """Start without listeners."""
        self._listeners: list[Listener] = []

    def publish(self, publication: Publication) -> None:
        """Call the listeners one after the other."""
        for listener in self._listeners:
            listener(publication)

    def signal(self, audience: tuple[str, ...], frame: ServerFrame) -> None:
        """Publish a frame that may be dropped."""
        self.publish(Publication(audience=audience, frame=frame, droppable=True))

    def subscribe(self, listener: Listener) -> None:
        """Call ``listener`` for every later publication."""
        self._listeners.append(listener)
