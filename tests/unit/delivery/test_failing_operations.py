"""An operation that fails alone: it is answered, the others of its batch are stored, and no partial change remains."""

import asyncio
from typing import Any

import pytest
from bson import ObjectId

from chat_mvp.delivery.batch import MAX_BATCH_BYTES, Batch
from chat_mvp.errors import ChatError, ForbiddenError, InternalError
from chat_mvp.features.messages.operations import RaiseMarks
from tests.unit.delivery.conftest import Answer, Desk, FutureAnswer

pytestmark = pytest.mark.asyncio(loop_scope="module")


class HalfDone(RaiseMarks):
    """Raises a mark and then fails."""

    error: type[Exception] = RuntimeError

    def apply(self, batch: Batch) -> None:
        super().apply(batch)
        raise self.error("a fault in the middle")


class RefusesTooLate(HalfDone):
    """Raises a mark and then refuses, though a refusal must leave everything as it was."""

    error = ForbiddenError


def half_done(desk: Desk, conversation_id: str, kind: type[HalfDone] = HalfDone) -> asyncio.Future[Any]:
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    desk.writer.submit(
        kind(
            conversation_id,
            desk.people[1],
            delivered=1,
            read=1,
            is_hidden=lambda _: False,
            reply=FutureAnswer(answer),
        )
    )
    return answer


async def delivered(desk: Desk, conversation_id: str) -> int:
    its = {"conversation_id": ObjectId(conversation_id), "user_id": ObjectId(desk.people[1])}
    found = await desk.database.collections["memberships"].find_one(its)
    assert found is not None
    return int(found["delivered_seq"])


async def a_room(desk: Desk) -> str:
    (message,) = await desk.stored()
    await desk.write(message.conversation_id, "known").message()
    return message.conversation_id


async def check(
    desk: Desk,
    room: str,
    failed: asyncio.Future[Any],
    *neighbours: Answer,
    error: type[ChatError] = InternalError,
) -> None:
    async with asyncio.timeout(5):
        with pytest.raises(error):
            await failed
    seqs = [(await answer.message())[0].seq for answer in neighbours]
    assert seqs == sorted(seqs)
    assert await delivered(desk, room) == 0
    # The mark that was raised in memory is forgotten, too: confirming again is not taken for a repetition.
    confirmed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    desk.writer.submit(
        RaiseMarks(
            room,
            desk.people[1],
            delivered=1,
            read=0,
            is_hidden=lambda _: False,
            reply=FutureAnswer(confirmed),
        )
    )
    await desk.write(room, "behind").message()
    assert await delivered(desk, room) == 1


async def test_alone(desk: Desk) -> None:
    room = await a_room(desk)
    await check(desk, room, half_done(desk, room))


async def test_a_refusal_that_comes_too_late(desk: Desk) -> None:
    room = await a_room(desk)
    await check(desk, room, half_done(desk, room, RefusesTooLate), error=ForbiddenError)


async def test_planned_ahead_between_others(desk: Desk) -> None:
    room = await a_room(desk)
    desk.commit.trouble.append("slow")
    first = desk.write(room, "held up")
    await desk.commit.held_up.wait()
    before = desk.write(room, "before")
    failed = half_done(desk, room)
    after = desk.write(room, "after")
    desk.commit.gate.set()
    await check(desk, room, failed, first, before, after)


async def test_among_operations_that_must_be_looked_up(desk: Desk) -> None:
    room = await a_room(desk)
    desk.commit.trouble.append("slow")
    first = desk.write(room, "held up")
    await desk.commit.held_up.wait()
    before = desk.send("by the pair's name")
    failed = half_done(desk, room)
    after = desk.write(room, "after")
    desk.commit.gate.set()
    await check(desk, room, failed, first, before, after)


async def test_a_batch_that_becomes_too_large_is_stored_in_parts_and_in_order(desk: Desk) -> None:
    room = await a_room(desk)
    desk.commit.trouble.append("slow")
    answers = [desk.write(room, "held up")]
    await desk.commit.held_up.wait()
    text = "x" * 9_000
    answers += [desk.send(f"long {number}", text) for number in range(2 * MAX_BATCH_BYTES // len(text))]
    batches = desk.writer.batches
    desk.commit.gate.set()
    seqs = [(await answer.message())[0].seq for answer in answers]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert desk.writer.batches - batches >= 3
