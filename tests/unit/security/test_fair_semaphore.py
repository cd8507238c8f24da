"""Who is served next, and who is refused when too many wait."""

import asyncio
import random

import pytest

from chat_mvp.errors import UnavailableError
from chat_mvp.security.fair_semaphore import FairSemaphore


class Work:
    """Callers that wait for the semaphore; ``served`` names them in the order in which they got one."""

    def __init__(self, *, at_once: int = 1, at_once_each: int = 1, max_waiting: int = 10) -> None:
        self.semaphore = FairSemaphore(
            at_once=at_once, at_once_each=at_once_each, max_waiting=max_waiting, busy="Too busy.", retry_after_ms=500
        )
        self.served: list[str] = []
        self.refused: list[str] = []

    async def come(self, name: str, key: str, rank: int = 0) -> asyncio.Task[None]:
        async def wait() -> None:
            try:
                await self.semaphore.acquire(key, rank)
                self.served.append(name)
            except UnavailableError:
                self.refused.append(name)

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return task

    async def end(self, key: str) -> None:
        self.semaphore.release(key)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_each_key_in_turn_however_many_of_one_wait() -> None:
    work = Work()
    await work.come("first", "flood")
    for number in range(5):
        await work.come(f"flood {number}", "flood")
    await work.come("ann", "ann")
    await work.come("bob", "bob")
    for key in ("flood", "flood", "ann", "bob", "flood"):
        await work.end(key)
    assert work.served == ["first", "flood 0", "ann", "bob", "flood 1", "flood 2"]


async def test_a_higher_rank_first_and_the_lowest_not_never() -> None:
    work = Work(max_waiting=100)
    await work.come("working", "ann")
    for number in range(20):
        await work.come(f"low {number}", f"low {number}", rank=2)
        await work.come(f"high {number}", f"high {number}", rank=0)
    holder = "ann"
    for _ in range(8):
        await work.end(holder)
        holder = work.served[-1]
    assert work.served[1:] == ["high 0", "high 1", "high 2", "low 0", "high 3", "high 4", "high 5", "low 1"]


async def test_one_key_works_only_so_many_at_once() -> None:
    work = Work(at_once=3, at_once_each=2)
    for number in range(4):
        await work.come(f"ann {number}", "ann")
    assert work.served == ["ann 0", "ann 1"]
    await work.come("bob", "bob")
    assert work.served[-1] == "bob"
    await work.end("bob")
    assert work.served == ["ann 0", "ann 1", "bob"]
    await work.end("ann")
    assert work.served[-1] == "ann 2"


async def test_a_newcomer_displaces_the_key_that_waits_most() -> None:
    work = Work(max_waiting=4)
    await work.come("working", "flood")
    for number in range(6):
        await work.come(f"flood {number}", "flood")
    assert work.refused == ["flood 4", "flood 5"]
    await work.come("ann", "ann")
    assert work.refused == ["flood 4", "flood 5", "flood 3"]
    assert work.semaphore.waiting == 4
    assert [work.semaphore.waiting_of(key) for key in ("flood", "ann", "bob")] == [3, 1, 0]


async def test_a_newcomer_displaces_a_lower_rank_and_is_refused_otherwise() -> None:
    work = Work(max_waiting=2)
    await work.come("working", "x")
    await work.come("low", "low", rank=1)
    await work.come("other", "other", rank=1)
    await work.come("late", "late", rank=1)
    assert work.refused == ["late"]
    await work.come("high", "high", rank=0)
    assert len(work.refused) == 2
    await work.end("x")
    assert work.served == ["working", "high"]


async def test_one_that_goes_away_takes_no_turn() -> None:
    work = Work()
    await work.come("working", "ann")
    waiting = await work.come("gone", "bob")
    await work.come("eve", "eve")
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert work.semaphore.waiting == 1
    await work.end("ann")
    assert work.served == ["working", "eve"]


async def test_one_that_goes_away_just_as_its_turn_comes_hands_it_on() -> None:
    work = Work()
    await work.come("working", "ann")
    waiting = await work.come("gone", "bob")
    await work.come("eve", "eve")
    work.semaphore.release("ann")
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.sleep(0)
    assert work.served == ["working", "eve"]


async def test_a_block_ends_its_turn_also_when_it_fails() -> None:
    work = Work()
    with pytest.raises(ZeroDivisionError):
        async with work.semaphore.hold("ann"):
            raise ZeroDivisionError
    async with asyncio.timeout(1), work.semaphore.hold("ann"):
        pass


@pytest.mark.parametrize("seed", range(200))
async def test_no_permit_is_lost_whatever_is_cancelled_released_and_displaced_at_once(seed: int) -> None:
    """Actions share iterations of the event loop, so that a caller is cancelled just as it is served or displaced."""
    chance = random.Random(seed)
    semaphore = FairSemaphore(at_once=3, at_once_each=2, max_waiting=4, busy="Too busy.", retry_after_ms=500)
    working: list[str] = []
    most = 0

    async def work(key: str, rank: int, end: asyncio.Event) -> None:
        nonlocal most
        async with semaphore.hold(key, rank):
            working.append(key)
            most = max(most, len(working))
            try:
                await end.wait()
            finally:
                working.remove(key)

    callers: list[tuple[asyncio.Task[None], asyncio.Event]] = []
    for _ in range(60):
        action = chance.random()
        if action < 0.5 or not callers:
            end = asyncio.Event()
            callers.append((asyncio.create_task(work(chance.choice("abc"), chance.randrange(3), end)), end))
        else:
            task, end = chance.choice(callers)
            if action < 0.75:
                task.cancel()
            else:
                end.set()
        if chance.random() < 0.4:
            await asyncio.sleep(0)

    for _, end in callers:
        end.set()
    outcomes = await asyncio.gather(*(task for task, _ in callers), return_exceptions=True)

    unexpected = [
        outcome
        for outcome in outcomes
        if outcome is not None and not isinstance(outcome, UnavailableError | asyncio.CancelledError)
    ]
    assert not unexpected
    assert most <= 3
    assert semaphore.waiting == 0
    for key in "aab":
        await asyncio.wait_for(semaphore.acquire(key), 1)
