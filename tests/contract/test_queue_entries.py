"""The entries of a queue themselves: attempts are counted, old ones expire, and they go with their owner."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

from tests.conftest import Launch
from tests.support.http import expect_json, expect_nothing
from tests.support.people import Chat, Person
from tests.support.replset import ThreeNodes
from tests.support.waiting import eventually

Database = AsyncIOMotorDatabase[dict[str, Any]]


@contextmanager
def database_of(chat: Chat) -> Iterator[Database]:
    """Open the database of a server."""
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(chat.server.mongo_uri, tz_aware=True)
    with closing(client):
        yield client[chat.server.database]


async def entries(database: Database, person: Person) -> list[dict[str, Any]]:
    """Return the queue entries of a user, by conversation and ``seq``."""
    query = {"_id.recipient_id": ObjectId(person.id)}
    return await database["message_queue"].find(query, sort=[("_id", 1)]).to_list(None)


async def attempts(database: Database, person: Person) -> list[int]:
    return [entry["attempts"] for entry in await entries(database, person)]


async def test_attempts_are_counted(chat: Chat) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room = await ann.group(bob, cat)
    first = (await ann.say(room, "first"))["seq"]
    with database_of(chat) as database:
        before = len(await attempts(database, cat))
        assert set(await attempts(database, bob)) == {0}
        await (await bob.connect()).close()
        await eventually(lambda: attempts(database, bob), lambda counts: set(counts) == {1})
        await ann.say(room, "second")
        await (await bob.connect()).close()
        await eventually(lambda: attempts(database, bob), lambda counts: (set(counts[:-1]), counts[-1]) == ({2}, 1))

        socket = await bob.connect()
        await socket.send("delivered", conversation_id=room, seq=first)
        await eventually(lambda: attempts(database, bob), lambda left: left == [2])
        assert await attempts(database, cat) == [0] * (before + 1), "each person's are their own"


async def test_entries_say_what_is_urgent(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    sent = [await ann.say(room, priority, priority=priority) for priority in ("normal", "high", "normal")]
    with database_of(chat) as database:
        waiting = await entries(database, bob)
    assert [entry["priority"] for entry in waiting] == [1, 0, 1]
    assert [str(entry["message_id"]) for entry in waiting] == [message["id"] for message in sent]
    assert [entry["_id"]["seq"] for entry in waiting] == [1, 2, 3]


async def test_entries_expire_and_their_messages_stay(launch: Launch, tmp_path: Path) -> None:
    # These look for what has expired every second, and not once a minute.
    async with ThreeNodes(tmp_path) as nodes:
        chat = await launch(nodes.uri, QUEUE_TTL_DAYS="2")
        ann, bob = await chat.people("ann", "bob")
        room = await ann.direct(bob)
        for text in ("three days ago", "yesterday", "now"):
            await ann.say(room, text)
        with database_of(chat) as database:
            old, recent, _ = await entries(database, bob)
            for entry, days in ((old, 3), (recent, 1)):
                aged = {"$set": {"created_at": entry["created_at"] - timedelta(days=days)}}
                await database["message_queue"].update_one({"_id": entry["_id"]}, aged)
                await database["messages"].update_one({"_id": entry["message_id"]}, aged)
            left = await eventually(lambda: entries(database, bob), lambda left: len(left) < 3, within=20.0)
            assert [entry["_id"]["seq"] for entry in left] == [2, 3]
        socket = await bob.connect()
        assert socket.ready["queued"] == 2
        assert socket.texts(room) == ["yesterday", "now"]
        assert [message["text"] for message in await bob.history(room)] == ["three days ago", "yesterday", "now"]


async def test_another_time_to_live_counts_from_the_next_start(launch: Launch) -> None:
    chat = await launch(QUEUE_TTL_DAYS="2")
    again = await launch(QUEUE_TTL_DAYS="5", MONGO_DATABASE=chat.server.database)
    again.server.database = chat.server.database
    with database_of(again) as database:
        index = (await database["message_queue"].index_information())["queue_ttl"]
    assert index["expireAfterSeconds"] == 5 * 24 * 60 * 60


@pytest.mark.parametrize("way", ["leaves", "is removed", "the conversation is deleted"])
async def test_entries_go_when_their_owner_does(chat: Chat, way: str) -> None:
    ann, bob, cat = await chat.people("ann", "bob", "cat")
    room, stays = await ann.group(bob, cat), await ann.direct(bob)
    message = await ann.say(room, "never delivered")
    await ann.say(stays, "stays")
    with database_of(chat) as database:
        assert len(await entries(database, bob)) > 1
        cats = len(await entries(database, cat))
        if way == "leaves":
            expect_nothing(await bob.post(f"/conversations/{room}/leave"))
        elif way == "is removed":
            expect_nothing(await ann.delete(f"/conversations/{room}/members/{bob.id}"))
        else:
            expect_nothing(await ann.delete(f"/conversations/{room}"))
        left = await eventually(lambda: entries(database, bob), lambda left: len(left) == 1)
        assert [str(entry["_id"]["conversation_id"]) for entry in left] == [stays]
        if way != "the conversation is deleted":
            assert len(await entries(database, cat)) == cats + 1, "the others keep theirs, and hear of it"
            expect_json(await ann.put(f"/conversations/{room}/members/{bob.id}"))
            later = await ann.say(room, "since they are back")
            waiting = [str(entry["message_id"]) for entry in await entries(database, bob)]
            assert later["id"] in waiting
            assert message["id"] not in waiting
