"""A connect reads the same of conversations, alone or together with those of other users."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from chat_mvp.storage.client import Database, open_database
from chat_mvp.storage.conversations import Conversations, membership_document
from chat_mvp.storage.ids import new_id, to_object_id
from chat_mvp.storage.summaries import MAX_SHARED, Summaries
from tests.support.crowds import insert_groups, new_membership


@pytest.fixture
async def database(mongo_uri: str) -> AsyncIterator[Database]:
    database = await open_database(mongo_uri, f"summaries_{secrets.token_hex(6)}", queue_ttl_days=30)
    yield database
    await database.client.drop_database(database.collections.name)
    await database.close()


async def test_someone_with_thousands_of_conversations_holds_up_no_one_else(database: Database) -> None:
    maker, large, *small = (new_id() for _ in range(7))
    ids = {large: await insert_groups(database.collections, maker, large, MAX_SHARED + 100)}
    for user_id in small:
        ids[user_id] = await insert_groups(database.collections, maker, user_id, 3, unread=1)
    summaries = Summaries(database.collections)
    for _ in range(2):
        found = await asyncio.gather(*(summaries.fetch(user_id) for user_id in ids))
        assert {user_id: [each.id for each in mine] for user_id, mine in zip(ids, found, strict=True)} == ids
    (first, *_) = await Summaries(database.collections).fetch(small[0])
    assert (first.rev, first.last_seq, first.confirmed_seq, first.read_seq) == (2, 2, 1, 1)
    assert await summaries.fetch(new_id()) == []


async def test_the_lowest_marks_are_those_of_the_others(database: Database) -> None:
    ann, bob, cat = (new_id() for _ in range(3))
    room, alone = new_id(), new_id()
    marks = [(room, ann, 5), (room, bob, 3), (room, cat, 9), (alone, ann, 1)]
    await database.collections["memberships"].insert_many(
        membership_document(new_membership(conversation_id, user_id, seq=seq))
        for conversation_id, user_id, seq in marks
    )
    await database.collections["memberships"].update_one(
        {"conversation_id": to_object_id(room), "user_id": to_object_id(cat)}, {"$set": {"read_seq": 2}}
    )
    conversations = Conversations(database.collections)
    found = await asyncio.gather(
        *(
            conversations.fetch_others_marks(user_id, direct=[], groups=[room, alone], apart=())
            for user_id in (ann, bob, cat)
        )
    )
    assert [each[room] for each in found] == [(3, 2), (5, 2), (3, 3)]
    assert [alone in each for each in found] == [False, True, True]
    without_bob = await conversations.fetch_others_marks(ann, direct=[], groups=[room], apart=[bob])
    assert without_bob == {room: (9, 2)}


async def test_what_was_read_unseen_by_others_counts_as_unseen(database: Database) -> None:
    """Otherwise a stranger could find out, by what is still allowed, that an invisible user reads."""
    stranger, open_one, invisible_one = (new_id() for _ in range(3))
    for user_id in (open_one, invisible_one):
        membership = membership_document(new_membership(new_id(), user_id, seq=5)) | {
            "added_by": to_object_id(stranger),
            "joined_seq": 1,
        }
        if user_id == invisible_one:
            membership["frozen_marks"] = {"delivered_seq": 1, "read_seq": 1, "delivered_at": None, "read_at": None}
        await database.collections["memberships"].insert_one(membership)
    counts = await Conversations(database.collections).count_unseen([open_one, invisible_one])
    assert counts == [(invisible_one, stranger, 1)]
