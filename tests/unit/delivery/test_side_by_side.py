"""Two batches in flight at once: only if they have no document in common, and whatever happens to one of them."""

import asyncio
from typing import NamedTuple

import pytest
from bson import ObjectId

from chat_mvp.delivery.receipts import INTERVAL_S
from chat_mvp.features.messages.operations import RaiseMarks
from chat_mvp.features.messages.sync import AskMoment
from chat_mvp.protocol import MessageNew, Receipt
from chat_mvp.storage.ids import new_id
from chat_mvp.times import format_time
from tests.support.waiting import eventually
from tests.unit.delivery.conftest import Answer, FutureAnswer, Harness

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON_S = 0.2


class Room(NamedTuple):
    """A conversation that the writer knows, and the two in it."""

    id: str
    people: list[str]

    def write(self, harness: Harness, text: str) -> Answer:
        return harness.write(self.id, text, by=self.people[0])


async def room(harness: Harness) -> Room:
    """Make another conversation, of two others."""
    before, harness.people = harness.people, [new_id(), new_id()]
    made = Room((await harness.send("first").message())[0].conversation_id, harness.people)
    harness.people = before
    await made.write(harness, "second").message()
    return made


async def texts(harness: Harness, where: Room) -> list[str]:
    """Return what is stored there, after checking that the counters agree."""
    messages = await harness.messages.fetch_oldest(where.id, after=0, limit=100)
    conversation = await harness.database.collections["conversations"].find_one({"_id": ObjectId(where.id)})
    assert conversation is not None
    assert [message.seq for message in messages] == list(range(1, conversation["last_seq"] + 1))
    assert conversation["rev"] == messages[-1].rev
    assert await harness.database.collections["message_queue"].count_documents(
        {"_id.conversation_id": ObjectId(where.id)}
    ) == len(messages)
    return [message.text for message in messages]


async def flushing(harness: Harness, where: Room, *, trouble: str = "flushing") -> Answer:
    """Send a message, and come back when nothing is left but to make it durable, which takes until the gate opens."""
    harness.commit.failures.append(trouble)
    harness.commit.held_up.clear()
    answer = where.write(harness, "flushing")
    await harness.commit.held_up.wait()
    return answer


async def test_another_conversation_does_not_wait_for_the_disk(harness: Harness) -> None:
    one, other = await room(harness), await room(harness)
    harness.published.clear()
    slow = await flushing(harness, one)
    quick, _ = await other.write(harness, "quick").message()
    assert not slow.came
    assert [publication.conversation_id for publication in harness.published_frames(MessageNew)] == [other.id]
    harness.commit.gate.set()
    stored, _ = await slow.message()
    assert (quick.seq, stored.seq) == (3, 3)
    assert stored.created_at <= quick.created_at
    assert await texts(harness, one) == ["hello", "second", "flushing"]
    assert await texts(harness, other) == ["hello", "second", "quick"]


async def test_the_same_conversation_waits(harness: Harness) -> None:
    one = await room(harness)
    slow = await flushing(harness, one)
    behind = one.write(harness, "behind")
    await asyncio.sleep(SOON_S)
    assert not behind.came
    harness.commit.gate.set()
    assert ((await slow.message())[0].seq, (await behind.message())[0].seq) == (3, 4)


async def test_no_third_batch_before_the_first_is_published(harness: Harness) -> None:
    one, other, third = await room(harness), await room(harness), await room(harness)
    slow = [await flushing(harness, one)]
    slow.append(await flushing(harness, other))
    last = third.write(harness, "third")
    await asyncio.sleep(SOON_S)
    assert not last.came
    harness.commit.gate.set()
    assert [(await answer.message())[0].seq for answer in (*slow, last)] == [3, 3, 3]


async def test_what_must_be_looked_up_goes_alone(harness: Harness) -> None:
    one, other = await room(harness), await room(harness)
    slow = await flushing(harness, one)
    before, harness.people = harness.people, other.people
    (message, *_) = await harness.messages.fetch_oldest(other.id, after=0, limit=1)
    edit = harness.edit(message.id, "edited")
    harness.people = before
    await asyncio.sleep(SOON_S)
    assert not edit.came
    harness.commit.gate.set()
    await slow.message()
    assert (await edit.message())[0].text == "edited"


@pytest.mark.parametrize("trouble", ["transient", "lost", "dropped", "broken"])
async def test_trouble_of_the_second_is_its_own(harness: Harness, trouble: str) -> None:
    one, other = await room(harness), await room(harness)
    slow = await flushing(harness, one)
    harness.commit.failures.append(trouble)
    answers = [other.write(harness, f"troubled {number}") for number in range(2)]
    assert [(await answer.message())[0].seq for answer in answers] == [3, 4]
    assert not slow.came
    harness.commit.gate.set()
    await slow.message()
    assert await texts(harness, other) == ["hello", "second", "troubled 0", "troubled 1"]
    assert (await one.write(harness, "after").message())[0].seq == 4


async def test_trouble_of_the_first_costs_the_second_nothing(harness: Harness) -> None:
    one, other = await room(harness), await room(harness)
    slow = await flushing(harness, one, trouble="flushing in vain")
    quick = await flushing(harness, other)
    behind = [one.write(harness, "behind one"), other.write(harness, "behind the other")]
    harness.commit.gate.set()
    assert [(await answer.message())[0].seq for answer in (slow, quick, *behind)] == [3, 3, 4, 4]
    assert await texts(harness, one) == ["hello", "second", "flushing", "behind one"]
    assert await texts(harness, other) == ["hello", "second", "flushing", "behind the other"]


async def test_unknown_outcomes_of_both_are_published_when_known(harness: Harness) -> None:
    one, other = await room(harness), await room(harness)
    harness.published.clear()
    slow = await flushing(harness, one, trouble="flushing into the unknown")
    harness.commit.failures.append("lost")
    harness.commit.away = True
    lost = other.write(harness, "lost")
    harness.commit.gate.set()
    assert {(await answer.error()).code for answer in (slow, lost)} == {"unavailable"}
    assert harness.published_frames(MessageNew) == []
    harness.commit.away = False
    async with asyncio.timeout(5):
        await harness.writer.settled()
    assert {publication.conversation_id for publication in harness.published_frames(MessageNew)} == {one.id, other.id}
    after = [(await where.write(harness, "after").message())[0].seq for where in (one, other)]
    assert after == [4, 4]


async def test_settled_waits_for_both(harness: Harness) -> None:
    one, other = await room(harness), await room(harness)
    slow = await flushing(harness, one)
    settled = asyncio.create_task(harness.writer.settled())
    await other.write(harness, "quick").message()
    await asyncio.sleep(SOON_S)
    assert not settled.done()
    harness.commit.gate.set()
    await settled
    assert slow.came


async def test_the_time_to_ask_from_comes_after_both(harness: Harness) -> None:
    one, other = await room(harness), await room(harness)
    slow = await flushing(harness, one)
    quick, _ = await other.write(harness, "quick").message()
    moment: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    harness.writer.submit(AskMoment(reply=FutureAnswer(moment, format_time)))
    await asyncio.sleep(SOON_S)
    assert not moment.done()
    harness.commit.gate.set()
    async with asyncio.timeout(5):
        asked = await moment
    assert slow.came
    assert (await slow.message())[0].created_at <= quick.created_at <= asked


async def test_no_one_can_acknowledge_what_is_not_stored_yet(harness: Harness) -> None:
    one = await room(harness)
    slow = await flushing(harness, one)
    confirm(harness, one, 1_000_000)
    assert await confirmed(harness, one) == 2
    harness.commit.gate.set()
    await slow.message()
    recipient = {"_id.recipient_id": ObjectId(one.people[1])}
    waiting = await harness.database.collections["message_queue"].find(recipient).to_list()
    assert [entry["_id"]["seq"] for entry in waiting] == [3]


async def test_marks_do_not_fall_back_when_the_batch_beside_them_fails(harness: Harness) -> None:
    one = await room(harness)
    slow = await flushing(harness, one, trouble="flushing in vain")
    harness.commit.failures.append("flushing longer")
    harness.commit.held_up.clear()
    confirm(harness, one, 2)
    await harness.commit.held_up.wait()
    harness.commit.gate.set()
    # By now the conversation was read again, when the mark was not stored yet.
    await slow.message()
    harness.commit.later_gate.set()
    assert await confirmed(harness, one) == 2
    await harness.writer.settled()
    confirm(harness, one, 1)
    await one.write(harness, "after").message()
    await harness.writer.settled()
    await asyncio.sleep(SOON_S + INTERVAL_S)
    assert [publication.frame.delivered_seq for publication in harness.published_frames(Receipt)] == [2]


def confirm(harness: Harness, where: Room, seq: int) -> None:
    """Have the recipient confirm everything up to ``seq``."""
    harness.writer.submit(
        RaiseMarks(
            where.id,
            where.people[1],
            delivered=seq,
            read=0,
            is_hidden=lambda _: False,
            reply=Answer(),
        )
    )


async def confirmed(harness: Harness, where: Room) -> int:
    """Return up to where the recipient has confirmed, once that is stored."""
    memberships = harness.database.collections["memberships"]
    its = {"conversation_id": ObjectId(where.id), "user_id": ObjectId(where.people[1])}
    found = await eventually(lambda: memberships.find_one(its), lambda membership: membership["delivered_seq"])
    return int(found["delivered_seq"])
