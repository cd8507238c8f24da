"""Publishing a batch: after its commit, while the next batch is in flight, in order, and without leaving references."""

import asyncio
import gc
from datetime import timedelta

import pytest

from chat_mvp.delivery.batch import Batch
from tests.unit.delivery.conftest import Answer, Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON_S = 0.2


async def one_behind_the_other(desk: Desk, *trouble: str) -> tuple[Answer, Answer]:
    """Have two batches: the first may commit now, the second meets ``trouble`` and waits for the gate."""
    (message,) = await desk.stored()
    await desk.write(message.conversation_id, "known").message()
    desk.commit.trouble.extend(("slow", *trouble))
    first = desk.write(message.conversation_id, "first of two")
    await desk.commit.held_up.wait()
    second = desk.write(message.conversation_id, "second of two")
    desk.commit.held_up.clear()
    desk.commit.gate.set()
    desk.commit.gate.clear()
    return first, second


async def test_a_batch_is_published_while_the_next_one_commits(desk: Desk) -> None:
    first, second = await one_behind_the_other(desk, "slow")
    await desk.commit.held_up.wait()
    assert (await first.message())[0].text == "first of two"
    assert not second.came
    settled = asyncio.create_task(desk.writer.settled())
    await asyncio.sleep(SOON_S)
    assert not settled.done(), "what is being stored can be seen before it is told"
    desk.commit.gate.set()
    assert (await second.message())[0].text == "second of two"
    await settled


async def test_an_outage_of_the_database_does_not_delay_what_is_stored(desk: Desk) -> None:
    stored, waiting = await one_behind_the_other(desk, "unreachable")
    assert (await stored.message())[0].text == "first of two"
    assert not waiting.came
    desk.commit.gate.set()
    await waiting.message()


async def test_published_batches_leave_no_work_for_the_garbage_collector(desk: Desk) -> None:
    (message,) = await desk.stored()
    gc.collect()
    gc.disable()
    try:
        for number in range(5):
            await desk.write(message.conversation_id, f"message {number}").message()
        await asyncio.sleep(SOON_S)
        # The writer may hold the last one for a moment. Not isinstance: it asks proxies, whose objects may be gone.
        assert sum(type(thing) is Batch for thing in gc.get_objects()) <= 1
    finally:
        gc.enable()


async def test_time_does_not_go_back_when_the_clock_does(desk: Desk) -> None:
    (message,) = await desk.stored()
    before = (await desk.write(message.conversation_id, "before").message())[0]
    desk.clock_is_off_by = timedelta(hours=-1)
    after = (await desk.write(message.conversation_id, "after").message())[0]
    assert after.created_at >= before.created_at
