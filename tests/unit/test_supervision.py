"""Background tasks start again when they fail, and readiness says which one did."""

import asyncio

from chat_mvp.supervision import REPORT_FOR_S, Supervisor, cancel


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_task_that_fails_starts_again_and_is_named_for_a_minute() -> None:
    clock, runs = Clock(), []

    async def work() -> None:
        runs.append(len(runs))
        if len(runs) < 3:
            raise RuntimeError("a fault")

    supervisor = Supervisor(restart_after_s=0.0, clock=clock)
    await supervisor.run("worker", work)
    assert runs == [0, 1, 2]
    assert supervisor.restarts == 2
    assert supervisor.problem() == "A background task failed and was started again: worker."
    clock.now = REPORT_FOR_S
    assert supervisor.problem() is None


async def test_a_task_that_swallows_cancellations_ends_too() -> None:
    swallowed = 0

    async def work() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                # As the database driver does while it receives an answer.
                swallowed += 1
                if swallowed == 3:
                    raise

    tasks = [asyncio.create_task(work()), asyncio.create_task(asyncio.sleep(60))]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await cancel(tasks)
    assert [task.cancelled() for task in tasks] == [True, True]
    await cancel(tasks)


async def test_a_task_that_is_cancelled_ends() -> None:
    supervisor = Supervisor(restart_after_s=0.0)
    task = supervisor.run("sleeper", lambda: asyncio.sleep(60))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert supervisor.problem() is None
