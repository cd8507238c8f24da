"""The embedded replica set when processes die, files are wrong, and ports or directories are in use."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient, WriteConcern

from chat_mvp.errors import StartupError
from chat_mvp.mongod import EmbeddedMongo, ports, start_embedded
from chat_mvp.mongod.config import render
from chat_mvp.mongod.credentials import load_or_create
from chat_mvp.mongod.discover import find_mongod
from chat_mvp.mongod.layout import Layout, prepare
from chat_mvp.mongod.process import stop_leftover
from tests.support.waiting import eventually

DURABLE = WriteConcern("majority", j=True)
ROOT = Path(__file__).parents[2]


@pytest.fixture
async def mongo(tmp_path: Path) -> AsyncIterator[EmbeddedMongo]:
    mongo = await start_embedded(tmp_path / "data")
    yield mongo
    await mongo.stop()


@contextlib.contextmanager
def parent(directory: Path) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """A server in a process of its own: the process, its mongod's process id, and the address."""
    command = [sys.executable, "-m", "tests.support.mongo_parent", str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline()), process.stdout.readline().strip()
        finally:
            process.kill()


def insert(uri: str, name: str) -> None:
    with MongoClient[dict[str, Any]](uri) as client:
        client.test.get_collection("things", write_concern=DURABLE).insert_one({"name": name})


def names(uri: str) -> list[str]:
    with MongoClient[dict[str, Any]](uri) as client:
        return sorted(thing["name"] for thing in client.test.things.find())


def alive(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())  # empty once it has ended
    except FileNotFoundError:
        return False


def processes_of(directory: Path) -> list[int]:
    """Every process whose command line names something below the directory."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and os.fsencode(directory) in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found


@contextlib.contextmanager
def orphan(layout: Layout, program: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A mongod on these files that nothing ends, as it is where no signal comes when the parent dies."""
    command = [str(program), "--config", str(layout.config_file)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            yield process
        finally:
            process.kill()


async def until(condition: Callable[[], Any]) -> None:
    async def probe() -> Any:
        return condition()

    await eventually(probe, within=20)


async def test_a_killed_mongod_restarts_on_the_same_port_and_a_client_continues(mongo: EmbeddedMongo) -> None:
    with MongoClient[dict[str, Any]](mongo.uri) as client:
        things = client.test.get_collection("things", write_concern=DURABLE)
        for count in range(3):
            await asyncio.to_thread(things.insert_one, {"count": count})
            before, killed = mongo.pid, time.monotonic()
            os.kill(before, signal.SIGKILL)
            await asyncio.sleep(0)
            await asyncio.to_thread(things.insert_one, {"count": count + 100})
            assert time.monotonic() - killed < 5
            await until(lambda count=count: mongo.restarts > count)
            assert mongo.pid != before
        found = await asyncio.to_thread(things.distinct, "count")
    assert found == [0, 1, 2, 100, 101, 102]


async def test_a_mongod_that_ends_by_itself_is_started_again_too(mongo: EmbeddedMongo) -> None:
    os.kill(mongo.pid, signal.SIGTERM)
    await until(lambda: mongo.restarts > 0)
    await asyncio.to_thread(insert, mongo.uri, "again")


async def test_stopping_in_the_middle_of_a_restart_leaves_nothing_running(tmp_path: Path) -> None:
    mongo = await start_embedded(tmp_path / "data")
    first = mongo.pid
    os.kill(first, signal.SIGKILL)
    await asyncio.sleep(0.15)
    await mongo.stop()
    assert processes_of(tmp_path / "data") == []
    await (await start_embedded(tmp_path / "data")).stop()


async def test_a_port_taken_while_it_was_down_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mongo = await start_embedded(tmp_path / "data")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        os.kill(mongo.pid, signal.SIGKILL)
        while True:
            with contextlib.suppress(OSError):
                other.bind(("127.0.0.1", mongo.port))
                other.listen()
                break
            await asyncio.sleep(0)
        with caplog.at_level(logging.ERROR):
            await until(lambda: "was taken" in caplog.text)
    await until(lambda: mongo.restarts > 0)
    await asyncio.to_thread(insert, mongo.uri, "back")
    await mongo.stop()


async def test_after_kill_of_the_server_its_mongod_ends_and_the_next_start_has_everything(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with parent(directory) as (process, pid, uri):
        await asyncio.to_thread(insert, uri, "acknowledged")
        process.kill()
        process.wait()
        mongo = await start_embedded(directory)
        assert mongo.uri == uri
        assert mongo.pid != pid
        assert await asyncio.to_thread(names, mongo.uri) == ["acknowledged"]
        await mongo.stop()
        assert not alive(pid)


async def test_after_kill_of_the_server_mongod_ends_even_without_a_new_start(tmp_path: Path) -> None:
    with parent(tmp_path / "data") as (process, pid, _):
        process.kill()
        process.wait()
        await until(lambda: not alive(pid))


async def test_a_leftover_mongod_that_nothing_ends_is_ended_by_the_next_start(tmp_path: Path) -> None:
    first = await start_embedded(tmp_path / "data")
    await asyncio.to_thread(insert, first.uri, "kept")
    await first.stop()
    layout = Layout(tmp_path / "data")
    program = (await find_mongod()).program
    with orphan(layout, program) as left:
        await until((layout.db_dir / "mongod.lock").read_text)
        second = await start_embedded(tmp_path / "data")
        assert left.poll() is not None
    assert second.uri == first.uri
    assert await asyncio.to_thread(names, second.uri) == ["kept"]
    await second.stop()


async def test_a_leftover_mongod_that_hangs_is_killed(tmp_path: Path) -> None:
    await (await start_embedded(tmp_path / "data")).stop()
    layout = Layout(tmp_path / "data")
    program = (await find_mongod()).program
    with orphan(layout, program) as left:
        await until((layout.db_dir / "mongod.lock").read_text)
        left.send_signal(signal.SIGSTOP)
        assert await stop_leftover(layout, seconds=0.3) == [left.pid]
        assert left.wait(5) == -signal.SIGKILL
    await (await start_embedded(tmp_path / "data")).stop()


async def test_a_stranger_with_the_process_id_of_our_mongod_is_left_alone(tmp_path: Path) -> None:
    await (await start_embedded(tmp_path / "data")).stop()
    with sleeper() as stranger:
        (tmp_path / "data" / "mongod" / "db" / "mongod.lock").write_text(f"{stranger.pid}\n")
        await (await start_embedded(tmp_path / "data")).stop()
        assert stranger.poll() is None


async def test_two_servers_are_kept_apart_across_processes(tmp_path: Path) -> None:
    with parent(tmp_path / "data") as (process, pid, uri):
        with pytest.raises(StartupError, match=rf"process {process.pid}\b"):
            await start_embedded(tmp_path / "data")
        assert alive(pid)
        await asyncio.to_thread(insert, uri, "unharmed")


@pytest.mark.parametrize("port_file", ["kept", "lost"])
async def test_a_first_start_killed_before_the_user_was_made_is_finished_by_the_next(
    tmp_path: Path, port_file: str
) -> None:
    layout = prepare(tmp_path / "data")
    credentials = load_or_create(layout)
    port = ports.choose(None)
    ports.remember(layout.port_file, port)
    layout.config_file.write_text(render(layout, port=port, cache_gb=0.25))
    with orphan(layout, (await find_mongod()).program):
        await asyncio.to_thread(initiate_only, port, credentials.key)
    if port_file == "lost":
        layout.port_file.unlink()
    mongo = await start_embedded(layout.data_dir)
    await asyncio.to_thread(insert, mongo.uri, "finished")
    assert (mongo.port == port) == (port_file == "kept")
    await mongo.stop()


def initiate_only(port: int, key: str) -> None:
    with MongoClient[dict[str, Any]](
        "127.0.0.1", port, directConnection=True, username="__system", password=key, authSource="local"
    ) as client:
        members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
        client.admin.command("replSetInitiate", {"_id": "chat", "members": members})
        while not client.admin.command("hello")["isWritablePrimary"]:
            time.sleep(0.02)


@pytest.mark.parametrize("lost", [["password"], ["keyfile"], ["port"], ["password", "keyfile", "port", "mongod.conf"]])
async def test_lost_files_are_made_again_and_the_data_is_there(tmp_path: Path, lost: list[str]) -> None:
    first = await start_embedded(tmp_path / "data")
    await asyncio.to_thread(insert, first.uri, "kept")
    await first.stop()
    for name in lost:
        (tmp_path / "data" / "mongod" / name).unlink()
    second = await start_embedded(tmp_path / "data")
    assert await asyncio.to_thread(names, second.uri) == ["kept"]
    assert (second.uri == first.uri) == (lost == ["keyfile"])
    await second.stop()


async def test_damaged_files_are_said_in_a_line(tmp_path: Path) -> None:
    await (await start_embedded(tmp_path / "data")).stop()
    for damaged in ("WiredTiger.turtle", "WiredTiger.wt"):
        (tmp_path / "data" / "mongod" / "db" / damaged).write_bytes(b"nonsense")
    with pytest.raises(StartupError, match="did not start") as caught:
        await start_embedded(tmp_path / "data")
    assert "\n" not in str(caught.value)
    assert "mongod.log" in caught.value.remedy


async def test_a_program_that_ends_at_once_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "mongod"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "db version v8.0.0" && exit 0\necho no libgreat >&2; exit 3\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    with pytest.raises(StartupError, match=r"did not start: no libgreat \(exit code 3\)"):
        await start_embedded(tmp_path / "data")
    with pytest.raises(StartupError, match="did not start"):
        await start_embedded(tmp_path / "data")


async def test_a_file_in_place_of_the_directory_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(StartupError, match="cannot be used"):
        await start_embedded(tmp_path / "data")


async def test_a_file_that_is_in_the_way_is_reported(tmp_path: Path) -> None:
    (prepare(tmp_path / "data").data_dir / "mongod.log").mkdir()
    with pytest.raises(StartupError, match=r"mongod.log: is a directory") as caught:
        await start_embedded(tmp_path / "data")
    assert "--data-dir" in caught.value.remedy
    (tmp_path / "data" / "mongod.log").rmdir()
    await (await start_embedded(tmp_path / "data")).stop()


async def test_the_log_is_kept_within_bounds_while_it_runs(tmp_path: Path) -> None:
    mongo = await start_embedded(tmp_path / "data", log_limit=20_000, log_check_seconds=0.1)
    before = mongo.log_file.with_name("mongod.log.1")
    await until(lambda: before.exists() and mongo.log_file.exists())
    await asyncio.to_thread(insert, mongo.uri, "goes on")
    assert mongo.log_file.stat().st_mode & 0o777 == 0o600
    assert mongo.restarts == 0
    await mongo.stop()
    assert 'exitCode":0' in mongo.log_file.read_text()
    assert sorted(path.name for path in mongo.log_file.parent.glob("mongod.log*")) == ["mongod.log", "mongod.log.1"]


async def test_a_start_that_is_called_off_leaves_nothing_running(tmp_path: Path) -> None:
    starting = asyncio.create_task(start_embedded(tmp_path / "data"))
    await asyncio.sleep(0.3)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert processes_of(tmp_path / "data") == []
    await (await start_embedded(tmp_path / "data")).stop()
