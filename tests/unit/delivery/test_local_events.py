import asyncio
from collections.abc import Awaitable

from chat_mvp.delivery.local_events import LocalEvents
from chat_mvp.events.types import BlockChanged, SessionEnded

ENDED = SessionEnded(session_id="s", user_id="ann")


class Log:
    """Handlers that note when they are called."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.gate = asyncio.Event()

    def first(self, _: SessionEnded) -> None:
        self.notes.append("first")

    def slow(self, _: SessionEnded) -> Awaitable[None]:
        self.notes.append("slow")
        return self._rest("rest")

    async def last(self, _: SessionEnded) -> None:
        await self._rest("last")

    def fails(self, _: SessionEnded) -> None:
        raise KeyError

    async def fails_later(self, _: SessionEnded) -> None:
        raise KeyError

    async def _rest(self, note: str) -> None:
        await self.gate.wait()
        self.notes.append(note)


async def test_handlers_are_called_in_the_order_of_registration() -> None:
    log, events = Log(), LocalEvents()
    for handler in (log.slow, log.fails, log.first, log.fails_later, log.last):
        events.on(SessionEnded, handler)
    events.on(BlockChanged, lambda _: log.notes.append("of another type"))
    events.apply([ENDED])
    assert log.notes == ["slow", "first"], "before it returns"
    log.gate.set()
    await events.applied([ENDED])
    assert log.notes[2:] == ["slow", "first", "rest", "last", "rest", "last"]


async def test_what_was_begun_ends_although_its_caller_leaves() -> None:
    log, events = Log(), LocalEvents()
    events.on(SessionEnded, log.last)
    task = asyncio.create_task(events.applied([ENDED]))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    log.gate.set()
    await asyncio.sleep(0.01)
    assert log.notes == ["last"]


async def test_the_end_of_the_program_ends_what_still_runs() -> None:
    log, events = Log(), LocalEvents()
    events.on(SessionEnded, log.last)
    task = asyncio.create_task(events.applied([ENDED]))
    await asyncio.sleep(0)
    events.close()
    await task
    assert log.notes == []
