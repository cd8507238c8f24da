"""``chat-mvp backup`` and ``restore`` on real databases: under load, interrupted, with damaged files."""

import asyncio
import contextlib
import secrets
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import bson
import httpx
import pytest
from pymongo import MongoClient

from chat_mvp.backup.archive import ArchiveWriter
from chat_mvp.backup.manifest import Manifest
from chat_mvp.errors import StartupError
from chat_mvp.mongod.running import member_uri, running_uri
from chat_mvp.storage.client import open_database
from chat_mvp.storage.dump import open_dump
from chat_mvp.storage.load import open_load
from chat_mvp.times import utc_now
from tests.conftest import Launch
from tests.support.http import API, expect_json
from tests.support.people import Chat, Person
from tests.support.replica import Follower, assert_converges
from tests.support.server import Server
from tests.support.stored import stored_account
from tests.support.terminal import Outcome, refused, run_program

Documents = dict[str, list[dict[str, Any]]]

ACCOUNT = stored_account()


@pytest.fixture
def names(mongo_uri: str) -> Iterator[list[str]]:
    """Names of databases that go with the test."""
    found = [f"backup_{secrets.token_hex(5)}" for _ in range(2)]
    yield found
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        for name in found:
            client.drop_database(name)


@asynccontextmanager
async def embedded(directory: Path) -> AsyncIterator[Chat]:
    """A server with a MongoDB of its own, on whatever is in the directory already."""
    server = Server(mongo_uri=None, directory=directory, settings={"MONGO_DATABASE": "chat"})
    try:
        await server.start()
        async with Chat(server) as chat:
            yield chat
        assert await server.stop() == 0
    finally:
        server.kill()
    server.check_log()


def place(directory: Path) -> list[str]:
    return ["--data-dir", str(directory / "data"), "--mongo-database", "chat"]


async def run(*arguments: str | Path) -> Outcome:
    return await asyncio.to_thread(run_program, *arguments)


async def done(*arguments: str | Path) -> str:
    outcome = await run(*arguments)
    assert outcome.code == 0, outcome
    assert outcome.err == "", outcome
    return outcome.out


async def signed_in(chat: Chat, person: Person) -> Person:
    """Return the same person at another server."""
    body = {"login": person.username, "password": person.password}
    response = await chat.http.post(f"{API}/auth/login", json=body)
    return Person(chat, expect_json(response), email=person.email)


@contextmanager
def documents(uri: str, name: str) -> Iterator[Documents]:
    with MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        collections = ("users", "contacts", "conversations", "memberships", "messages", "message_queue", "meta")
        yield {it: list(client[name][it].find({}).sort("_id")) for it in collections}


def check_whole(found: Documents) -> None:
    """Fail unless everything that one moment promises holds: no gap, counters, marks and queues that agree."""
    messages = {message["_id"]: message for message in found["messages"]}
    seqs: dict[Any, list[int]] = {}
    for message in messages.values():
        seqs.setdefault(message["conversation_id"], []).append(message["seq"])
    conversations = {it["_id"]: it for it in found["conversations"]}
    assert seqs.keys() <= conversations.keys()
    for conversation_id, conversation in conversations.items():
        assert sorted(seqs.get(conversation_id, [])) == list(range(1, conversation["last_seq"] + 1))
        revs = [it["rev"] for it in messages.values() if it["conversation_id"] == conversation_id]
        assert max(revs, default=0) == conversation["rev"]
        members = [it for it in found["memberships"] if it["conversation_id"] == conversation_id]
        assert len(members) == conversation["member_count"]
        assert all(it["read_seq"] <= it["delivered_seq"] <= conversation["last_seq"] for it in members)
    for entry in found["message_queue"]:
        message = messages[entry["message_id"]]
        assert (message["conversation_id"], message["seq"]) == (entry["_id"]["conversation_id"], entry["_id"]["seq"])


async def talk(person: Person, room: str, stop: asyncio.Event) -> int:
    """Send, edit and react without a pause until ``stop`` is set, and return how many messages were acknowledged."""
    socket = await person.connect()
    count = 0
    while not stop.is_set():
        ack = await socket.say(room, f"{person.username} {count}")
        count += 1
        if count % 3 == 0:
            await socket.ask("message.edit", message_id=ack["message_id"], text=f"edited {count}")
        if count % 5 == 0:
            await socket.ask("reaction.add", message_id=ack["message_id"], emoji="👍")
    return count


async def test_a_backup_under_load_is_one_moment_and_its_restore_has_a_new_epoch(tmp_path: Path) -> None:
    file, stop = tmp_path / "backup.tar", asyncio.Event()
    async with embedded(tmp_path / "old") as chat:
        ann, bob, cem, dot = await chat.people("ann", "bob", "cem", "dot")
        rooms = [await ann.direct(bob), await ann.group(bob, cem, dot), await cem.group(bob, dot)]
        follower = Follower(bob)
        await follower.connect()
        talking = [
            asyncio.create_task(talk(person, room, stop))
            for person, room in ((ann, rooms[0]), (ann, rooms[1]), (bob, rooms[1]), (cem, rooms[2]))
        ]
        await asyncio.sleep(1)
        said = await done("backup", file, *place(tmp_path / "old"))
        with MongoClient[dict[str, Any]](member_uri(chat.server.data_dir)) as client:
            window = client.admin.command({"getParameter": 1, "minSnapshotHistoryWindowInSeconds": 1})
            assert window["minSnapshotHistoryWindowInSeconds"] == 0, "the past is kept for the backup only"
        await asyncio.sleep(0.3)
        stop.set()
        counts = await asyncio.gather(*talking)
        for room in rooms:
            await follower.catch_up_live(room)
        old_epoch, phantoms = follower.replica.epoch, {room: dict(follower.replica.messages[room]) for room in rooms}
        old_token = ann.refresh_token
        await follower.disconnect()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Protect it like the database" in said

    await done("restore", file, *place(tmp_path / "new"))
    async with embedded(tmp_path / "new") as chat:
        uri = running_uri(chat.server.data_dir)
        assert uri is not None
        with documents(uri, "chat") as found:
            check_whole(found)
            assert 0 < len(found["messages"]) < sum(counts), "it was taken while they talked"
            assert len(found["message_queue"]) > 0, "for dot, who is never there"
        follower.person = await signed_in(chat, bob)
        # Also where the server has got as far again: another history is not mistaken for the one that was known.
        again = await signed_in(chat, ann)
        for _ in range(3):
            await again.say(rooms[0], "after the restore")
        socket = await follower.connect()
        assert socket.ready["recovered"] is False
        assert socket.ready["epoch"] != old_epoch
        for room in rooms:
            await assert_converges(follower, room)
        lost = {key for room in rooms for key in phantoms[room]} - {str(it["_id"]) for it in found["messages"]}
        assert lost, "the client knew messages that the backup does not have"
        held = {key for messages in follower.replica.messages.values() for key in messages}
        assert not lost & held
        # Sessions are not in a backup: one that was signed out since must not come back.
        headers = {"Authorization": f"Bearer {ann.access_token}"}
        assert (await chat.http.get(f"{API}/users/me", headers=headers)).status_code == httpx.codes.UNAUTHORIZED
        refresh = await chat.http.post(f"{API}/auth/refresh", json={"refresh_token": old_token})
        assert refresh.status_code == httpx.codes.UNAUTHORIZED


async def test_an_external_mongodb_is_replaced_only_on_demand(
    launch: Launch, mongo_uri: str, tmp_path: Path, names: list[str]
) -> None:
    chat = await launch(MONGO_DATABASE=names[0])
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "before")
    file = tmp_path / "backup.tar"
    there = ["--data-dir", tmp_path, "--mongo-uri", mongo_uri, "--mongo-database", names[0]]
    await done("backup", file, *there)
    await ann.say(room, "after")

    line = (await run("restore", file, *there, "--replace")).err
    assert f"is using the database {names[0]}" in line
    assert "Stop it first." in line
    assert (await run("restore", "--cancel", *there)).code == 2
    assert (await run("epoch", "renew", *there)).code == 2
    assert len(await ann.history(room)) == 2
    await chat.server.stop()

    assert (
        "it holds 2 accounts and 2 messages. To replace all of that, add --replace"
        in (await run("restore", file, *there)).err
    )
    with documents(mongo_uri, names[0]) as before:
        assert len(before["messages"]) == 2
    await done("restore", file, *there, "--replace")
    await chat.server.start()
    ann = await signed_in(chat, ann)
    assert [message["text"] for message in await ann.history(room)] == ["before"]
    with documents(mongo_uri, names[0]) as found:
        assert epoch_of(found) != epoch_of(before)
        check_whole(found)


async def test_a_backup_written_into_a_directory_and_never_over_a_file(
    server: Server, mongo_uri: str, tmp_path: Path
) -> None:
    there = ["--mongo-uri", mongo_uri, "--mongo-database", server.database, "--data-dir", tmp_path]
    for _ in range(2):
        await done("backup", tmp_path, *there)
        await asyncio.sleep(1.1)  # names have seconds
    files = files_in(tmp_path, "chat-mvp-*.tar")
    assert len(files) == 2
    before = files[0].read_bytes()
    assert f"There is a file {files[0]} already" in refused(await run("backup", files[0], *there))
    assert files[0].read_bytes() == before
    assert "cannot be written" in refused(await run("backup", tmp_path / "no" / "such.tar", *there))
    assert files_in(tmp_path, "*.tar") == files
    assert files_in(tmp_path, ".*.tar*") == [], "no draft is left"


async def test_nothing_to_back_up(mongo_uri: str, tmp_path: Path, names: list[str]) -> None:
    there = ["--mongo-uri", mongo_uri, "--mongo-database", names[0]]
    assert f"no database of chat-mvp called {names[0]}" in refused(await run("backup", tmp_path / "a.tar", *there))
    assert "There is no database in" in refused(await run("backup", tmp_path / "a.tar", *place(tmp_path)))
    assert "no database of chat-mvp" in refused(await run("epoch", "renew", *there))
    assert files_in(tmp_path) == []


async def test_a_damaged_backup_changes_nothing(
    launch: Launch, mongo_uri: str, tmp_path: Path, names: list[str]
) -> None:
    chat = await launch(MONGO_DATABASE=names[0])
    ann, bob = await chat.people("ann", "bob")
    await ann.say(await ann.direct(bob), "hello")
    there = ["--mongo-uri", mongo_uri, "--mongo-database", names[0], "--data-dir", tmp_path / "data"]
    await done("backup", tmp_path / "whole.tar", *there)
    await chat.server.stop()
    whole = (tmp_path / "whole.tar").read_bytes()
    broken = bytearray(whole)
    broken[1_600] ^= 0xFF  # in the first part
    with documents(mongo_uri, names[0]) as before:
        for content in (b"", b"hello", whole[:-2_000], whole[: len(whole) // 2], bytes(broken)):
            (tmp_path / "other.tar").write_bytes(content)
            refused(await run("restore", tmp_path / "other.tar", *there, "--replace"))
        refused(await run("restore", tmp_path / "missing.tar", *there, "--replace"))
    with documents(mongo_uri, names[0]) as after:
        assert after == before


async def test_duplicates_in_a_backup_change_nothing(
    launch: Launch, mongo_uri: str, tmp_path: Path, names: list[str]
) -> None:
    chat = await launch(MONGO_DATABASE=names[0])
    ann, bob = await chat.people("ann", "bob")
    await ann.say(await ann.direct(bob), "hello")
    await chat.server.stop()
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        client[names[0]]["messages"].drop_indexes()
        twice = client[names[0]]["messages"].find_one({})
        assert twice is not None
        client[names[0]]["messages"].insert_one({**twice, "_id": bson.ObjectId()})
    there = ["--mongo-uri", mongo_uri, "--data-dir", tmp_path / "data", "--mongo-database"]
    await done("backup", tmp_path / "twice.tar", *there, names[0])
    outcome = await run("restore", tmp_path / "twice.tar", *there, names[1])
    assert outcome.code == 2
    assert "documents of messages that cannot be stored together" in outcome.err
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        assert client[names[1]]["meta"].count_documents({}) == 0
        assert [it for it in client[names[1]].list_collection_names() if it != "meta"] == []


@pytest.mark.parametrize("phase", ["loading", "switching"])
async def test_no_server_starts_on_a_database_that_is_half_restored(
    launch: Launch, mongo_uri: str, tmp_path: Path, names: list[str], phase: str
) -> None:
    chat = await launch(MONGO_DATABASE=names[0])
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    await ann.say(room, "hello")
    there = ["--mongo-uri", mongo_uri, "--mongo-database", names[0], "--data-dir", tmp_path / "data"]
    await done("backup", tmp_path / "backup.tar", *there)
    await chat.server.stop()

    async with open_load(mongo_uri, names[0], queue_ttl_days=30) as load:
        await load.begin(utc_now())  # and then it is killed
    if phase == "switching":
        with MongoClient[dict[str, Any]](mongo_uri) as client:
            client[names[0]]["meta"].update_one({"key": "restore"}, {"$set": {"value.phase": "switching"}})
            client[names[0]]["messages"].drop()
    line = refused(await run("serve", "--port", "0", *there))
    assert f"A restore of the database {names[0]} is in progress, or was interrupted." in line
    assert "run chat-mvp restore FILE --replace again" in line
    assert "A restore of the database" in refused(await run("backup", tmp_path / "another.tar", *there))
    findings = (await run("doctor", "--port", "0", *there)).out
    assert "PROBLEM\trestore" in findings

    cancelled = await run("restore", "--cancel", *there)
    if phase == "switching":
        assert "A restore of the database" in refused(cancelled)
        await done("restore", tmp_path / "backup.tar", *there)
    else:
        assert cancelled.code == 0
    await chat.server.start()
    ann = await signed_in(chat, ann)
    assert [message["text"] for message in await ann.history(room)] == ["hello"]


async def test_a_new_epoch_for_what_other_tools_have_restored(
    launch: Launch, mongo_uri: str, tmp_path: Path, names: list[str]
) -> None:
    chat = await launch(MONGO_DATABASE=names[0])
    (ann,) = await chat.people("ann")
    old = (await ann.connect()).ready["epoch"]
    await chat.server.stop()
    said = await done("epoch", "renew", "--mongo-uri", mongo_uri, "--mongo-database", names[0], "--data-dir", tmp_path)
    await chat.server.start()
    ready = (await ann.connect(known={}, epoch=old)).ready
    assert ready["recovered"] is False
    assert ready["epoch"] in said


async def test_an_embedded_database_that_was_emptied_is_noticed_and_can_be_restored(tmp_path: Path) -> None:
    async with embedded(tmp_path / "old") as chat:
        (ann,) = await chat.people("ann")
        await done("backup", tmp_path / "backup.tar", *place(tmp_path / "old"))
    data = tmp_path / "old" / "data"
    for lost in (data / "mongod" / "db", data / "mongod"):
        shutil.rmtree(lost)
        for _ in range(2):
            line = refused(await run("serve", "--port", "0", *place(tmp_path / "old")))
            assert f"The database in {data} is empty" in line
            assert "chat-mvp restore" in line
        assert (
            "PROBLEM\tdatabase\tThe database in" in (await run("doctor", "--port", "0", *place(tmp_path / "old"))).out
        )
    await done("restore", tmp_path / "backup.tar", *place(tmp_path / "old"))
    async with embedded(tmp_path / "old") as chat:
        assert (await signed_in(chat, ann)).id == ann.id
    shutil.rmtree(data / "mongod" / "db")
    (data / "database-epoch").unlink()
    async with embedded(tmp_path / "old") as chat:
        assert "although a server has run there before" in chat.server.log


async def test_a_restore_beside_a_running_server_is_refused(tmp_path: Path) -> None:
    async with embedded(tmp_path / "old"):
        await done("backup", tmp_path / "backup.tar", *place(tmp_path / "old"))
        for command in (["restore", tmp_path / "backup.tar", "--replace"], ["epoch", "renew"], ["restore", "--cancel"]):
            outcome = await run(*command, *place(tmp_path / "old"))
            assert outcome.code == 2
            assert "is using the data directory" in outcome.err
            assert len(outcome.err.splitlines()) == 1


async def test_a_history_window_that_is_too_short_is_reported(
    mongo_uri: str, server: Server, chat: Chat, tmp_path: Path
) -> None:
    """The session's own MongoDB keeps no past, as docs/mongodb.md advises: a backup beside writes may find it gone."""
    ann, bob = await chat.people("ann", "bob")
    room = await ann.direct(bob)
    async with open_dump(mongo_uri, server.database) as dump:
        with contextlib.suppress(StartupError):
            for number in range(200):
                await ann.say(room, f"message {number}")
                if number % 20 == 19:
                    _ = [batch async for batch in dump.read("messages")]
            raise AssertionError("the past is kept after all")
        with pytest.raises(StartupError, match="minSnapshotHistoryWindowInSeconds"):
            _ = [batch async for batch in dump.read("messages")]


async def test_a_second_restore_and_a_cancel_beside_a_restore_are_refused(
    mongo_uri: str, tmp_path: Path, names: list[str]
) -> None:
    path = made_up(tmp_path / "made-up.tar", bson.encode(ACCOUNT))
    there = ["--mongo-uri", mongo_uri, "--mongo-database", names[0], "--data-dir", tmp_path / "data"]
    async with open_load(mongo_uri, names[0], queue_ttl_days=30) as load:
        await load.begin(utc_now())
        await load.insert("users", [bson.encode({"_id": 1})])
        for command in (["restore", path, "--replace"], ["restore", "--cancel"], ["epoch", "renew"]):
            outcome = await run(*command, *there)
            assert outcome.code == 2
            assert "another restore" in outcome.err
        await load.cancel()
    await done("restore", path, *there)


async def test_a_database_of_a_newer_version_is_left_alone(mongo_uri: str, names: list[str]) -> None:
    await (await open_database(mongo_uri, names[0], queue_ttl_days=30)).close()
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        client[names[0]]["meta"].update_one({"key": "schema_version"}, {"$inc": {"value": 1}})
    with pytest.raises(StartupError, match="schema version 2, and this program knows 1"):
        await open_database(mongo_uri, names[0], queue_ttl_days=30)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (b"\x0c\x00\x00\x00\x7fid\x00\x01\x02\x03\x00", "the document"),
        (bson.encode({"_id": bson.ObjectId()}), "username"),
        (bson.encode(ACCOUNT | {"_id": [1, 2]}), "_id"),
        (bson.encode(ACCOUNT | {"name_words": "ann"}), "name_words"),
        (bson.encode(ACCOUNT | {"created_at": "now"}), "created_at"),
        (bson.encode(ACCOUNT | {"username": b"ann"}), "username"),
    ],
)
async def test_documents_of_another_shape_change_nothing(
    mongo_uri: str, tmp_path: Path, names: list[str], document: bytes, field: str
) -> None:
    path = made_up(tmp_path / "made-up.tar", document)
    arguments = ["--mongo-uri", mongo_uri, "--mongo-database", names[0], "--data-dir", tmp_path / "data"]
    outcome = await run("restore", path, *arguments)
    assert outcome.code == 2
    assert f"{field} of document 1 in users/000001.bson.gz is not as a server stores it" in outcome.err
    assert len(outcome.err.splitlines()) == 1
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        assert client[names[0]].list_collection_names() == []


def made_up(path: Path, document: bytes) -> Path:
    """Write a backup, with hashes and counts that are right, of one document."""
    with path.open("wb") as file:
        archive = ArchiveWriter(file)
        archive.add_part("users", document, 1)
        about = {"chat_mvp_version": "1", "mongodb_version": "6", "database": "chat", "epoch": "e", "taken_at": "now"}
        archive.finish(Manifest(**about, schema_version=1, collections={"users": 1}, parts=archive.parts))
    return path


def files_in(directory: Path, pattern: str = "*") -> list[Path]:
    return sorted(directory.glob(pattern))


def epoch_of(found: Documents) -> str:
    (epoch,) = [str(it["value"]) for it in found["meta"] if it["key"] == "epoch"]
    return epoch
