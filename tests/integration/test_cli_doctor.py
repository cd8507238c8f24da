"""``chat-mvp doctor`` against real databases."""

import json
import secrets
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from chat_mvp.storage.client import open_database
from tests.support.server import Server, free_port
from tests.support.terminal import Outcome, refused, run_program


def examine(*arguments: str | Path, code: int) -> dict[str, dict[str, Any]]:
    outcome = run_program("doctor", "--json", *arguments)
    assert outcome.code == code, outcome
    assert outcome.err == ""
    return {finding["check"]: finding for finding in json.loads(outcome.out)}


def test_a_new_machine_is_well(tmp_path: Path) -> None:
    found = examine("--port", str(free_port()), "--data-dir", tmp_path / "data", code=0)
    assert set(found) == {
        "open files",
        "port",
        "data directory",
        "settings file",
        "disk",
        "MongoDB",
        "database",
        "indexes",
        "clock",
    }
    assert found["MongoDB"]["detail"] == "The embedded one, started for this check."
    assert found["indexes"]["detail"] == "The database is empty. The first start builds them."


def test_a_running_server_is_found(tmp_path: Path, server: Server) -> None:
    arguments = ["--data-dir", tmp_path, "--mongo-uri", server.mongo_uri, "--mongo-database", server.database]
    found = examine("--port", str(server.port), *arguments, code=0)
    assert found["port"]["detail"] == f"chat-mvp answers on 127.0.0.1 port {server.port}."
    assert found["MongoDB"]["detail"] == "The one in the settings."
    assert found["indexes"]["detail"] == "All exist."


async def test_a_missing_index_is_named(tmp_path: Path, mongo_uri: str) -> None:
    name = f"chat_{secrets.token_hex(6)}"
    await (await open_database(mongo_uri, name, queue_ttl_days=30)).close()
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        client[name]["messages"].drop_index([("conversation_id", 1), ("seq", 1)])
        client[name]["message_queue"].drop_index("queue_ttl")
    arguments = ["--data-dir", tmp_path, "--mongo-uri", mongo_uri, "--mongo-database", name]
    found = examine("--port", str(free_port()), *arguments, code=1)
    assert found["indexes"]["status"] == "problem"
    assert "messages(conversation_id, seq) unique; message_queue(created_at)" in found["indexes"]["detail"]
    assert found["indexes"]["remedy"]


async def test_duplicates_that_keep_a_server_from_starting_are_named(tmp_path: Path, mongo_uri: str) -> None:
    name = f"chat_{secrets.token_hex(6)}"
    await (await open_database(mongo_uri, name, queue_ttl_days=30)).close()
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        client[name]["users"].drop_indexes()
        client[name]["conversations"].drop_indexes()
        client[name]["users"].insert_many(
            [{"_id": who, "username_folded": "ann", "email_folded": f"{who}@example.org"} for who in ("one", "two")]
        )
        # Without a pair it is no direct conversation, and there may be many of those.
        client[name]["conversations"].insert_many([{"direct_key": None}, {"direct_key": None}])
    arguments = ["--data-dir", tmp_path, "--mongo-uri", mongo_uri, "--mongo-database", name]
    found = examine("--port", str(free_port()), *arguments, code=1)
    assert found["indexes"]["status"] == "problem"
    assert "users(username_folded): documents one and two of 2" in found["indexes"]["detail"]
    assert "conversations" not in found["indexes"]["detail"]
    assert "does not start" in found["indexes"]["remedy"]
    assert "chat-mvp doctor" in refused(run_program("serve", "--port", "0", *arguments))


def test_a_database_that_does_not_answer_is_a_problem(tmp_path: Path) -> None:
    uri = f"mongodb://ada:hush@127.0.0.1:{free_port()}/?replicaSet=rs0"
    outcome = run_program("doctor", "--port", str(free_port()), "--data-dir", tmp_path, "--mongo-uri", uri)
    assert outcome.code == 1
    assert line_of(outcome, "database").startswith("PROBLEM\tdatabase\tNo MongoDB answers at this address. Check")
    assert "hush" not in outcome.out + outcome.err


def test_a_directory_that_cannot_be_used_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = examine("--port", str(free_port()), "--data-dir", tmp_path / "file", code=1)
    assert found["data directory"]["status"] == "problem"
    assert "--data-dir" in found["data directory"]["remedy"]


def line_of(outcome: Outcome, check: str) -> str:
    (line,) = [line for line in outcome.out.splitlines() if line.split("\t")[1] == check]
    return line
