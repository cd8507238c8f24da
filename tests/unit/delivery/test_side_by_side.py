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
from tests.unit.delivery.conftest import Answer, Desk, FutureAnswer

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON_S = 0.2


class Room(NamedTuple):
    """A conversation that the writer knows, and the two in it."""

    id: str
    people: list[str]

    def write(self, desk: Desk, text: str) -> Answer:
        return desk.write(self.id, text, by=self.people[0])


async def room(desk: Desk) -> Room:
    """Make another conversation, of two others."""
    before, desk.people = desk.people, [new_id(), new_id()]
    made = Room((await desk.send("first").message())[0].conversation_id, desk.people)
    desk.people = before
    await made.write(desk, "second").message()
    return made


async def texts(desk: Desk, where: Room) -> list[str]:
    """Return what is stored there, after checking that the counters agree."""
    messages = await desk.messages.fetch_oldest(where.id, after=0, limit=100)
    conversation = await desk.database.collections["conversations"].find_one({"_id": ObjectId(where.id)})
    assert conversation is not None
    assert [message.seq for message in messages] == list(range(1, conversation["last_seq"] + 1))
    assert conversation["rev"] == messages[-1].rev
    assert await desk.database.collections["message_queue"].count_documents(
        {"_id.conversation_id": ObjectId(where.id)}
    ) == len(messages)
    return [message.text for message in messages]


async def flushing(desk: Desk, where: Room, *, trouble: str = "flushing") -> Answer:
    """Send a message, and come back when nothing is left but to make it durable, which takes until the gate opens."""
    desk.commit.trouble.append(trouble)
    desk.commit.held_up.clear()
    answer = where.write(desk, "flushing")
    await desk.commit.held_up.wait()
    return answer


async def test_another_conversation_does_not_wait_for_the_disk(desk: Desk) -> None:
    one, other = await room(desk), await room(desk)
    desk.told.clear()
    slow = await flushing(desk, one)
    quick, _ = await other.write(desk, "quick").message()
    assert not slow.came
    assert [publication.conversation_id for publication in desk.told_of(MessageNew)] == [other.id]
    desk.commit.gate.set()
    stored, _ = await slow.message()
    assert (quick.seq, stored.seq) == (3, 3)
    assert stored.created_at <= quick.created_at
    assert await texts(desk, one) == ["hello", "second", "flushing"]
    assert await texts(desk, other) == ["hello", "second", "quick"]


async def test_the_same_conversation_waits(desk: Desk) -> None:
    one = await room(desk)
    slow = await flushing(desk, one)
    behind = one.write(desk, "behind")
    await asyncio.sleep(SOON_S)
    assert not behind.came
    desk.commit.gate.set()
    assert ((await slow.message())[0].seq, (await behind.message())[0].seq) == (3, 4)


async def test_no_third_batch_before_the_first_is_published(desk: Desk) -> None:
    one, other, third = await room(desk), await room(desk), await room(desk)
    slow = [await flushing(desk, one)]
    slow.append(await flushing(desk, other))
    last = third.write(desk, "third")
    await asyncio.sleep(SOON_S)
    assert not last.came
    desk.commit.gate.set()
    assert [(await answer.message())[0].seq for answer in (*slow, last)] == [3, 3, 3]


async def test_what_must_be_looked_up_goes_alone(desk: Desk) -> None:
    one, other = await room(desk), await room(desk)
    slow = await flushing(desk, one)
    before, desk.people = desk.people, other.people
    (message, *_) = await desk.messages.fetch_oldest(other.id, after=0, limit=1)
    edit = desk.edit(message.id, "edited")
    desk.people = before
    await asyncio.sleep(SOON_S)
    assert not edit.came
    desk.commit.gate.set()
    await slow.message()
    assert (await edit.message())[0].text == "edited"


@pytest.mark.parametrize("trouble", ["transient", "lost", "dropped", "broken"])
async def test_trouble_of_the_second_is_its_own(desk: Desk, trouble: str) -> None:
    one, other = await room(desk), await room(desk)
    slow = await flushing(desk, one)
    desk.commit.trouble.append(trouble)
    answers = [other.write(desk, f"troubled {number}") for number in range(2)]
    assert [(await answer.message())[0].seq for answer in answers] == [3, 4]
    assert not slow.came
    desk.commit.gate.set()
    await slow.message()
    assert await texts(desk, other) == ["hello", "second", "troubled 0", "troubled 1"]
    assert (await one.write(desk, "after").message())[0].seq == 4


async def test_trouble_of_the_first_costs_the_second_nothing(desk: Desk) -> None:
    one, other = await room(desk), await room(desk)
    slow = await flushing(desk, one, trouble="flushing in vain")
    quick = await flushing(desk, other)
    behind = [one.write(desk, "behind one"), other.write(desk, "behind the other")]
    desk.commit.gate.set()
    assert [(await answer.message())[0].seq for answer in (slow, quick, *behind)] == [3, 3, 4, 4]
    assert await texts(desk, one) == ["hello", "second", "flushing", "behind one"]
    assert await texts(desk, other) == ["hello", "second", "flushing", "behind the other"]


async def test_unknown_outcomes_of_both_are_published_when_known(desk: Desk) -> None:
    one, other = await room(desk), await room(desk)
    desk.told.clear()
    slow = await flushing(desk, one, trouble="flushing into the unknown")
    desk.commit.trouble.append("lost")
    desk.commit.away = True
    lost = other.write(desk, "lost")
    desk.commit.gate.set()
    assert {(await answer.error()).code for answer in (slow, lost)} == {"unavailable"}
    assert desk.told_of(MessageNew) == []
    desk.commit.away = False
    async with asyncio.timeout(5):
        await desk.writer.settled()
    assert {publication.conversation_id for publication in desk.told_of(MessageNew)} == {one.id, other.id}
    after = [(await where.write(desk, "after").message())[0].seq for where in (one, other)]
    assert after == [4, 4]


async def test_settled_waits_for_both(desk: Desk) -> None:
    one, other = await room(desk), await room(desk)
    slow = await flushing(desk, one)
    settled = asyncio.create_task(desk.writer.settled())
    await other.write(desk, "quick").message()
    await asyncio.sleep(SOON_S)
    assert not settled.done()
    desk.commit.gate.set()
    await settled
    assert slow.came


async def test_the_time_to_ask_from_comes_after_both(desk: Desk) -> None:
    one, other = await room(desk), await room(desk)
    slow = await flushing(desk, one)
    quick, _ = await other.write(desk, "quick").message()
    moment: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    desk.writer.submit(AskMoment(reply=FutureAnswer(moment, format_time)))
    await asyncio.sleep(SOON_S)
    assert not moment.done()
    desk.commit.gate.set()
    async with asyncio.timeout(5):
        asked = await moment
    assert slow.came
    assert (await slow.message())[0].created_at <= quick.created_at <= asked


async def test_no_one_can_acknowledge_what_is_not_stored_yet(desk: Desk) -> None:
    one = await room(desk)
    slow = await flushing(desk, one)
    confirm(desk, one, 1_000_000)
    assert await confirmed(desk, one) == 2
    desk.commit.gate.set()
    await slow.message()
    recipient = {"_id.recipient_id": ObjectId(one.people[1])}
    waiting = await desk.database.collections["message_queue"].find(recipient).to_list()
    assert [entry["_id"]["seq"] for entry in waiting] == [3]


async def test_marks_do_not_fall_back_when_the_batch_beside_them_fails(desk: Desk) -> None:
    one = await room(desk)
    slow = await flushing(desk, one, trouble="flushing in vain")
    desk.commit.trouble.append("flushing longer")
    desk.commit.held_up.clear()
    confirm(desk, one, 2)
    await desk.commit.held_up.wait()
    desk.commit.gate.set()
    # By now the conversation was read again, when the mark was not stored yet.
    await slow.message()
    desk.commit.later_gate.set()
    assert await confirmed(desk, one) == 2
    await desk.writer.settled()
    confirm(desk, one, 1)
    await one.write(desk, "after").message()
    await desk.writer.settled()
    await asyncio.sleep(SOON_S + INTERVAL_S)
    assert [publication.frame.delivered_seq for publication in desk.told_of(Receipt)] == [2]


def confirm(desk: Desk, where: Room, seq: int) -> None:
    """Have the recipient confirm everything up to ``seq``."""
    desk.writer.submit(
        RaiseMarks(
            where.id,
            where.people[1],
            delivered=seq,
            read=0,
            is_hidden=lambda _: False,
            reply=Answer(),
        )
    )


async def confirmed(desk: Desk, where: Room) -> int:
    """Return up to where the recipient has confirmed, once that is stored."""
    memberships = desk.database.collections["memberships"]
    its = {"conversation_id": ObjectId(where.id), "user_id": ObjectId(where.people[1])}
    found = await eventually(lambda: memberships.find_one(its), lambda membership: membership["delivered_seq"])
    return int(found["delivered_seq"])
