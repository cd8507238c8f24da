"""Who gets a changed profile, on a real replica set."""

import secrets
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from bson import ObjectId
from msgspec import UNSET

from chat_mvp.storage import acquaintances
from chat_mvp.storage.acquaintances import Acquaintances
from chat_mvp.storage.client import Database, open_database
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.ids import new_id
from chat_mvp.times import utc_now


@pytest.fixture
async def database(mongo_uri: str) -> AsyncIterator[Database]:
    database = await open_database(mongo_uri, f"acquaintances_{secrets.token_hex(6)}", queue_ttl_days=30)
    yield database
    await database.client.drop_database(database.collections.name)
    await database.close()


async def add_group(database: Database, members: Sequence[str], *, hidden: Sequence[str] = (), age_s: int = 0) -> None:
    conversation_id, at = ObjectId(), utc_now() - timedelta(seconds=age_s)
    await database.collections["conversations"].insert_one(
        {"_id": conversation_id, "member_count": len(members) + len(hidden), "activity_at": at}
    )
    await database.collections["memberships"].insert_many(
        {"conversation_id": conversation_id, "user_id": ObjectId(user_id), "visible": user_id not in hidden}
        for user_id in (*members, *hidden)
    )


async def test_members_and_owners_of_contacts(database: Database) -> None:
    ann, bob, cat, dan, eve, fay = people = [new_id() for _ in range(6)]
    await add_group(database, [ann, bob])
    await add_group(database, [bob, dan])
    await add_group(database, [ann], hidden=[eve])
    await add_group(database, [fay], hidden=[ann])
    await Contacts().put(cat, ann, nickname=UNSET, at=utc_now())
    await Contacts().put(ann, dan, nickname=UNSET, at=utc_now())
    found = Acquaintances(database.collections)
    assert await found.fetch(ann, people[1:]) == {bob, cat, fay}
    assert await found.fetch(ann, [bob, eve]) == {bob}
    assert await found.fetch(ann, [dan, new_id()]) == set()
    assert await found.fetch(new_id(), people) == set()


async def test_the_most_recently_active_conversations_count(database: Database) -> None:
    ann, *others = [new_id() for _ in range(9)]
    for number, other in enumerate(others):
        await add_group(database, [ann, other], age_s=number)
    found = Acquaintances(database.collections, max_memberships=6)
    assert await found.fetch(ann, others) == set(others[:3])


async def test_very_many_people_and_conversations(database: Database) -> None:
    ann, *others = [new_id() for _ in range(acquaintances.PEOPLE_AT_ONCE + 51)]
    await add_group(database, [ann, *others[: acquaintances.PEOPLE_AT_ONCE]])
    for other in others[acquaintances.PEOPLE_AT_ONCE - 10 : acquaintances.PEOPLE_AT_ONCE + 40]:
        await add_group(database, [ann, other])
    lister = new_id()
    await Contacts().put(lister, ann, nickname=UNSET, at=utc_now())
    strangers = [new_id() for _ in range(acquaintances.PEOPLE_AT_ONCE)]
    found = Acquaintances(database.collections)
    expected = set(others[: acquaintances.PEOPLE_AT_ONCE + 40])
    assert await found.fetch(ann, [*others, *strangers, lister]) == expected | {lister}
    assert await found.fetch(ann, others[-50:]) == expected & set(others[-50:])
