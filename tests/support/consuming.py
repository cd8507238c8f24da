"""A consumer that records what it gets, also as a separate process that a test can kill.

``python -m tests.support.consuming URI DATABASE`` feeds it until the process ends.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Self

from chat_mvp.consumers.runner import ConsumerRunner
from chat_mvp.consumers.timing import Timing
from chat_mvp.events.types import Event, MarksRaised, SessionEnded
from chat_mvp.storage.client import Database, open_database
from chat_mvp.storage.consumers import Consumers
from chat_mvp.storage.events import event_document
from chat_mvp.supervision import Supervisor
from chat_mvp.times import utc_now

NAME = "recorder"


def marks(number: int) -> MarksRaised:
    """Return an event that is known by its number."""
    return MarksRaised(conversation_id="c" * 24, user_id="a" * 24, delivered_seq=number, read_seq=0)


def session_ended(number: int) -> SessionEnded:
    """Return an event of another type."""
    return SessionEnded(session_id=f"{number:024}", user_id="a" * 24)


async def store(database: Database, *events: Event, at: datetime | None = None) -> None:
    """Store these events as one transaction does."""
    document = event_document(events, now=at or utc_now(), process="p" * 24)
    await database.collections["events"].insert_one(document)


async def store_each(database: Database, numbers: range) -> None:
    """Store an event for each number, each as a transaction of its own."""
    documents = [event_document([marks(number)], now=utc_now(), process="p" * 24) for number in numbers]
    await database.collections["events"].insert_many(documents)


class Recorder:
    """Keeps the numbers it is given. ``before`` is called with each event and may raise or wait."""

    event_types: tuple[type[Event], ...] = (MarksRaised,)

    def __init__(self, name: str = NAME, before: Callable[[Event], Awaitable[None]] | None = None) -> None:
        self.name = name
        self.seen: list[int] = []
        self.calls: list[int] = []
        self.rebuilds = 0
        self._before = before

    async def handle(self, events: Sequence[Event]) -> None:
        self.calls.append(len(events))
        numbers = []
        for event in events:
            assert isinstance(event, MarksRaised)
            if self._before is not None:
                await self._before(event)
            numbers.append(event.delivered_seq)
        self.seen.extend(numbers)

    async def rebuild(self) -> None:
        self.rebuilds += 1


class Running:
    """A runner with consumers, as one process has it; ``async with`` stops it cleanly."""

    def __init__(self, database: Database, *consumers: Recorder, timing: Timing) -> None:
        self.supervisor = Supervisor()
        self.runner = ConsumerRunner(
            consumers, store=Consumers(database.collections), streams=database.streams, now=utc_now, timing=timing
        )

    async def __aenter__(self) -> Self:
        self.runner.start(self.supervisor)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.runner.stop()


async def _main(uri: str, name: str) -> None:
    database = await open_database(uri, name, queue_ttl_days=30)
    seen = database.collections["seen"]

    async def write_down(event: Event) -> None:
        assert isinstance(event, MarksRaised)
        await seen.insert_one({"number": event.delivered_seq, "pid": os.getpid()})

    async with Running(database, Recorder(before=write_down), timing=Timing()):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2]))
