"""The program that sets up docker compose's replica set, run without Docker against three loopback mongods."""

import asyncio
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient, WriteConcern
from pymongo.errors import OperationFailure

from tests.support.replset import ThreeNodes
from tests.support.waiting import eventually

ALL_WELL = ["PRIMARY", "SECONDARY", "SECONDARY"]
INIT = Path(__file__).parents[2] / "docker" / "mongo-replset" / "init.py"


def run(step: str, directory: Path, hosts: list[str], *more: str) -> subprocess.CompletedProcess[str]:
    files = {"--key-file": "keyfile", "--password-file": "password", "--settings-file": "chat-mvp.toml"}
    command = [sys.executable, str(INIT), step, f"--hosts={','.join(hosts)}", *more]
    command += [f"{flag}={directory / name}" for flag, name in files.items()]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def uri(directory: Path) -> str:
    text: str = tomllib.loads((directory / "chat-mvp.toml").read_text())["mongo_uri"]
    return text


def insert_and_count(uri: str) -> int:
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=10_000) as client:
        things = client.test.get_collection("things", write_concern=WriteConcern("majority", j=True))
        things.insert_one({})
        return things.count_documents({})


def test_secrets_are_made_once_and_for_their_owners_alone(tmp_path: Path) -> None:
    hosts = ["mongo1:27017", "mongo2:27017", "mongo3:27017"]
    assert run("secrets", tmp_path, hosts).returncode == 0
    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert set(made) == {"keyfile", "password", "chat-mvp.toml"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o400}
    assert uri(tmp_path) == (
        f"mongodb://chat_mvp:{made['password']}@mongo1:27017,mongo2:27017,mongo3:27017/?replicaSet=chat&authSource=admin"
    )
    assert run("secrets", tmp_path, hosts).returncode == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == made


def test_secrets_differ_from_place_to_place(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        assert run("secrets", tmp_path / name, ["a:1"]).returncode == 0
    assert (tmp_path / "one" / "keyfile").read_text() != (tmp_path / "two" / "keyfile").read_text()
    assert (tmp_path / "one" / "password").read_text() != (tmp_path / "two" / "password").read_text()


def test_a_first_run_that_was_cut_off_is_completed(tmp_path: Path) -> None:
    run("secrets", tmp_path, ["a:1"])
    key = (tmp_path / "keyfile").read_text()
    (tmp_path / "chat-mvp.toml").unlink()
    assert run("secrets", tmp_path, ["a:1"]).returncode == 0
    assert (tmp_path / "keyfile").read_text() == key
    assert (tmp_path / "password").read_text() in uri(tmp_path)


def test_members_that_do_not_answer_are_said_in_a_line(tmp_path: Path) -> None:
    run("secrets", tmp_path, ["127.0.0.1:1"])
    ended = run("replset", tmp_path, ["127.0.0.1:1"], "--seconds=0")
    assert ended.returncode == 1
    assert ended.stderr == "The replica set could not be set up: 127.0.0.1:1 does not answer\n"


async def test_three_fresh_mongods_become_a_replica_set_that_survives_its_primary(tmp_path: Path) -> None:
    nodes = ThreeNodes(tmp_path, key_file=tmp_path / "keyfile", initiate=False, name="chat")
    run("secrets", tmp_path, nodes.hosts)
    async with nodes:
        for _ in range(2):
            ended = await asyncio.to_thread(run, "replset", tmp_path, nodes.hosts)
            assert (ended.returncode, ended.stderr) == (0, "")
            assert (tmp_path / "password").read_text() not in ended.stdout
        assert await asyncio.to_thread(insert_and_count, uri(tmp_path)) == 1
        killed = await nodes.kill_primary()
        assert await asyncio.to_thread(insert_and_count, uri(tmp_path)) == 2
        await nodes.restart(killed)

        def signed_in(command: str) -> dict[str, Any]:
            with MongoClient[dict[str, Any]](uri(tmp_path)) as client:
                return client.admin.command(command)

        async def states() -> dict[str, str]:
            status = await asyncio.to_thread(signed_in, "replSetGetStatus")
            return {member["name"]: member["stateStr"] for member in status["members"]}

        # The one that was killed is back when a heartbeat of the others has reached it.
        found = await eventually(states, lambda them: sorted(them.values()) == ALL_WELL, within=20.0)
        assert set(found) == set(nodes.hosts)
        settings = (await asyncio.to_thread(signed_in, "replSetGetConfig"))["config"]["settings"]
        assert (settings["electionTimeoutMillis"], settings["heartbeatIntervalMillis"]) == (2000, 500)


async def test_a_password_is_required_and_a_new_one_is_taken_over(tmp_path: Path) -> None:
    nodes = ThreeNodes(tmp_path, key_file=tmp_path / "keyfile", initiate=False, name="chat")
    run("secrets", tmp_path, nodes.hosts)

    def refused(uri: str) -> int | None:
        with MongoClient[dict[str, Any]](uri, directConnection=True) as client:
            with pytest.raises(OperationFailure) as caught:
                client.admin.command({"replSetInitiate": {}})
            return caught.value.code

    async with nodes:
        assert await asyncio.to_thread(refused, f"mongodb://{nodes.hosts[0]}/") == 13
        assert (await asyncio.to_thread(run, "replset", tmp_path, nodes.hosts)).returncode == 0
        assert await asyncio.to_thread(refused, f"mongodb://{nodes.hosts[0]}/") == 13
        for name in ("password", "chat-mvp.toml"):
            (tmp_path / name).unlink()
        run("secrets", tmp_path, nodes.hosts)
        assert (await asyncio.to_thread(run, "replset", tmp_path, nodes.hosts)).returncode == 0
        assert await asyncio.to_thread(insert_and_count, uri(tmp_path)) == 1
