"""Planning the next batch while one commits: a plan that depends on a failed batch is dropped."""

import asyncio

import pytest

from chat_mvp.delivery.batch import MAX_BATCH_OPERATIONS
from tests.unit.delivery.conftest import Harness

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def opened(harness: Harness) -> str:
    """Return the conversation of the two, which the writer knows from now on."""
    (message,) = await harness.stored()
    await harness.write(message.conversation_id, "known").message()
    return message.conversation_id


async def held_up(harness: Harness, *trouble: str) -> None:
    """Begin a commit that waits for the gate, and come back when the next batch can be planned."""
    harness.commit.failures.extend(("slow", *trouble))
    harness.commit.held_up.clear()
    harness.commit.gate.clear()


async def test_what_arrives_during_a_commit_is_planned_and_stored_next(harness: Harness) -> None:
    room = await opened(harness)
    await held_up(harness)
    first = harness.write(room, "first of two")
    await harness.commit.held_up.wait()
    await asyncio.sleep(0)
    later = [harness.write(room, f"later {number}") for number in range(5)]
    batches = harness.writer.batches
    harness.commit.gate.set()
    seqs = [(await answer.message())[0].seq for answer in (first, *later)]
    assert seqs == list(range(3, 9))
    assert harness.writer.batches == batches + 2
    assert [message.text for message in await harness.stored()][-6:] == [
        "first of two",
        *(f"later {n}" for n in range(5)),
    ]


@pytest.mark.parametrize("trouble", ["transient", "lost", "dropped", "broken"])
async def test_trouble_of_the_batch_below_costs_neither_order_nor_messages(harness: Harness, trouble: str) -> None:
    room = await opened(harness)
    await held_up(harness)
    lowest = harness.write(room, "lowest")
    await harness.commit.held_up.wait()
    await asyncio.sleep(0)
    harness.commit.failures.append(trouble)
    middle = [harness.write(room, f"middle {number}") for number in range(3)]
    harness.commit.gate.set()
    await lowest.message()
    above = [harness.write(room, f"above {number}") for number in range(3)]
    for answer in (*middle, *above):
        await answer.message()
    texts = [message.text for message in await harness.stored()]
    assert texts[2:] == ["lowest", *(f"middle {n}" for n in range(3)), *(f"above {n}" for n in range(3))]


async def test_repetition_planned_ahead_is_answered_with_the_first(harness: Harness) -> None:
    room = await opened(harness)
    await held_up(harness)
    first = harness.write(room, "same")
    await harness.commit.held_up.wait()
    await asyncio.sleep(0)
    again, other = harness.write(room, "same"), harness.write(room, "other")
    harness.commit.gate.set()
    stored, repeated = (await first.message())[0], await again.message()
    assert repeated == (stored, True)
    assert (await other.message())[0].seq == stored.seq + 1
    await harness.stored()


async def test_more_than_one_batch_of_waiting_stays_in_order(harness: Harness) -> None:
    room = await opened(harness)
    await held_up(harness)
    harness.write(room, "before")
    await harness.commit.held_up.wait()
    await asyncio.sleep(0)
    count = 2 * MAX_BATCH_OPERATIONS + 7
    answers = [harness.write(room, f"many {number}") for number in range(count)]
    assert harness.writer.waiting == count
    harness.commit.gate.set()
    seqs = [(await answer.message())[0].seq for answer in answers]
    assert seqs == list(range(seqs[0], seqs[0] + count))


async def test_what_needs_looking_up_waits_and_so_does_what_follows(harness: Harness) -> None:
    room = await opened(harness)
    await held_up(harness)
    message = (await harness.stored())[0]
    lowest = harness.write(room, "lowest")
    await harness.commit.held_up.wait()
    await asyncio.sleep(0)
    ahead = harness.write(room, "ahead")
    edit = harness.edit(message.id, "edited")
    behind = harness.write(room, "behind")
    harness.commit.gate.set()
    revs = [(await answer.message())[0].rev for answer in (lowest, ahead, edit, behind)]
    assert revs == sorted(revs)
    assert len(set(revs)) == len(revs)
