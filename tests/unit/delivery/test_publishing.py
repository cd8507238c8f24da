"""Publishing a batch: after its commit, while the next batch is in flight, in order, and without leaving references."""

import asyncio
import gc
from datetime import timedelta

import pytest

from chat_mvp.delivery.batch import Batch
from tests.unit.delivery.conftest import Answer, Harness

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON_S = 0.2


async def one_behind_the_other(harness: Harness, *trouble: str) -> tuple[Answer, Answer]:
    """Have two batches: the first may commit now, the second meets ``trouble`` and waits for the gate."""
    (message,) = await harness.stored()
    await harness.write(message.conversation_id, "known").message()
    harness.commit.failures.extend(("slow", *trouble))
    first = harness.write(message.conversation_id, "first of two")
    await harness.commit.held_up.wait()
    second = harness.write(message.conversation_id, "second of two")
    harness.commit.held_up.clear()
    harness.commit.gate.set()
    harness.commit.gate.clear()
    return first, second


async def test_a_batch_is_published_while_the_next_one_commits(harness: Harness) -> None:
    first, second = await one_behind_the_other(harness, "slow")
    await harness.commit.held_up.wait()
    assert (await first.message())[0].text == "first of two"
    assert not second.came
    settled = asyncio.create_task(harness.writer.settled())
    await asyncio.sleep(SOON_S)
    assert not settled.done(), "what is being stored can be seen before it is told"
    harness.commit.gate.set()
    assert (await second.message())[0].text == "second of two"
    await settled


async def test_an_outage_of_the_database_does_not_delay_what_is_stored(harness: Harness) -> None:
    stored, waiting = await one_behind_the_other(harness, "unreachable")
    assert (await stored.message())[0].text == "first of two"
    assert not waiting.came
    harness.commit.gate.set()
    await waiting.message()


async def test_published_batches_leave_no_work_for_the_garbage_collector(harness: Harness) -> None:
    (message,) = await harness.stored()
    gc.collect()
    gc.disable()
    try:
        for number in range(5):
            await harness.write(message.conversation_id, f"message {number}").message()
        await asyncio.sleep(SOON_S)
        # The writer may hold the last one for a moment. Not isinstance: it asks proxies, whose objects may be gone.
        assert sum(type(thing) is Batch for thing in gc.get_objects()) <= 1
    finally:
        gc.enable()


async def test_time_does_not_go_back_when_the_clock_does(harness: Harness) -> None:
    (message,) = await harness.stored()
    before = (await harness.write(message.conversation_id, "before").message())[0]
    harness.clock_is_off_by = timedelta(hours=-1)
    after = (await harness.write(message.conversation_id, "after").message())[0]
    assert after.created_at >= before.created_at
