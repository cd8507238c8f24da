"""What a consumer of events is."""

from collections.abc import Sequence
from typing import Protocol

from chat_mvp.events.types import Event


class Consumer(Protocol):
    """Reacts to committed events, such as a search index, notifications or webhooks.

    One process at a time feeds it. After an error that passes (``UnavailableError``, others with ``retry_after_ms``,
    and those of the database driver) it is given the same events again, without end. After several other errors, an
    event is set aside and those after it go on.
    """

    name: str
    """Under which its progress is stored: lower-case letters, digits, ``-`` and ``_``. It must never change."""
    event_types: tuple[type[Event], ...]
    """Which events it is given."""

    async def handle(self, events: Sequence[Event]) -> None:
        """Handle events, in the order in which they were committed.

        Each is given at least once: handling it again, also after later ones, must do no harm. It may be cancelled.
        """
        ...

    async def rebuild(self) -> None:
        """Bring the consumer's own copy up to date from the collections.

        Called at the very first start, and when events were lost. What is committed from the moment of the call is
        given to ``handle`` afterwards, so some of it may be known by then.
        """
        ...
