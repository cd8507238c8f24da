"""Pages of messages are expensive: those of one account are read one after the other."""

import asyncio
from typing import Any

import pytest

from chat_mvp.features.messages.history import MessageHistory
from chat_mvp.security.fair_semaphore import FairSemaphore


class Place:
    """A conversation, and a member who sees all of it."""

    conversation = None
    message = None
    rev = 0

    def member(self, user_id: str) -> "Place":
        return self

    def hides_up_to(self, conversation: None) -> int:
        return 0


class Storage:
    """Answers every read slowly, and knows how many went on at once."""

    def __init__(self) -> None:
        self.now = self.most = 0

    async def fetch(self, key: Any) -> Any:
        return {"c": Place()} if isinstance(key, list) else Place()

    async def fetch_newest(self, *_: Any, **__: Any) -> list[Any]:
        return await self._read()

    async def fetch_oldest(self, *_: Any, **__: Any) -> list[Any]:
        return await self._read()

    async def fetch_changed(self, *_: Any, **__: Any) -> list[Any]:
        return await self._read()

    async def _read(self) -> list[Any]:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.001)
        self.now -= 1
        return []


READS: dict[str, Any] = {
    "newest": lambda it, who: it.fetch_page(who, "c", before=None, after=None, around=None, limit=200),
    "after": lambda it, who: it.fetch_page(who, "c", before=None, after=1, around=None, limit=200),
    "around": lambda it, who: it.fetch_page(who, "c", before=None, after=None, around=5, limit=200),
    "changes": lambda it, who: it.fetch_changes(who, "c", after_rev=0, limit=200),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
async def test_pages_are_read_in_turn(read: Any) -> None:
    storage: Any = Storage()
    page_reads = FairSemaphore(at_once=3, at_once_each=1, max_waiting=100, busy="Too busy.", retry_after_ms=1_000)
    history = MessageHistory(
        rosters=storage, messages=storage, conversations=storage, blocks=storage, page_reads=page_reads
    )
    await asyncio.gather(*(read(history, "ada") for _ in range(10)))
    assert storage.most == 1
    await asyncio.gather(*(read(history, f"user {number}") for number in range(10)))
    assert storage.most == 3
