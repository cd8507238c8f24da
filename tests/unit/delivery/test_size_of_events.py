"""A batch is full before its events are too many bytes for one document, whatever is asked together."""

from collections.abc import Callable

import pytest
from bson import ObjectId

from chat_mvp.delivery.batch import MAX_BATCH_BYTES
from chat_mvp.features.conversations.operations import MakeConversation
from chat_mvp.features.conversations.schemas import ConversationChanges
from chat_mvp.limits import (
    MAX_CONVERSATION_NAME_CHARS,
    MAX_DESCRIPTION_CHARS,
    MAX_EMOJIS_PER_MESSAGE,
    MAX_FIRST_MEMBERS,
    MAX_REACTIONS_PER_MESSAGE,
    MAX_TEXT_CHARS,
    MAX_URL_CHARS,
)
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.records import ConversationRecord
from chat_mvp.times import utc_now
from tests.unit.delivery.actions import Actions
from tests.unit.delivery.conftest import Harness, user

ANN, BOB = user(new_id()), user(new_id())
WIDE = "\U0001f600"
"""Four bytes."""
ESCAPED = "\x01"
"""Six bytes in JSON."""
LARGEST_OPERATION = 6 * 1024 * 1024
"""A conversation with as many first members as allowed; MongoDB takes 16 MiB."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def popular_message(actions: Actions) -> str:
    """Return a message with as many reactions as one may have, but one."""
    message_id = new_id()
    actions.write("popular", by=ANN, message_id=message_id)
    await actions.outcomes()
    each = MAX_REACTIONS_PER_MESSAGE // MAX_EMOJIS_PER_MESSAGE
    reactions = [
        {"emoji": chr(0x1F600 + number), "user_ids": [ObjectId() for _ in range(each - (number == 0))]}
        for number in range(MAX_EMOJIS_PER_MESSAGE)
    ]
    await actions.harness.database.collections["messages"].update_one(
        {"_id": ObjectId(message_id)}, {"$set": {"reactions": reactions}}
    )
    return message_id


async def react(actions: Actions) -> None:
    message_id = await popular_message(actions)
    await actions.hold_up()
    for number in range(254):
        actions.react(message_id, WIDE, present=number % 2 == 0, by=BOB)


async def found(actions: Actions) -> None:
    await actions.hold_up()
    for _ in range(3):
        make(actions)


async def react_and_found(actions: Actions) -> None:
    await react(actions)
    for _ in range(2):
        make(actions)


async def describe(actions: Actions) -> None:
    await actions.hold_up()
    for number in range(255):
        changes = ConversationChanges(
            description=f"{number}".ljust(MAX_DESCRIPTION_CHARS, WIDE),
            avatar_url=f"/{number}".ljust(MAX_URL_CHARS, "a"),
        )
        actions.change(changes, by=ANN)


async def write(actions: Actions) -> None:
    await actions.hold_up()
    for number in range(255):
        actions.write(f"{number}".ljust(MAX_TEXT_CHARS, ESCAPED), by=ANN)


def make(actions: Actions) -> None:
    now = utc_now()
    record = ConversationRecord(
        id=new_id(),
        kind="group",
        name=WIDE * MAX_CONVERSATION_NAME_CHARS,
        description=WIDE * MAX_DESCRIPTION_CHARS,
        visibility="private",
        avatar_url=None,
        max_participants=None,
        post="members",
        member_count=0,
        created_by=ANN.id,
        created_at=now,
        updated_at=now,
        activity_at=now,
        last_seq=0,
        rev=0,
        direct_key=None,
    )
    actions.ask(MakeConversation, record, ANN, [user(new_id()) for _ in range(MAX_FIRST_MEMBERS)], strangers=())


@pytest.mark.parametrize("ask", [react, found, react_and_found, describe, write])
async def test_a_document_of_events_stays_far_below_what_the_database_takes(
    harness: Harness, ask: Callable[[Actions], object]
) -> None:
    actions = Actions(harness, [ANN, BOB], new_id())
    await actions.make(BOB)
    await ask(actions)
    outcomes = await actions.outcomes()
    assert all(isinstance(outcome, bool | int) for outcome in outcomes)
    assert await largest_document(harness) < MAX_BATCH_BYTES + LARGEST_OPERATION


async def test_long_texts_count_with_their_bytes_because_one_turn_sends_the_whole_batch(harness: Harness) -> None:
    actions = Actions(harness, [ANN, BOB], new_id())
    await actions.make(BOB)
    await actions.hold_up()
    for number in range(255):
        actions.write(f"{number}".ljust(MAX_TEXT_CHARS, WIDE), by=ANN)
    await actions.outcomes()
    assert await largest_document(harness) < MAX_BATCH_BYTES + 5 * MAX_TEXT_CHARS


async def largest_document(harness: Harness) -> int:
    pipeline = [{"$group": {"_id": None, "largest": {"$max": {"$strLenBytes": "$body"}}}}]
    (row,) = await (await harness.database.collections["events"].aggregate(pipeline)).to_list(None)
    return int(row["largest"])
