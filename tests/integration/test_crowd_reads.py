"""What users who connect at once read together is the same as what each of them would read alone."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chat_mvp.storage.client import Database, RawDocument, open_database
from chat_mvp.storage.conversations import membership_document
from chat_mvp.storage.ids import new_id, to_object_id
from chat_mvp.storage.lowest_marks import KEPT_S, LowestMarks
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.recent import FEW, ChangedRange, RecentMessages
from chat_mvp.storage.records import SeqRange
from tests.support.crowds import insert_groups, new_membership


@pytest.fixture
async def database(mongo_uri: str) -> AsyncIterator[Database]:
    database = await open_database(mongo_uri, f"crowd_{secrets.token_hex(6)}", queue_ttl_days=30)
    yield database
    await database.client.drop_database(database.collections.name)
    await database.close()


async def commands_while(database: Database, name: str, *reads: Any) -> tuple[list[Any], int]:
    """Return the results of concurrent reads, and how many commands on a collection they took."""
    await database.collections.command({"profile": 2})
    found = await asyncio.gather(*reads)
    await database.collections.command({"profile": 0})
    profile = database.client[database.collections.name]["system.profile"]
    count = await profile.count_documents({"ns": f"{database.collections.name}.{name}"})
    await profile.drop()
    return found, count


async def test_unread_messages_are_counted_together_as_alone(database: Database) -> None:
    maker, ann = new_id(), new_id()
    rooms = await insert_groups(database.collections, maker, ann, 3, unread=FEW - 1)
    messages = database.collections["messages"]
    first = to_object_id(rooms[0])
    await messages.update_one({"conversation_id": first, "seq": 3}, {"$set": {"deleted_at": None}})
    await messages.update_one({"conversation_id": first, "seq": 4}, {"$set": {"deleted_at": "2026-11-21"}})
    await messages.update_one({"conversation_id": first, "seq": 5}, {"$set": {"kind": "system"}})
    await messages.update_one({"conversation_id": first, "seq": 6}, {"$set": {"sender_id": to_object_id(ann)}})
    recent, alone = RecentMessages(database.collections), Messages(database.collections)
    wanted = {
        ann: [SeqRange(room, 1, FEW) for room in rooms],
        maker: [SeqRange(room, 2, FEW) for room in rooms],
        new_id(): [SeqRange(rooms[0], 3, 8), SeqRange(new_id(), 0, 4)],
    }
    found, commands = await commands_while(
        database, "messages", *(recent.count_unread(user_id, ranges) for user_id, ranges in wanted.items())
    )
    for (user_id, ranges), counts in zip(wanted.items(), found, strict=True):
        expected = await alone.count_unread(user_id, ranges)
        assert counts == {each.conversation_id: expected.get(each.conversation_id, 0) for each in ranges}
    assert found[0][rooms[0]] == FEW - 1 - 3
    assert commands == 1
    assert await recent.count_unread(ann, []) == {}


async def test_changes_are_read_together_as_alone(database: Database) -> None:
    maker, ann = new_id(), new_id()
    rooms = await insert_groups(database.collections, maker, ann, 2, unread=10)
    # The second message was changed last.
    await database.collections["messages"].update_one(
        {"conversation_id": to_object_id(rooms[0]), "seq": 2}, {"$set": {"rev": 50}}
    )
    recent, alone = RecentMessages(database.collections), Messages(database.collections)
    wanted = [
        [ChangedRange(rooms[0], 5, 0, 11), ChangedRange(rooms[1], 9, 0, 11)],
        [ChangedRange(rooms[0], 7, 4, 11)],
        [ChangedRange(rooms[0], 5, 0, 9)],
        [ChangedRange(rooms[1], 20, 0, 11)],
    ]
    found, commands = await commands_while(database, "messages", *map(recent.fetch_changed, wanted))
    for ranges, changes in zip(wanted, found, strict=True):
        for each in ranges:
            assert changes[each.conversation_id] == await alone.fetch_changed(
                each.conversation_id,
                after_rev=each.after_rev,
                above_seq=each.above,
                up_to_seq=each.up_to,
                limit=1_000,
            )
    assert commands == 1
    assert await recent.fetch_changed([]) == {}


async def test_changes_that_became_many_are_left_out(database: Database) -> None:
    maker, ann = new_id(), new_id()
    (room,) = await insert_groups(database.collections, maker, ann, 1, unread=3 * FEW)
    recent = RecentMessages(database.collections)
    assert await recent.fetch_changed([ChangedRange(room, 0, 0, 3 * FEW)]) == {}


class Clock:
    """A clock that the test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


async def members(database: Database, room: str, *user_ids: str) -> None:
    await database.collections["memberships"].insert_many(
        membership_document(new_membership(room, user_id, seq=seq)) for seq, user_id in enumerate(user_ids, start=1)
    )


async def raise_marks(database: Database, room: str, user_id: str, seq: int) -> None:
    query: RawDocument = {"conversation_id": to_object_id(room), "user_id": to_object_id(user_id)}
    await database.collections["memberships"].update_one(query, {"$set": {"delivered_seq": seq, "read_seq": seq}})


async def test_lowest_marks_are_read_again_after_a_change_and_after_some_time(database: Database) -> None:
    room, ann, bob = new_id(), new_id(), new_id()
    await members(database, room, ann, bob)
    clock = Clock()
    marks = LowestMarks(database.collections, clock=clock)

    async def seen_by(user_id: str) -> int | None:
        delivered, _ = (await marks.fetch([room]))[room]
        return delivered.of_others(user_id)

    assert (await seen_by(ann), await seen_by(bob)) == (2, 1)
    await raise_marks(database, room, ann, 7)
    assert await seen_by(bob) == 1, "it was not read again"
    marks.forget(room)
    assert await seen_by(bob) == 7
    await raise_marks(database, room, ann, 9)
    clock.now += KEPT_S
    assert await seen_by(bob) == 7
    clock.now += KEPT_S
    assert await seen_by(bob) == 9


async def test_marks_that_change_during_a_read_are_not_kept(database: Database) -> None:
    room, ann, bob = new_id(), new_id(), new_id()
    await members(database, room, ann, bob)
    marks = LowestMarks(database.collections)
    reading = asyncio.create_task(marks.fetch([room]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    marks.forget(room)
    await reading
    _, commands = await commands_while(database, "memberships", marks.fetch([room]))
    assert commands == 1
    _, commands = await commands_while(database, "memberships", marks.fetch([room]))
    assert commands == 0
