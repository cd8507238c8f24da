"""The events of a batch: stored with it, all of them, in order, and never without it."""

from typing import Any

import pytest
import pytest_asyncio

from chat_mvp.errors import UnavailableError
from chat_mvp.events.codec import decode_events, type_of
from chat_mvp.events.types import (
    ConversationChanged,
    ConversationCreated,
    ConversationDeleted,
    ConversationShown,
    Event,
    MarksRaised,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    MessageAdded,
    MessageChanged,
    OwnSettingsChanged,
)
from chat_mvp.features.conversations.operations import ChangeOwnSettings
from chat_mvp.protocol import ConversationLeft, ConversationUpdated, MemberUpdated, Message, MessageNew
from chat_mvp.protocol import MemberLeft as MemberLeftFrame
from chat_mvp.storage.ids import new_id
from tests.unit.delivery.actions import Actions
from tests.unit.delivery.conftest import Harness, user

ANN, BOB, CAT = (user(new_id()) for _ in range(3))

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def actions(harness: Harness) -> Actions:
    actions = Actions(harness, [ANN, BOB, CAT], new_id())
    await actions.make(BOB)
    actions.write("second", by=ANN, message_id=MESSAGE)
    assert await actions.outcomes() == [2]
    await harness.database.collections["events"].delete_many({})
    return actions


MESSAGE = new_id()


async def batches(harness: Harness) -> list[list[Event]]:
    """Return the stored events, by transaction, and check what stands beside them."""
    stored = await harness.database.collections["events"].find({}, sort=[("_id", 1)]).to_list(None)
    found: list[list[Event]] = []
    for document in stored:
        decoded = decode_events(document["body"])
        assert decoded.unknown == []
        assert document["types"] == sorted({type_of(event) for event in decoded.events})
        assert document["process"] == "this process"
        found.append(decoded.events)
    return found


async def kinds(harness: Harness) -> list[list[type[Event]]]:
    return [[type(event) for event in events] for events in await batches(harness)]


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda it: it.write("third", by=BOB), [MessageAdded]),
        (lambda it: it.edit(MESSAGE, "other", by=ANN), [MessageChanged]),
        (lambda it: it.react(MESSAGE, "👍", present=True, by=BOB), [MessageChanged]),
        (lambda it: it.pin(MESSAGE, pinned=True, by=ANN), [MessageChanged]),
        (lambda it: it.erase(MESSAGE, by=ANN), [MessageChanged]),
        (lambda it: it.confirm(BOB, 2), [MarksRaised]),
        (lambda it: it.add(CAT, by=ANN), [ConversationShown, MemberJoined, MessageAdded]),
        (lambda it: it.give_role(BOB, "admin", by=ANN), [MemberChanged, MessageAdded]),
        (lambda it: it.remove(BOB, by=ANN), [MemberLeft, MessageAdded]),
        (lambda it: it.rename("New name", by=ANN), [ConversationChanged, MessageAdded]),
        (lambda it: it.ask(ChangeOwnSettings, it.group, BOB, {"pinned": True}), [OwnSettingsChanged]),
        (lambda it: it.delete(by=ANN), [ConversationDeleted]),
    ],
)
async def test_what_is_done_is_stored_as_events(actions: Actions, act: Any, expected: list[type[Event]]) -> None:
    act(actions)
    await actions.outcomes()
    assert await kinds(actions.harness) == [expected]


async def test_a_new_conversation(harness: Harness) -> None:
    await harness.database.collections["events"].delete_many({})
    await Actions(harness, [ANN, BOB], new_id()).make(BOB)
    assert await kinds(harness) == [[ConversationCreated, ConversationShown, ConversationShown, MessageAdded]]


@pytest.mark.parametrize(
    "act",
    [
        lambda it: it.confirm(BOB, 0),
        lambda it: it.pin(MESSAGE, pinned=False, by=ANN),
        lambda it: it.rename("A room", by=ANN),
        lambda it: it.give_role(BOB, "admin", by=BOB),
        lambda it: it.remove(CAT, by=ANN),
        lambda it: it.edit(MESSAGE, "not mine", by=BOB),
    ],
)
async def test_what_changes_nothing_or_is_refused_stores_no_event(actions: Actions, act: Any) -> None:
    act(actions)
    await actions.outcomes()
    assert await kinds(actions.harness) == []


async def test_events_of_one_batch_are_one_document_in_order(actions: Actions) -> None:
    held_up = await actions.hold_up()
    for number in range(3):
        actions.write(f"message {number}", by=ANN)
        actions.confirm(BOB, 1 + number)
    await actions.outcomes()
    await held_up.message()
    (_, together) = await batches(actions.harness)
    marks = [event for event in together if isinstance(event, MarksRaised)]
    assert [event.delivered_seq for event in marks] == [2], "marks appear once, as they are at the end"
    seqs = [event.message.seq for event in together if isinstance(event, MessageAdded)]
    assert seqs == [3, 4, 5]


@pytest.mark.parametrize("trouble", [["transient"], ["dropped"], ["lost"], ["transient", "lost"]])
async def test_trouble_neither_loses_nor_repeats_an_event(harness: Harness, trouble: list[str]) -> None:
    await harness.database.collections["events"].delete_many({})
    harness.commit.failures.extend(trouble)
    message, _ = await harness.send("once").message()
    added = [event for events in await batches(harness) for event in events if isinstance(event, MessageAdded)]
    assert [event.message.id for event in added] == [message.id]
    assert [told.frame.message.id for told in harness.published_frames(MessageNew)] == [message.id]


@pytest.mark.parametrize(
    ("act", "frame"),
    [
        (lambda it: it.rename("New name", by=ANN), ConversationUpdated),
        (lambda it: it.give_role(BOB, "admin", by=ANN), MemberUpdated),
        (lambda it: it.remove(BOB, by=ANN), MemberLeftFrame),
        (lambda it: it.delete(by=ANN), ConversationLeft),
        (lambda it: it.ask(ChangeOwnSettings, it.group, BOB, {"pinned": True}), ConversationUpdated),
    ],
)
async def test_what_turns_out_to_be_stored_after_a_refusal_is_sent(actions: Actions, act: Any, frame: type) -> None:
    harness = actions.harness
    harness.commit.failures.append("lost")
    harness.commit.away = True
    act(actions)
    (outcome,) = await actions.refused()
    assert outcome is UnavailableError
    assert harness.published_frames(frame) == []
    harness.commit.away = False
    await harness.send("later").message()
    assert len(harness.published_frames(frame)) == 1


async def test_an_unsent_text_is_not_kept_in_the_log(actions: Actions) -> None:
    actions.ask(ChangeOwnSettings, actions.group, BOB, {"draft": "a secret", "notify": "none"})
    await actions.outcomes()
    ((event,),) = await batches(actions.harness)
    assert isinstance(event, OwnSettingsChanged)
    assert "secret" not in str(event)
    (told,) = actions.harness.published[-1:]
    assert told.frame.conversation.me.draft == "a secret"  # type: ignore[attr-defined]
    assert told.audience == (BOB.id,)


async def test_a_stored_message_is_what_members_are_sent(actions: Actions) -> None:
    actions.write("the same", by=ANN)
    await actions.outcomes()
    ((event,),) = await batches(actions.harness)
    assert isinstance(event, MessageAdded)
    sent: list[Message] = [told.frame.message for told in actions.harness.published_frames(MessageNew)]
    assert event.message == sent[-1]
