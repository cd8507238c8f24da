"""The embedded replica set, with the real mongod: what it starts with, keeps, refuses and survives."""

import asyncio
import os
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient, WriteConcern
from pymongo.errors import OperationFailure

from chat_mvp.errors import StartupError
from chat_mvp.mongod import EmbeddedMongo, start_embedded
from chat_mvp.mongod.layout import Layout

DURABLE = WriteConcern("majority", j=True)


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded") / "data"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mongo(directory: Path) -> AsyncIterator[EmbeddedMongo]:
    """The one that is shared by the tests that change nothing about it."""
    mongo = await start_embedded(directory)
    yield mongo
    await mongo.stop()


def insert(uri: str, name: str) -> None:
    with MongoClient[dict[str, Any]](uri) as client:
        client.test.get_collection("things", write_concern=DURABLE).insert_one({"name": name})


def names(uri: str) -> list[str]:
    with MongoClient[dict[str, Any]](uri) as client:
        return sorted(thing["name"] for thing in client.test.things.find())


def all_below(directory: Path) -> list[Path]:
    return [directory, *directory.rglob("*")]


def proc(path: str) -> str:
    return (Path("/proc") / path).read_text()


def admin(uri: str, command: str) -> dict[str, Any]:
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=5000) as client:
        return client.admin.command(command)


async def test_first_start_takes_durable_writes_and_transactions(tmp_path: Path) -> None:
    mongo = await start_embedded(tmp_path / "data")

    def transact() -> None:
        with MongoClient[dict[str, Any]](mongo.uri) as client, client.start_session() as session:
            with session.start_transaction(write_concern=DURABLE):
                client.test.things.insert_one({"name": "in a transaction"}, session=session)
            with session.start_transaction():
                client.test.things.insert_one({"name": "rolled back"}, session=session)
                session.abort_transaction()

    await asyncio.to_thread(insert, mongo.uri, "alone")
    await asyncio.to_thread(transact)
    assert await asyncio.to_thread(names, mongo.uri) == ["alone", "in a transaction"]
    await mongo.stop()


async def test_the_replica_set_has_the_settings_of_the_design(mongo: EmbeddedMongo) -> None:
    config = (await asyncio.to_thread(admin, mongo.uri, "replSetGetConfig"))["config"]
    assert [member["host"] for member in config["members"]] == [f"127.0.0.1:{mongo.port}"]
    assert config["settings"]["electionTimeoutMillis"] == 2000
    assert config["settings"]["heartbeatIntervalMillis"] == 500
    assert config["settings"]["catchUpTimeoutMillis"] == 200
    assert config["writeConcernMajorityJournalDefault"] is True


async def test_an_ordinary_restart_keeps_data_address_and_password(tmp_path: Path) -> None:
    first = await start_embedded(tmp_path / "data")
    await asyncio.to_thread(insert, first.uri, "kept")
    await first.stop()
    second = await start_embedded(tmp_path / "data")
    try:
        assert second.uri == first.uri
        assert await asyncio.to_thread(names, second.uri) == ["kept"]
    finally:
        await second.stop()


async def test_stopping_ends_the_process_and_frees_the_directory(tmp_path: Path) -> None:
    mongo = await start_embedded(tmp_path / "data")
    waiting = asyncio.create_task(mongo.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    await asyncio.gather(mongo.stop(), mongo.stop())
    await asyncio.wait_for(waiting, 1)
    await mongo.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(mongo.pid, 0)
    assert 'exitCode":0' in mongo.log_file.read_text()
    await (await start_embedded(tmp_path / "data")).stop()


async def test_a_second_server_on_the_directory_names_the_first(mongo: EmbeddedMongo, directory: Path) -> None:
    with pytest.raises(StartupError, match=rf"process {os.getpid()}\b"):
        await start_embedded(directory)
    await asyncio.to_thread(insert, mongo.uri, "the first is unharmed")


async def test_connections_without_the_password_are_refused(mongo: EmbeddedMongo) -> None:
    address = f"127.0.0.1:{mongo.port}"
    password = mongo.uri.partition("chat_mvp:")[2].partition("@")[0]

    def attempt(uri: str, command: dict[str, Any], database: str = "test") -> int | None:
        with MongoClient[dict[str, Any]](uri, directConnection=True) as client:
            with pytest.raises(OperationFailure) as caught:
                client[database].command(command)
            return caught.value.code

    wrong = f"mongodb://chat_mvp:{password[:-1]}!@{address}/"
    assert await asyncio.to_thread(attempt, wrong, {"find": "things"}) == 18
    for command in ({"find": "things"}, {"insert": "things", "documents": [{}]}, {"listDatabases": 1}):
        assert await asyncio.to_thread(attempt, f"mongodb://{address}/", command, "admin") == 13
    stranger = {"createUser": "stranger", "pwd": "password", "roles": ["root"]}
    assert await asyncio.to_thread(attempt, f"mongodb://{address}/", stranger, "admin") == 13
    evil = {"replSetInitiate": {"_id": "chat", "members": [{"_id": 0, "host": address}]}}
    assert await asyncio.to_thread(attempt, f"mongodb://{address}/", evil, "admin") == 13


async def test_the_user_cannot_make_users_change_the_set_or_shut_it_down(mongo: EmbeddedMongo) -> None:
    def refused(command: dict[str, Any]) -> int | None:
        with MongoClient[dict[str, Any]](mongo.uri) as client, pytest.raises(OperationFailure) as caught:
            client.admin.command(command)
        return caught.value.code

    assert await asyncio.to_thread(refused, {"createUser": "x", "pwd": "y", "roles": ["root"]}) == 13
    assert await asyncio.to_thread(refused, {"shutdown": 1}) == 13
    assert await asyncio.to_thread(refused, {"replSetStepDown": 1}) == 13
    assert await asyncio.to_thread(refused, {"setParameter": 1, "quiet": 0}) == 13


async def test_every_file_is_for_its_owner_alone(mongo: EmbeddedMongo, directory: Path) -> None:
    await asyncio.to_thread(insert, mongo.uri, "so that there are files")
    paths = all_below(directory)
    modes = {str(path): stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()}
    assert len(modes) > 20
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o177} == {}
    folders = {str(path): stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()}
    assert {path: oct(mode) for path, mode in folders.items() if mode != 0o700} == {}


async def test_no_secret_is_on_the_command_line_in_the_environment_or_in_the_log(mongo: EmbeddedMongo) -> None:
    layout = Layout(mongo.log_file.parent)
    secrets = [layout.password_file.read_text(), layout.key_file.read_text()]
    await asyncio.to_thread(insert, mongo.uri, "a signed-in write")
    places = {
        "command line": proc(f"{mongo.pid}/cmdline"),
        "environment": proc(f"{mongo.pid}/environ"),
        "log": mongo.log_file.read_text(),
        "configuration": layout.config_file.read_text(),
        "representation": repr(mongo) + repr(vars(mongo)),
    }
    assert "--config" in places["command line"]
    assert [name for name, text in places.items() if any(secret in text for secret in secrets)] == []
    assert secrets[0] in mongo.uri


async def test_it_listens_on_loopback_only(mongo: EmbeddedMongo) -> None:
    listening = "0A"
    rows = [row.split() for table in ("net/tcp", "net/tcp6") for row in proc(table).splitlines()[1:]]
    port = f"{mongo.port:04X}"
    addresses = {row[1].partition(":")[0] for row in rows if row[3] == listening and row[1].endswith(f":{port}")}
    assert addresses == {"0100007F"}
    assert f"mongodb-{mongo.port}.sock" not in proc("net/unix")


async def test_a_taken_port_is_replaced_and_the_replica_set_follows(tmp_path: Path) -> None:
    first = await start_embedded(tmp_path / "data")
    await asyncio.to_thread(insert, first.uri, "before")
    await first.stop()

    async def other_program(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(other_program, "127.0.0.1", first.port):
        second = await start_embedded(tmp_path / "data")
        assert second.port != first.port
        await asyncio.to_thread(insert, second.uri, "after")
        assert await asyncio.to_thread(names, second.uri) == ["after", "before"]
        await second.stop()
    third = await start_embedded(tmp_path / "data")
    assert third.port == second.port
    assert await asyncio.to_thread(names, third.uri) == ["after", "before"]
    await third.stop()


async def test_two_started_at_once_do_not_share_a_port(tmp_path: Path) -> None:
    one, two = await asyncio.gather(start_embedded(tmp_path / "one"), start_embedded(tmp_path / "two"))
    try:
        assert one.port != two.port
        await asyncio.to_thread(insert, one.uri, "one's")
        assert await asyncio.to_thread(names, two.uri) == []
    finally:
        await asyncio.gather(one.stop(), two.stop())


async def test_a_path_with_odd_characters(tmp_path: Path) -> None:
    mongo = await start_embedded(tmp_path / "données: #1 'of' \"two\"")
    await asyncio.to_thread(insert, mongo.uri, "x")
    await mongo.stop()


async def test_the_event_loop_runs_while_it_starts_and_stops(tmp_path: Path) -> None:
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - before)

    began = time.perf_counter()
    watching = asyncio.create_task(watch())
    mongo = await start_embedded(tmp_path / "data")
    await mongo.stop()
    watching.cancel()
    assert longest < (time.perf_counter() - began) / 5, "something waited without letting others have their turn"
