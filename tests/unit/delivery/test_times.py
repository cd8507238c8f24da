"""Times of messages ascend in each conversation, whatever the clock does, also over a restart."""

from datetime import timedelta

import pytest

from chat_mvp.clock import Clock
from chat_mvp.storage.client import Database
from chat_mvp.supervision import Supervisor
from chat_mvp.times import utc_now
from tests.unit.delivery.conftest import Harness, clear

HOUR = timedelta(hours=1)


async def restarted(database: Database, before: Harness, *, clock_is_off_by: timedelta) -> Harness:
    """Return the same two people at another server."""
    await before.writer.stop()
    harness = Harness(database)
    harness.clock_is_off_by, harness.people = clock_is_off_by, before.people
    harness.writer.start(Supervisor())
    return harness


@pytest.mark.asyncio(loop_scope="module")
async def test_times_ascend_across_a_restart_with_a_clock_that_was_set_back(database: Database) -> None:
    await clear(database)
    ahead = Harness(database)
    ahead.clock_is_off_by = HOUR
    ahead.writer.start(Supervisor())
    for number in range(3):
        await ahead.send(f"ahead {number}").message()
    right = await restarted(database, ahead, clock_is_off_by=timedelta())
    answers = [right.send(f"right {number}") for number in range(20)]
    for answer in answers:
        await answer.message()
    times = [message.created_at for message in await right.stored()]
    assert times == sorted(times)
    assert len(set(times[3:])) == 20, "no two are dated alike while the old times lie ahead"
    # The conversation alone: another one is dated right.
    right.people = Harness(database).people
    message, _ = await right.send("elsewhere").message()
    assert message.created_at < times[0]
    await right.writer.stop()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
async def test_a_clock_that_jumps_dates_nothing_alike_or_backwards(database: Database, jump: timedelta) -> None:
    await clear(database)
    uptime_s = 0.0
    clock = Clock(utc_now(), elapsed=lambda: uptime_s)
    harness = Harness(database, clock=clock)
    harness.writer.start(Supervisor())
    began = clock()
    for number in range(20):
        if number == 5:
            clock.follow(clock() + jump)
        uptime_s += 1
        await harness.send(f"message {number}").message()
    times = [message.created_at for message in await harness.stored()]
    assert times == sorted(set(times))
    assert timedelta(seconds=17) < clock() - began < timedelta(seconds=23)
    await harness.writer.stop()
