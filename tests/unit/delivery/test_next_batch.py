"""Planning the next batch while one commits: a plan that depends on a failed batch is dropped."""

import asyncio

import pytest

from chat_mvp.delivery.batch import MAX_BATCH_OPERATIONS
from tests.unit.delivery.conftest import Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def opened(desk: Desk) -> str:
    """Return the conversation of the two, which the writer knows from now on."""
    (message,) = await desk.stored()
    await desk.write(message.conversation_id, "known").message()
    return message.conversation_id


async def held_up(desk: Desk, *trouble: str) -> None:
    """Begin a commit that waits for the gate, and come back when the next batch can be planned."""
    desk.commit.trouble.extend(("slow", *trouble))
    desk.commit.held_up.clear()
    desk.commit.gate.clear()


async def test_what_arrives_during_a_commit_is_planned_and_stored_next(desk: Desk) -> None:
    room = await opened(desk)
    await held_up(desk)
    first = desk.write(room, "first of two")
    await desk.commit.held_up.wait()
    await asyncio.sleep(0)
    later = [desk.write(room, f"later {number}") for number in range(5)]
    batches = desk.writer.batches
    desk.commit.gate.set()
    seqs = [(await answer.message())[0].seq for answer in (first, *later)]
    assert seqs == list(range(3, 9))
    assert desk.writer.batches == batches + 2
    assert [message.text for message in await desk.stored()][-6:] == ["first of two", *(f"later {n}" for n in range(5))]


@pytest.mark.parametrize("trouble", ["transient", "lost", "dropped", "broken"])
async def test_trouble_of_the_batch_below_costs_neither_order_nor_messages(desk: Desk, trouble: str) -> None:
    room = await opened(desk)
    await held_up(desk)
    lowest = desk.write(room, "lowest")
    await desk.commit.held_up.wait()
    await asyncio.sleep(0)
    desk.commit.trouble.append(trouble)
    middle = [desk.write(room, f"middle {number}") for number in range(3)]
    desk.commit.gate.set()
    await lowest.message()
    above = [desk.write(room, f"above {number}") for number in range(3)]
    for answer in (*middle, *above):
        await answer.message()
    texts = [message.text for message in await desk.stored()]
    assert texts[2:] == ["lowest", *(f"middle {n}" for n in range(3)), *(f"above {n}" for n in range(3))]


async def test_repetition_planned_ahead_is_answered_with_the_first(desk: Desk) -> None:
    room = await opened(desk)
    await held_up(desk)
    first = desk.write(room, "same")
    await desk.commit.held_up.wait()
    await asyncio.sleep(0)
    again, other = desk.write(room, "same"), desk.write(room, "other")
    desk.commit.gate.set()
    stored, repeated = (await first.message())[0], await again.message()
    assert repeated == (stored, True)
    assert (await other.message())[0].seq == stored.seq + 1
    await desk.stored()


async def test_more_than_one_batch_of_waiting_stays_in_order(desk: Desk) -> None:
    room = await opened(desk)
    await held_up(desk)
    desk.write(room, "before")
    await desk.commit.held_up.wait()
    await asyncio.sleep(0)
    count = 2 * MAX_BATCH_OPERATIONS + 7
    answers = [desk.write(room, f"many {number}") for number in range(count)]
    assert desk.writer.waiting == count
    desk.commit.gate.set()
    seqs = [(await answer.message())[0].seq for answer in answers]
    assert seqs == list(range(seqs[0], seqs[0] + count))


async def test_what_needs_looking_up_waits_and_so_does_what_follows(desk: Desk) -> None:
    room = await opened(desk)
    await held_up(desk)
    message = (await desk.stored())[0]
    lowest = desk.write(room, "lowest")
    await desk.commit.held_up.wait()
    await asyncio.sleep(0)
    ahead = desk.write(room, "ahead")
    edit = desk.edit(message.id, "edited")
    behind = desk.write(room, "behind")
    desk.commit.gate.set()
    revs = [(await answer.message())[0].rev for answer in (lowest, ahead, edit, behind)]
    assert revs == sorted(revs)
    assert len(set(revs)) == len(revs)
