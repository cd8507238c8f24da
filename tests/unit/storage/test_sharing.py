"""Reads that many callers share: together if possible, and never from before a caller asked."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from chat_mvp.storage.sharing import SharedReads


class Table:
    """A value for each key, which the test changes; a read takes the values when it begins and waits for ``gate``."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.reads: list[list[str]] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def read(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.reads.append(sorted(keys))
        found = {key: self.values[key] for key in keys if key in self.values}
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return found


async def settle() -> None:
    """Let every task go on until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_caller_during_a_read_gets_the_next_one() -> None:
    table = Table()
    reads = SharedReads(table.read, max_keys=10)
    table.values["ann"] = 1
    first = asyncio.create_task(reads.fetch_one("ann"))
    await settle()
    table.values["ann"] = 2
    later = [asyncio.create_task(reads.fetch_one(key)) for key in ("ann", "bob", "ann")]
    await settle()
    assert table.reads == [["ann"]], "one read at a time"
    table.gate.set()
    assert await first == 1
    assert await asyncio.gather(*later) == [2, None, 2]
    assert table.reads == [["ann"], ["ann", "bob"]]


async def test_callers_at_the_same_time_share_a_read() -> None:
    table = Table()
    table.gate.set()
    reads = SharedReads(table.read, max_keys=10)
    await asyncio.gather(*(reads.fetch_one(str(number)) for number in range(10)))
    assert len(table.reads) == 1


async def test_no_read_is_larger_than_it_may_be() -> None:
    table = Table()
    table.gate.set()
    table.values = {str(number): number for number in range(25)}
    reads = SharedReads(table.read, max_keys=10)
    found = await reads.fetch([str(number) for number in range(25)])
    assert found == table.values
    assert [len(keys) for keys in table.reads] == [10, 10, 5]


async def test_each_caller_hears_of_a_failure_and_the_next_read_succeeds() -> None:
    table = Table()
    table.gate.set()
    table.error = RuntimeError("the database is away")
    reads = SharedReads(table.read, max_keys=10)
    results = await asyncio.gather(reads.fetch_one("a"), reads.fetch_one("b"), return_exceptions=True)
    assert results == [table.error, table.error]
    table.error, table.values = None, {"a": 1}
    assert await reads.fetch_one("a") == 1


async def test_a_caller_that_goes_away_takes_nothing_from_the_others() -> None:
    table = Table()
    table.values = {"a": 1, "b": 2}
    reads = SharedReads(table.read, max_keys=10)
    gone, stays = asyncio.create_task(reads.fetch_one("a")), asyncio.create_task(reads.fetch_one("b"))
    await settle()
    gone.cancel()
    table.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await stays == 2
