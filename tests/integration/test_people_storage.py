"""Users, sessions and contacts on a real replica set: what happens when many callers do the same at once."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta

import pytest
from bson import encode
from bson.raw_bson import RawBSONDocument
from msgspec import UNSET, structs

from chat_mvp.delivery.local_events import LocalEvents
from chat_mvp.errors import ConflictError, EmailTakenError, UsernameTakenError
from chat_mvp.events.codec import decode_events
from chat_mvp.events.types import SessionEnded
from chat_mvp.jobs.expired_sessions import SESSIONS_AT_ONCE, ExpiredSessions
from chat_mvp.storage.auth_sessions import AuthSessions
from chat_mvp.storage.client import Database, open_database
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.documents import DAY_S, ContactDocument, UserDocument
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.meta import ensure_epoch, new_epoch, write_history
from chat_mvp.storage.name_renewal import BATCH, FOLDING_KEY, renew_name_words
from chat_mvp.storage.recorded import MongoRecorder, Write
from chat_mvp.storage.records import AuthSessionRecord, UserRecord
from chat_mvp.storage.users import UserChanges, Users
from chat_mvp.times import utc_now
from tests.support.stored import stored_account

AT_ONCE = 20


@pytest.fixture(autouse=True)
async def database(mongo_uri: str) -> AsyncIterator[Database]:
    database = await open_database(mongo_uri, f"people_{secrets.token_hex(6)}", queue_ttl_days=30)
    yield database
    await database.client.drop_database(database.collections.name)
    await database.close()


@pytest.fixture
def recorder(database: Database) -> MongoRecorder:
    return MongoRecorder(database, process=new_id(), clock=utc_now, committed=LocalEvents().applied)


def user(username: str, email: str | None = None) -> UserRecord:
    return UserRecord(
        id=new_id(),
        username=username,
        email=email or f"{username}@example.org",
        email_verified=False,
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


async def test_a_token_is_exchanged_once(recorder: MongoRecorder) -> None:
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
    for ended in ({record.id}, set()):
        assert await recorder.record("sessions", lambda it: sessions.delete(it, [record.id, new_id()])) == ended
    assert await sessions.fetch_owner(record.id) is None
    assert await sessions.fetch_by_spent("0") is None


async def test_an_expired_session_is_ended_once(database: Database) -> None:
    ended: list[SessionEnded] = []
    events = LocalEvents()
    events.on(SessionEnded, ended.append)
    now = utc_now()
    sessions = AuthSessions(lambda: now)
    expired = [structs.replace(session(), token_hash=str(number)) for number in range(SESSIONS_AT_ONCE + 1)]
    for record in expired:
        await sessions.insert(structs.replace(record, expires_at=now - timedelta(seconds=1)))
    alive = structs.replace(session(), token_hash="alive")
    await sessions.insert(alive)
    # As two processes do it.
    tasks = [
        ExpiredSessions(sessions, MongoRecorder(database, process=name, clock=utc_now, committed=events.applied))
        for name in ("a", "b")
    ]
    assert sum(await asyncio.gather(*(task.end_some() for task in tasks))) == SESSIONS_AT_ONCE
    assert [await task.end_some() for task in tasks] == [1, 0]
    assert {(event.session_id, event.user_id) for event in ended} == {(it.id, it.user_id) for it in expired}
    assert len(ended) == len(expired)
    assert await sessions.fetch_owner(alive.id) == alive.user_id
    wrong = AuthSessions(lambda: now + timedelta(days=1))
    assert await wrong.fetch_expired(limit=1) == {}, "whatever the clock of this process says"
    documents = await database.collections["events"].find().to_list(None)
    assert sum(len(decode_events(document["body"]).events) for document in documents) == len(expired)


async def test_a_start_keeps_sessions_that_an_earlier_version_removed_at_once(
    mongo_uri: str, database: Database
) -> None:
    raw = database.client[database.collections.name]
    await raw["auth_sessions"].drop_index("expires_at_1")
    await raw["auth_sessions"].create_index("expires_at", expireAfterSeconds=0)
    await (await open_database(mongo_uri, raw.name, queue_ttl_days=30)).close()
    assert (await raw["auth_sessions"].index_information())["expires_at_1"]["expireAfterSeconds"] == DAY_S


async def test_of_many_who_add_one_contact_there_is_one_entry(recorder: MongoRecorder) -> None:
    async def at_once(write: Write[bool]) -> int:
        # As several processes do it, which do not wait for each other.
        return sum(await asyncio.gather(*(recorder.record(str(number), write) for number in range(AT_ONCE))))

    contacts, owner, other, now = Contacts(), new_id(), new_id(), utc_now()
    await asyncio.gather(*(contacts.put(owner, other, nickname=UNSET, at=now) for _ in range(AT_ONCE)))
    assert await at_once(lambda transaction: contacts.block(transaction, owner, other, at=now)) == 1
    assert await ContactDocument.count() == 1
    assert await contacts.fetch_contact_ids(owner) == {other}
    assert await contacts.fetch_blocked_pairs(other, [owner]) == {owner}
    assert sum(await asyncio.gather(*(contacts.remove(owner, other) for _ in range(AT_ONCE)))) == 1
    assert await at_once(lambda transaction: contacts.unblock(transaction, owner, other)) == 1
    assert await ContactDocument.count() == 0


async def test_changes_of_different_fields_at_once_are_all_kept(recorder: MongoRecorder) -> None:
    users, ann = Users(), user("ann")
    await users.insert(ann)
    changes = [UserChanges(bio="b"), UserChanges(display_name="Ann B"), UserChanges(status_text="s")]

    async def store(change: UserChanges) -> None:
        await recorder.record(str(change), lambda transaction: users.update_profile(transaction, ann.id, change))

    await asyncio.gather(*(store(change) for change in changes), users.update(ann.id, UserChanges(settings_json="1")))
    stored = await users.fetch(ann.id)
    assert (stored.bio, stored.display_name, stored.status_text) == ("b", "Ann B", "s")
    assert stored.settings_json == "1"
    assert [record.id for record in await users.search(["b"], after=None, limit=5)] == [ann.id]


async def test_last_seen_only_increases() -> None:
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


async def test_a_start_renews_words_that_an_earlier_version_stored(mongo_uri: str, database: Database) -> None:
    users, soren, ann = Users(), structs.replace(user("soren"), display_name="Bo Søren"), user("ann")
    for record in (soren, ann):
        await users.insert(record)
    stored = database.collections["users"]
    renewed = await stored.find({}, sort=[("_id", 1)]).to_list(None)

    async def make_old() -> None:
        await stored.update_one({"username": "soren"}, {"$set": {"name_words": ["soren", "bo", "søren"]}})

    async def restart() -> None:
        again = await open_database(mongo_uri, database.collections.name, queue_ttl_days=30)
        await again.close()

    async def is_renewed() -> bool:
        return bool(await stored.find({}, sort=[("_id", 1)]).to_list(None) == renewed)

    await make_old()
    await restart()
    assert not await is_renewed(), "this epoch is done: nothing is read"

    await database.collections["meta"].delete_one({"key": FOLDING_KEY})
    await restart()
    assert await is_renewed(), "the version before noted nothing"

    await make_old()
    await write_history(database.client[database.collections.name], epoch=new_epoch(), schema_version=1)
    await restart()
    assert await is_renewed(), "a restore brought old words back"


async def test_renewing_more_accounts_than_fit_into_one_batch(database: Database) -> None:
    raw = database.client[database.collections.name]
    count = 2 * BATCH + 1
    await raw["users"].insert_many(
        {
            "username": f"n{number}",
            "username_folded": f"n{number}",
            "email_folded": f"n{number}",
            "display_name": "Łódź" if number % 2 else "Ann",
            "name_words": [f"n{number}", "łodz" if number % 2 else "ann"],
        }
        for number in range(count)
    )
    await raw["users"].insert_one({"username_folded": "damaged", "email_folded": "damaged"})
    not_utf8 = stored_account("badly") | {"display_name": "Łódź"}
    await raw["users"].insert_one(RawBSONDocument(encode(not_utf8).replace("Łódź".encode(), b"\xff" * 7)))
    await raw["meta"].delete_one({"key": FOLDING_KEY})
    epoch = await ensure_epoch(raw)
    assert await renew_name_words(raw, epoch) == BATCH
    assert await raw["users"].count_documents({"name_words": "lodz"}) == BATCH
    assert await raw["users"].count_documents({"name_words": "łodz"}) == 0
    assert await renew_name_words(raw, epoch) == 0
    await raw["meta"].delete_one({"key": FOLDING_KEY})
    assert await renew_name_words(raw, epoch) == 0, "doing it twice changes nothing"
