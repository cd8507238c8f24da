"""Attempts are counted together, in the background."""

import asyncio
from collections.abc import Iterable

from chat_mvp.delivery.attempts import Attempts
from chat_mvp.errors import UnavailableError
from chat_mvp.storage.queue import Attempt, Queue


class Counted(Queue):
    """A queue that only remembers what was counted."""

    def __init__(self) -> None:
        self.calls: list[list[Attempt]] = []
        self.fails = False

    async def count_attempts(self, attempts: Iterable[Attempt]) -> None:
        self.calls.append(list(attempts))
        await asyncio.sleep(0)
        if self.fails:
            raise UnavailableError("The database cannot answer now.")


def some(count: int) -> list[Attempt]:
    return [Attempt("0" * 24, "1" * 24, seq) for seq in range(count)]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_attempts_of_several_users_are_counted_together() -> None:
    queue = Counted()
    attempts = Attempts(queue)
    attempts.add(some(2))
    attempts.add(some(3))
    await settle()
    assert [len(call) for call in queue.calls] == [5]
    attempts.add([])
    attempts.add(some(1_100))
    await settle()
    assert [len(call) for call in queue.calls[1:]] == [500, 500, 100]


async def test_a_failure_does_not_stop_later_counts() -> None:
    queue = Counted()
    attempts = Attempts(queue)
    queue.fails = True
    attempts.add(some(1))
    await settle()
    queue.fails = False
    attempts.add(some(1))
    await settle()
    assert len(queue.calls) == 2


async def test_nothing_is_counted_after_the_end() -> None:
    queue = Counted()
    attempts = Attempts(queue)
    attempts.add(some(600))
    attempts.close()
    await settle()
    assert queue.calls == []
