"""Users, sessions and contacts on a real replica set: what happens when many do the same at once."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta

import pytest
from msgspec import UNSET

from chat_mvp.errors import ConflictError, EmailTakenError, UsernameTakenError
from chat_mvp.storage.auth_sessions import AuthSessions
from chat_mvp.storage.client import open_database
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.documents import ContactDocument, UserDocument
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.records import AuthSessionRecord, UserRecord
from chat_mvp.storage.users import UserChanges, Users
from chat_mvp.times import utc_now

AT_ONCE = 20


@pytest.fixture(autouse=True)
async def database(mongo_uri: str) -> AsyncIterator[None]:
    database = await open_database(mongo_uri, f"people_{secrets.token_hex(6)}", queue_ttl_days=30)
    yield
    await database.client.drop_database(database.collections.name)
    await database.close()


def user(username: str, email: str | None = None) -> UserRecord:
    return UserRecord(
        id=new_id(),
        username=username,
        email=email or f"{username}@example.org",
        email_verified=True,
        password_hash="",
        display_name=username,
        avatar_url=None,
        bio="",
        status_text="",
        role="member",
        profile_json="{}",
        settings_json="{}",
        presence="online",
        last_seen=None,
        created_at=utc_now(),
    )


def session() -> AuthSessionRecord:
    now = utc_now()
    return AuthSessionRecord(
        id=new_id(),
        user_id=new_id(),
        device_name="",
        address="",
        token_hash="0",
        spent_hash=None,
        spent_at=None,
        created_at=now,
        last_used_at=now,
        expires_at=now + timedelta(hours=1),
    )


def kinds(results: Iterable[object]) -> list[type]:
    return sorted((type(result) for result in results), key=lambda kind: kind.__name__)


async def test_of_many_with_one_name_one_is_stored() -> None:
    records = [user("Ann" if number % 2 else "aNN", f"{number}@example.org") for number in range(AT_ONCE)]
    results = await asyncio.gather(*(Users().insert(record) for record in records), return_exceptions=True)
    assert kinds(results) == [type(None)] + [UsernameTakenError] * (AT_ONCE - 1)
    assert await UserDocument.count() == 1


async def test_of_many_with_one_address_one_is_stored() -> None:
    records = [user(f"ann{number}", "Ann@Example.org") for number in range(AT_ONCE)]
    results = await asyncio.gather(*(Users().insert(record) for record in records), return_exceptions=True)
    assert kinds(results) == [EmailTakenError] * (AT_ONCE - 1) + [type(None)]
    with pytest.raises(ConflictError):
        await Users().insert(user("ANN0", "ann@example.ORG"))


async def test_a_token_is_exchanged_once() -> None:
    sessions, record, now = AuthSessions(), session(), utc_now()
    await sessions.insert(record)
    later = now + timedelta(hours=2)
    results = await asyncio.gather(
        *(sessions.rotate("0", successor_hash=str(number + 1), at=now, expires_at=later) for number in range(AT_ONCE))
    )
    (winner,) = [result for result in results if result is not None]
    assert (winner.id, winner.spent_hash, winner.spent_at, winner.expires_at) == (record.id, "0", now, later)
    assert await sessions.fetch_by_spent("0") == winner
    assert await sessions.fetch_owner(record.id) == record.user_id
    await sessions.delete(record.id)
    await sessions.delete(record.id)
    assert await sessions.fetch_owner(record.id) is None
    assert await sessions.fetch_by_spent("0") is None


async def test_of_many_who_add_one_contact_there_is_one_entry() -> None:
    contacts, owner, other, now = Contacts(), new_id(), new_id(), utc_now()
    await asyncio.gather(*(contacts.put(owner, other, nickname=UNSET, at=now) for _ in range(AT_ONCE)))
    await asyncio.gather(*(contacts.block(owner, other, at=now) for _ in range(AT_ONCE)))
    assert await ContactDocument.count() == 1
    assert await contacts.fetch_contact_ids(owner) == {other}
    assert await contacts.fetch_blocked_pairs(other, [owner]) == {owner}
    assert sum(await asyncio.gather(*(contacts.remove(owner, other) for _ in range(AT_ONCE)))) == 1
    assert sum(await asyncio.gather(*(contacts.unblock(owner, other) for _ in range(AT_ONCE)))) == 1
    assert await ContactDocument.count() == 0


async def test_changes_of_different_fields_at_once_are_all_kept() -> None:
    users, ann = Users(), user("ann")
    await users.insert(ann)
    changes = [UserChanges(bio="b"), UserChanges(display_name="Ann B"), UserChanges(status_text="s")]
    await asyncio.gather(*(users.update(ann.id, change) for change in changes))
    stored = await users.fetch(ann.id)
    assert (stored.bio, stored.display_name, stored.status_text) == ("b", "Ann B", "s")
    assert [record.id for record in await users.search(["b"], after=None, limit=5)] == [ann.id]


async def test_when_somebody_was_there_only_grows() -> None:
    users, ann, bob = Users(), user("ann"), user("bob")
    for record in (ann, bob):
        await users.insert(record)
    now = utc_now()
    await users.save_last_seen({ann.id: now, bob.id: now, new_id(): now})
    await users.save_last_seen({ann.id: now - timedelta(hours=1), bob.id: now + timedelta(hours=1)})
    await users.save_last_seen({})
    assert (await users.fetch(ann.id)).last_seen == now
    assert (await users.fetch(bob.id)).last_seen == now + timedelta(hours=1)


async def test_a_search_uses_its_index() -> None:
    collection = UserDocument.get_motor_collection()
    query = {"$and": [{"name_words": {"$elemMatch": {"$gte": "ann", "$lt": "ann\U0010ffff"}}}]}
    plan = (await collection.find(query).explain())["queryPlanner"]["winningPlan"]
    assert plan["inputStage"]["stage"] == "IXSCAN"
    assert plan["inputStage"]["indexBounds"]["name_words"] == ['["ann", "ann\U0010ffff")']
