"""The writer during failures: each operation gets one correct answer, and everyone gets what was stored."""

import asyncio

import pytest

from chat_mvp.delivery.batch import MAX_BATCH_OPERATIONS
from chat_mvp.delivery.writer import MAX_WAITING_OPERATIONS
from chat_mvp.errors import UnavailableError
from chat_mvp.protocol import MessageDeleted, MessageEdited, MessageNew
from chat_mvp.storage.client import Database
from chat_mvp.supervision import Supervisor
from tests.unit.delivery.conftest import DEADLINE_S, Answer, Harness, clear

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def hold_up(harness: Harness) -> Answer:
    """Submit a message whose batch is held up until ``harness.commit.gate`` is opened."""
    harness.commit.failures.append("slow")
    held = harness.send("held")
    await harness.commit.held_up.wait()
    return held


async def fill(harness: Harness, count: int) -> list[Answer]:
    """Submit messages while a batch is held up, so that they gather."""
    held = await hold_up(harness)
    answers = [held, *(harness.send(f"name {number}", f"text {number}") for number in range(count))]
    harness.commit.gate.set()
    return answers


async def test_lone_message_commits_at_once(harness: Harness) -> None:
    before = harness.writer.batches
    message, duplicate = await harness.send("one").message()
    assert not duplicate
    assert (message.seq, harness.writer.batches - before) == (2, 1)
    assert await harness.stored() != []


async def test_what_waits_is_committed_together_and_in_order(harness: Harness) -> None:
    before = harness.writer.batches
    answers = await fill(harness, 100)
    sent = [(await answer.message())[0] for answer in answers]
    assert [message.seq for message in sent] == list(range(2, 103))
    assert harness.writer.batches - before == 2
    assert [publication.frame.message.seq for publication in harness.published_frames(MessageNew)] == list(
        range(2, 103)
    )
    assert await harness.stored() == [*(await harness.stored())[:1], *sent]


async def test_batches_are_bounded(harness: Harness) -> None:
    before = harness.writer.batches
    for answer in await fill(harness, MAX_BATCH_OPERATIONS + 1):
        await answer.message()
    assert harness.writer.batches - before == 3


async def test_waiting_room_is_bounded(harness: Harness) -> None:
    answers = [await hold_up(harness)]
    operation = harness.edit("0" * 24, "no such message")
    answers += [harness.edit("0" * 24, "no such message") for _ in range(MAX_WAITING_OPERATIONS - 1)]
    with pytest.raises(UnavailableError) as caught:
        harness.edit("0" * 24, "one too many")
    assert caught.value.retry_after_ms
    harness.commit.gate.set()
    assert (await operation.error()).code == "not_found"
    for answer in answers[1:]:
        assert (await answer.error()).code == "not_found"


async def test_nothing_is_published_before_the_commit(harness: Harness) -> None:
    harness.commit.failures.append("slow")
    answer = harness.send("slow")
    await asyncio.sleep(0.2)
    assert not answer.came
    assert harness.published == []
    harness.commit.gate.set()
    await answer.message()
    assert len(harness.published_frames(MessageNew)) == 1


async def test_passing_trouble_is_ridden_out(harness: Harness) -> None:
    harness.commit.failures += ["transient", "transient"]
    message, duplicate = await harness.send("one").message()
    assert (message.seq, duplicate) == (2, False)
    assert len(harness.published_frames(MessageNew)) == 1
    assert len(await harness.stored()) == 2


@pytest.mark.parametrize("trouble", ["lost", "dropped"])
async def test_unknown_outcome_is_found_out(harness: Harness, trouble: str) -> None:
    harness.commit.failures.append(trouble)
    message, duplicate = await harness.send("one").message()
    assert (message.seq, duplicate) == (2, False)
    assert [publication.answered_connection for publication in harness.published_frames(MessageNew)] == ["own"]
    assert len(await harness.stored()) == 2


@pytest.mark.parametrize("trouble", ["lost", "dropped"])
async def test_after_the_deadline_no_caller_waits(harness: Harness, trouble: str) -> None:
    harness.commit.failures.append(trouble)
    harness.commit.away = True
    error = await harness.send("one").error()
    assert (error.code, bool(error.retry_after_ms)) == ("unavailable", True)
    assert harness.published == []


async def test_those_behind_a_failed_batch_do_not_wait_for_as_long(harness: Harness) -> None:
    harness.commit.failures.append("dropped")
    harness.commit.away = True
    await harness.send("one").error()
    begun = asyncio.get_running_loop().time()
    assert (await harness.send("two").error()).code == "unavailable"
    assert asyncio.get_running_loop().time() - begun < DEADLINE_S + 0.5


async def test_a_batch_found_stored_after_a_refusal_is_published(harness: Harness) -> None:
    harness.commit.failures.append("lost")
    harness.commit.away = True
    await harness.send("one").error()
    harness.commit.away = False
    async with asyncio.timeout(5):
        await harness.writer.settled()
    (publication,) = harness.published_frames(MessageNew)
    # Also to the connection of the caller: its answer was that the outcome is unknown.
    assert publication.answered_connection is None
    message, duplicate = await harness.send("one", "another text").message()
    assert (message.seq, message.text, duplicate) == (2, "hello", True)
    assert len(harness.published_frames(MessageNew)) == 1
    assert len(await harness.stored()) == 2


async def test_what_was_not_stored_is_sent_again(harness: Harness) -> None:
    harness.commit.failures.append("dropped")
    harness.commit.away = True
    await harness.send("one").error()
    harness.commit.away = False
    message, duplicate = await harness.send("one").message()
    assert (message.seq, duplicate) == (2, False)
    assert len(harness.published_frames(MessageNew)) == 1


async def test_a_lost_edit_is_published_to_everyone_before_later_changes(harness: Harness) -> None:
    message, _ = await harness.send("one").message()
    harness.published.clear()
    harness.commit.failures.append("lost")
    harness.commit.away = True
    await harness.edit(message.id, "edited").error()
    harness.commit.away = False
    await harness.delete(message.id).message()
    told = [
        (type(publication.frame), publication.rev, publication.answered_connection) for publication in harness.published
    ]
    assert told == [(MessageEdited, 3, None), (MessageDeleted, 4, "own")]


async def test_same_message_twice_in_one_batch(harness: Harness) -> None:
    held = await hold_up(harness)
    answers = [harness.send("twin", "first"), harness.send("twin", "second"), harness.send("twin", sender=1)]
    harness.commit.gate.set()
    await held.message()
    first, second, other = [await answer.message() for answer in answers]
    assert (first[0].id, first[1], second[1]) == (second[0].id, False, True)
    assert (second[0].text, other[1]) == ("first", False)
    assert len(await harness.stored()) == 4


async def test_repetition_does_not_fail_its_neighbours(harness: Harness) -> None:
    await harness.send("old").message()
    held = await hold_up(harness)
    answers = [harness.send("before"), harness.send("old", "changed my mind"), harness.send("after")]
    harness.commit.gate.set()
    await held.message()
    outcomes = [await answer.message() for answer in answers]
    assert [(message.seq, duplicate) for message, duplicate in outcomes] == [(4, False), (2, True), (5, False)]
    assert len(await harness.stored()) == 5


async def test_poison_harms_only_itself(harness: Harness) -> None:
    harness.commit.poison = "poison"
    held = await hold_up(harness)
    answers = [harness.send("a"), harness.send("b", "poison"), harness.send("c")]
    harness.commit.gate.set()
    await held.message()
    assert (await answers[1].error()).code == "internal"
    seqs = [(await answers[0].message())[0].seq, (await answers[2].message())[0].seq]
    assert seqs == [3, 4]
    assert len(await harness.stored()) == 4
    await harness.send("later").message()


async def test_unexpected_error_of_a_lone_operation_is_answered(harness: Harness) -> None:
    harness.commit.failures.append("broken")
    assert (await harness.send("one").error()).code == "internal"
    message, duplicate = await harness.send("one").message()
    assert (message.seq, duplicate) == (2, False)


async def test_counters_that_another_process_moved_are_read_again(database: Database) -> None:
    await clear(database)
    desks = [Harness(database) for _ in range(2)]
    desks[1].people = desks[0].people
    for harness in desks:
        harness.writer.start(Supervisor())
    await desks[0].send("first").message()
    answers = [harness.send(f"{number} of {i}", sender=i) for number in range(20) for i, harness in enumerate(desks)]
    for answer in answers:
        assert not (await answer.message())[1]
    for harness in desks:
        await harness.writer.stop()
    assert len(await desks[0].stored()) == 41


async def test_settled_waits_for_the_batch_on_its_way(harness: Harness) -> None:
    await harness.writer.settled()
    harness.commit.failures.append("slow")
    answer = harness.send("slow")
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(harness.writer.settled())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    harness.commit.gate.set()
    await waiting
    assert answer.came
    assert len(harness.published_frames(MessageNew)) == 1


async def test_settled_waits_until_an_unknown_outcome_is_known(harness: Harness) -> None:
    harness.commit.failures.append("lost")
    harness.commit.away = True
    await harness.send("one").error()
    waiting = asyncio.create_task(harness.writer.settled())
    await asyncio.sleep(0.2)
    assert not waiting.done()
    harness.commit.away = False
    async with asyncio.timeout(5):
        await waiting
    assert len(harness.published_frames(MessageNew)) == 1


async def test_stop_finishes_what_was_accepted(harness: Harness) -> None:
    answers = await fill(harness, 300)
    await harness.writer.stop()
    assert all([not (await answer.message())[1] for answer in answers])
    with pytest.raises(UnavailableError):
        harness.send("too late")


async def test_stop_does_not_wait_for_an_outcome_that_cannot_be_resolved(harness: Harness) -> None:
    harness.commit.failures.append("dropped")
    harness.commit.away = True
    await harness.send("one").error()
    async with asyncio.timeout(DEADLINE_S + 2):
        await harness.writer.stop()
