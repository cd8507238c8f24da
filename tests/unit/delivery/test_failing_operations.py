"""An operation that fails alone: it is answered, the others of its batch are stored, and no partial change remains."""

import asyncio
from typing import Any

import pytest
from bson import ObjectId

from chat_mvp.delivery.batch import MAX_BATCH_BYTES, Batch
from chat_mvp.errors import ChatError, ForbiddenError, InternalError
from chat_mvp.features.messages.operations import RaiseMarks
from tests.unit.delivery.conftest import Answer, FutureAnswer, Harness

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


def half_done(harness: Harness, conversation_id: str, kind: type[HalfDone] = HalfDone) -> asyncio.Future[Any]:
    answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    harness.writer.submit(
        kind(
            conversation_id,
            harness.people[1],
            delivered=1,
            read=1,
            is_hidden=lambda _: False,
            reply=FutureAnswer(answer),
        )
    )
    return answer


async def delivered(harness: Harness, conversation_id: str) -> int:
    its = {"conversation_id": ObjectId(conversation_id), "user_id": ObjectId(harness.people[1])}
    found = await harness.database.collections["memberships"].find_one(its)
    assert found is not None
    return int(found["delivered_seq"])


async def a_room(harness: Harness) -> str:
    (message,) = await harness.stored()
    await harness.write(message.conversation_id, "known").message()
    return message.conversation_id


async def check(
    harness: Harness,
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
    assert await delivered(harness, room) == 0
    # The mark that was raised in memory is forgotten, too: confirming again is not taken for a repetition.
    confirmed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    harness.writer.submit(
        RaiseMarks(
            room,
            harness.people[1],
            delivered=1,
            read=0,
            is_hidden=lambda _: False,
            reply=FutureAnswer(confirmed),
        )
    )
    await harness.write(room, "behind").message()
    assert await delivered(harness, room) == 1


async def test_alone(harness: Harness) -> None:
    room = await a_room(harness)
    await check(harness, room, half_done(harness, room))


async def test_a_refusal_that_comes_too_late(harness: Harness) -> None:
    room = await a_room(harness)
    await check(harness, room, half_done(harness, room, RefusesTooLate), error=ForbiddenError)


async def test_planned_ahead_between_others(harness: Harness) -> None:
    room = await a_room(harness)
    harness.commit.failures.append("slow")
    first = harness.write(room, "held up")
    await harness.commit.held_up.wait()
    before = harness.write(room, "before")
    failed = half_done(harness, room)
    after = harness.write(room, "after")
    harness.commit.gate.set()
    await check(harness, room, failed, first, before, after)


async def test_among_operations_that_must_be_looked_up(harness: Harness) -> None:
    room = await a_room(harness)
    harness.commit.failures.append("slow")
    first = harness.write(room, "held up")
    await harness.commit.held_up.wait()
    before = harness.send("by the pair's name")
    failed = half_done(harness, room)
    after = harness.write(room, "after")
    harness.commit.gate.set()
    await check(harness, room, failed, first, before, after)


async def test_a_batch_that_becomes_too_large_is_stored_in_parts_and_in_order(harness: Harness) -> None:
    room = await a_room(harness)
    harness.commit.failures.append("slow")
    answers = [harness.write(room, "held up")]
    await harness.commit.held_up.wait()
    text = "x" * 9_000
    answers += [harness.send(f"long {number}", text) for number in range(2 * MAX_BATCH_BYTES // len(text))]
    batches = harness.writer.batches
    harness.commit.gate.set()
    seqs = [(await answer.message())[0].seq for answer in answers]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert harness.writer.batches - batches >= 3
