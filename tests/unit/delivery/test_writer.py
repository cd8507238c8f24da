"""The writer during failures: each operation gets one correct answer, and everyone gets what was stored."""

import asyncio

import pytest

from chat_mvp.delivery.batch import MAX_BATCH_OPERATIONS
from chat_mvp.delivery.writer import MAX_WAITING_OPERATIONS
from chat_mvp.errors import UnavailableError
from chat_mvp.protocol import MessageDeleted, MessageEdited, MessageNew
from chat_mvp.storage.client import Database
from chat_mvp.supervision import Supervisor
from tests.unit.delivery.conftest import DEADLINE_S, Answer, Desk, clear

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def hold_up(desk: Desk) -> Answer:
    """Submit a message whose batch is held up until ``desk.commit.gate`` is opened."""
    desk.commit.trouble.append("slow")
    held = desk.send("held")
    await desk.commit.held_up.wait()
    return held


async def fill(desk: Desk, count: int) -> list[Answer]:
    """Submit messages while a batch is held up, so that they gather."""
    held = await hold_up(desk)
    answers = [held, *(desk.send(f"name {number}", f"text {number}") for number in range(count))]
    desk.commit.gate.set()
    return answers


async def test_lone_message_commits_at_once(desk: Desk) -> None:
    before = desk.writer.batches
    message, duplicate = await desk.send("one").message()
    assert not duplicate
    assert (message.seq, desk.writer.batches - before) == (2, 1)
    assert await desk.stored() != []


async def test_what_waits_is_committed_together_and_in_order(desk: Desk) -> None:
    before = desk.writer.batches
    answers = await fill(desk, 100)
    sent = [(await answer.message())[0] for answer in answers]
    assert [message.seq for message in sent] == list(range(2, 103))
    assert desk.writer.batches - before == 2
    assert [publication.frame.message.seq for publication in desk.told_of(MessageNew)] == list(range(2, 103))
    assert await desk.stored() == [*(await desk.stored())[:1], *sent]


async def test_batches_are_bounded(desk: Desk) -> None:
    before = desk.writer.batches
    for answer in await fill(desk, MAX_BATCH_OPERATIONS + 1):
        await answer.message()
    assert desk.writer.batches - before == 3


async def test_waiting_room_is_bounded(desk: Desk) -> None:
    answers = [await hold_up(desk)]
    operation = desk.edit("0" * 24, "no such message")
    answers += [desk.edit("0" * 24, "no such message") for _ in range(MAX_WAITING_OPERATIONS - 1)]
    with pytest.raises(UnavailableError) as caught:
        desk.edit("0" * 24, "one too many")
    assert caught.value.retry_after_ms
    desk.commit.gate.set()
    assert (await operation.error()).code == "not_found"
    for answer in answers[1:]:
        assert (await answer.error()).code == "not_found"


async def test_nothing_is_published_before_the_commit(desk: Desk) -> None:
    desk.commit.trouble.append("slow")
    answer = desk.send("slow")
    await asyncio.sleep(0.2)
    assert not answer.came
    assert desk.told == []
    desk.commit.gate.set()
    await answer.message()
    assert len(desk.told_of(MessageNew)) == 1


async def test_passing_trouble_is_ridden_out(desk: Desk) -> None:
    desk.commit.trouble += ["transient", "transient"]
    message, duplicate = await desk.send("one").message()
    assert (message.seq, duplicate) == (2, False)
    assert len(desk.told_of(MessageNew)) == 1
    assert len(await desk.stored()) == 2


@pytest.mark.parametrize("trouble", ["lost", "dropped"])
async def test_unknown_outcome_is_found_out(desk: Desk, trouble: str) -> None:
    desk.commit.trouble.append(trouble)
    message, duplicate = await desk.send("one").message()
    assert (message.seq, duplicate) == (2, False)
    assert [publication.answered_connection for publication in desk.told_of(MessageNew)] == ["own"]
    assert len(await desk.stored()) == 2


@pytest.mark.parametrize("trouble", ["lost", "dropped"])
async def test_after_the_deadline_no_caller_waits(desk: Desk, trouble: str) -> None:
    desk.commit.trouble.append(trouble)
    desk.commit.away = True
    error = await desk.send("one").error()
    assert (error.code, bool(error.retry_after_ms)) == ("unavailable", True)
    assert desk.told == []


async def test_those_behind_a_failed_batch_do_not_wait_for_as_long(desk: Desk) -> None:
    desk.commit.trouble.append("dropped")
    desk.commit.away = True
    await desk.send("one").error()
    begun = asyncio.get_running_loop().time()
    assert (await desk.send("two").error()).code == "unavailable"
    assert asyncio.get_running_loop().time() - begun < DEADLINE_S + 0.5


async def test_a_batch_found_stored_after_a_refusal_is_published(desk: Desk) -> None:
    desk.commit.trouble.append("lost")
    desk.commit.away = True
    await desk.send("one").error()
    desk.commit.away = False
    async with asyncio.timeout(5):
        await desk.writer.settled()
    (publication,) = desk.told_of(MessageNew)
    # Also to the connection of the caller: its answer was that the outcome is unknown.
    assert publication.answered_connection is None
    message, duplicate = await desk.send("one", "another text").message()
    assert (message.seq, message.text, duplicate) == (2, "hello", True)
    assert len(desk.told_of(MessageNew)) == 1
    assert len(await desk.stored()) == 2


async def test_what_was_not_stored_is_sent_again(desk: Desk) -> None:
    desk.commit.trouble.append("dropped")
    desk.commit.away = True
    await desk.send("one").error()
    desk.commit.away = False
    message, duplicate = await desk.send("one").message()
    assert (message.seq, duplicate) == (2, False)
    assert len(desk.told_of(MessageNew)) == 1


async def test_a_lost_edit_is_published_to_everyone_before_later_changes(desk: Desk) -> None:
    message, _ = await desk.send("one").message()
    desk.told.clear()
    desk.commit.trouble.append("lost")
    desk.commit.away = True
    await desk.edit(message.id, "edited").error()
    desk.commit.away = False
    await desk.delete(message.id).message()
    told = [(type(publication.frame), publication.rev, publication.answered_connection) for publication in desk.told]
    assert told == [(MessageEdited, 3, None), (MessageDeleted, 4, "own")]


async def test_same_message_twice_in_one_batch(desk: Desk) -> None:
    held = await hold_up(desk)
    answers = [desk.send("twin", "first"), desk.send("twin", "second"), desk.send("twin", sender=1)]
    desk.commit.gate.set()
    await held.message()
    first, second, other = [await answer.message() for answer in answers]
    assert (first[0].id, first[1], second[1]) == (second[0].id, False, True)
    assert (second[0].text, other[1]) == ("first", False)
    assert len(await desk.stored()) == 4


async def test_repetition_does_not_fail_its_neighbours(desk: Desk) -> None:
    await desk.send("old").message()
    held = await hold_up(desk)
    answers = [desk.send("before"), desk.send("old", "changed my mind"), desk.send("after")]
    desk.commit.gate.set()
    await held.message()
    outcomes = [await answer.message() for answer in answers]
    assert [(message.seq, duplicate) for message, duplicate in outcomes] == [(4, False), (2, True), (5, False)]
    assert len(await desk.stored()) == 5


async def test_poison_harms_only_itself(desk: Desk) -> None:
    desk.commit.poison = "poison"
    held = await hold_up(desk)
    answers = [desk.send("a"), desk.send("b", "poison"), desk.send("c")]
    desk.commit.gate.set()
    await held.message()
    assert (await answers[1].error()).code == "internal"
    seqs = [(await answers[0].message())[0].seq, (await answers[2].message())[0].seq]
    assert seqs == [3, 4]
    assert len(await desk.stored()) == 4
    await desk.send("later").message()


async def test_unexpected_error_of_a_lone_operation_is_answered(desk: Desk) -> None:
    desk.commit.trouble.append("broken")
    assert (await desk.send("one").error()).code == "internal"
    message, duplicate = await desk.send("one").message()
    assert (message.seq, duplicate) == (2, False)


async def test_counters_that_another_process_moved_are_read_again(database: Database) -> None:
    await clear(database)
    desks = [Desk(database) for _ in range(2)]
    desks[1].people = desks[0].people
    for desk in desks:
        desk.writer.start(Supervisor())
    await desks[0].send("first").message()
    answers = [desk.send(f"{number} of {i}", sender=i) for number in range(20) for i, desk in enumerate(desks)]
    for answer in answers:
        assert not (await answer.message())[1]
    for desk in desks:
        await desk.writer.stop()
    assert len(await desks[0].stored()) == 41


async def test_settled_waits_for_the_batch_on_its_way(desk: Desk) -> None:
    await desk.writer.settled()
    desk.commit.trouble.append("slow")
    answer = desk.send("slow")
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(desk.writer.settled())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    desk.commit.gate.set()
    await waiting
    assert answer.came
    assert len(desk.told_of(MessageNew)) == 1


async def test_settled_waits_until_an_unknown_outcome_is_known(desk: Desk) -> None:
    desk.commit.trouble.append("lost")
    desk.commit.away = True
    await desk.send("one").error()
    waiting = asyncio.create_task(desk.writer.settled())
    await asyncio.sleep(0.2)
    assert not waiting.done()
    desk.commit.away = False
    async with asyncio.timeout(5):
        await waiting
    assert len(desk.told_of(MessageNew)) == 1


async def test_stop_finishes_what_was_accepted(desk: Desk) -> None:
    answers = await fill(desk, 300)
    await desk.writer.stop()
    assert all([not (await answer.message())[1] for answer in answers])
    with pytest.raises(UnavailableError):
        desk.send("too late")


async def test_stop_does_not_wait_for_an_outcome_that_cannot_be_resolved(desk: Desk) -> None:
    desk.commit.trouble.append("dropped")
    desk.commit.away = True
    await desk.send("one").error()
    async with asyncio.timeout(DEADLINE_S + 2):
        await desk.writer.stop()
