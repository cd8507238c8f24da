"""When what is stored is told: after its commit, while the next batch is under way, in order, and then forgotten."""

import asyncio
import gc
from datetime import timedelta

import pytest

from chat_mvp.delivery.batch import Batch
from tests.unit.delivery.conftest import Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON_S = 0.2


async def test_a_batch_is_told_while_the_next_one_commits(desk: Desk) -> None:
    (message,) = await desk.stored()
    await desk.write(message.conversation_id, "known").message()
    desk.commit.trouble.extend(("slow", "slow"))
    first = desk.write(message.conversation_id, "the one")
    await desk.commit.held_up.wait()
    second = desk.write(message.conversation_id, "the other")
    desk.commit.held_up.clear()
    # Let the first go on, and stop the second at the same place.
    desk.commit.gate.set()
    desk.commit.gate.clear()
    await desk.commit.held_up.wait()
    assert (await first.message())[0].text == "the one"
    assert not second.came
    settled = asyncio.create_task(desk.writer.settled())
    await asyncio.sleep(SOON_S)
    assert not settled.done(), "what is being stored can be seen before it is told"
    desk.commit.gate.set()
    assert (await second.message())[0].text == "the other"
    await settled


async def test_a_database_that_went_away_keeps_nobody_from_what_is_stored(desk: Desk) -> None:
    (message,) = await desk.stored()
    await desk.write(message.conversation_id, "known").message()
    desk.commit.trouble.extend(("slow", "unreachable"))
    stored = desk.write(message.conversation_id, "stored")
    await desk.commit.held_up.wait()
    waiting = desk.write(message.conversation_id, "waiting")
    desk.commit.gate.set()
    desk.commit.gate.clear()
    assert (await stored.message())[0].text == "stored"
    assert not waiting.came
    desk.commit.gate.set()
    await waiting.message()


async def test_what_was_told_leaves_no_work_for_the_garbage_collector(desk: Desk) -> None:
    (message,) = await desk.stored()
    gc.collect()
    gc.disable()
    try:
        for number in range(5):
            await desk.write(message.conversation_id, f"message {number}").message()
        await asyncio.sleep(SOON_S)
        # The writer may hold the last one for a moment.
        assert sum(isinstance(thing, Batch) for thing in gc.get_objects()) <= 1
    finally:
        gc.enable()


async def test_time_does_not_go_back_when_the_clock_does(desk: Desk) -> None:
    (message,) = await desk.stored()
    before = (await desk.write(message.conversation_id, "before").message())[0]
    desk.clock_is_off_by = timedelta(hours=-1)
    after = (await desk.write(message.conversation_id, "after").message())[0]
    assert after.created_at >= before.created_at
