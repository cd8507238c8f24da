"""``chat-mvp events`` and ``chat-mvp consumers`` beside a running server and a real database."""

import json
import select
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from chat_mvp.bench.messages import stored_message
from chat_mvp.events.types import BlockChanged, Event, MessageAdded, SessionEnded
from chat_mvp.storage.events import event_document
from chat_mvp.storage.ids import new_id
from chat_mvp.times import utc_now
from tests.support.server import Server, environment, free_port
from tests.support.terminal import run_program

EVIL = "steers\x1b[31m the\nterminal \u202e and \x9b more \u061c\u200b\U000e0041, " + "x" * 200


@pytest.fixture
def there(server: Server) -> Iterator[list[str]]:
    """The options that name the database of the server, which has no events and no consumers."""
    yield ["--data-dir", str(server.data_dir), "--mongo-uri", server.mongo_uri or "", *named(server)]
    with MongoClient[dict[str, Any]](server.mongo_uri) as client:
        for name in ("events", "consumers", "set_aside_events"):
            client[server.database][name].delete_many({})


def named(server: Server) -> list[str]:
    return ["--mongo-database", server.database]


def insert(server: Server, collection: str, *documents: dict[str, Any]) -> None:
    with MongoClient[dict[str, Any]](server.mongo_uri) as client:
        client[server.database][collection].insert_many(documents)


def store(server: Server, *events: Event) -> None:
    insert(server, "events", event_document(events, now=utc_now(), process=new_id()))


def added(text: str) -> MessageAdded:
    message = stored_message(id=new_id(), seq=7, rev=7, client_message_id=new_id(), text=text)
    return MessageAdded(message=message)


def test_showing_what_is_stored(server: Server, there: list[str]) -> None:
    store(server, added(EVIL), SessionEnded(session_id="d" * 24, user_id="a" * 24))
    insert(server, "events", event_document([], now=utc_now(), process="p") | {"body": '[{"type":"\x1b[31m"}]'})
    shown = run_program("events", "tail", "--no-follow", *there)
    assert (shown.code, shown.err) == (0, "")
    rows = [line.split("\t") for line in shown.out.splitlines()]
    assert [row[1:3] for row in rows] == [["message.added", "c" * 24], ["session.ended", "-"], ["unknown", "-"]]
    assert rows[0][3].startswith(f"7 {'a' * 24}: steers")
    assert rows[1][3] == f"session_id={'d' * 24} user_id={'a' * 24}"
    assert max(len(row[3]) for row in rows) <= 80
    signs = [sign for sign in shown.out if unicodedata.category(sign) in {"Cc", "Cf"}]
    assert set(signs) <= {"\t", "\n"}


def test_choosing_types_and_json_for_scripts(server: Server, there: list[str]) -> None:
    block = BlockChanged(owner_id="a" * 24, other_id="b" * 24, blocked=True)
    store(server, added(EVIL), block)
    for _ in range(3):
        store(server, block)
    shown = run_program("events", "tail", "--no-follow", "--json", "--type", "message.added", *there)
    (line,) = shown.out.splitlines()
    assert shown.out.isascii()
    assert json.loads(line)["message"]["text"] == EVIL
    limited = run_program("events", "tail", "--no-follow", "--limit", "2", "--type", "block.changed", *there)
    assert len(limited.out.splitlines()) == 2
    unknown = run_program("events", "tail", "--type", "message.aded", *there)
    assert (unknown.code, unknown.out) == (2, "")
    assert "block.changed" in unknown.err


def test_following_shows_each_event_once_until_it_is_interrupted(server: Server, there: list[str]) -> None:
    store(server, added("first"))
    command = [sys.executable, "-m", "chat_mvp", "events", "tail", *there]
    process = subprocess.Popen(command, env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().rstrip().endswith("first")
        for text in ("second", "third"):
            store(server, added(text))
            assert select.select([process.stdout], [], [], 10)[0]
            assert process.stdout.readline().rstrip().endswith(text)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "", "")
    finally:
        process.kill()
        process.wait()


def test_listing_consumers(server: Server, there: list[str]) -> None:
    assert run_program("consumers", "list", *there).out == "There are no consumers.\n"
    now = utc_now()
    consumer = {
        "_id": "search",
        "types": ["session.ended"],
        "state": "running",
        "cursor": None,
        "at": now,
        "owner": "host/1/abc",
        "leased_until": now.replace(year=now.year + 1),
        "handled": 5,
        "failed": 2,
        "error": "RuntimeError: a text that\x1b[31m steers",
        "failing_since": now,
    }
    insert(server, "consumers", consumer, consumer | {"_id": "other", "leased_until": now, "failing_since": None})
    store(server, SessionEnded(session_id="d" * 24, user_id="a" * 24))
    other, search = json.loads(run_program("consumers", "list", "--json", *there).out)
    assert (search["name"], search["state"], search["owner"], search["handled"]) == (
        "search",
        "failing",
        "host/1/abc",
        5,
    )
    assert (other["state"], other["owner"], other["set_aside"]) == ("running", None, 0)
    assert search["lag_s"] >= 0
    assert "\x1b" not in search["error"]
    lines = run_program("consumers", "list", *there).out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["other", "search"]
    assert run_program("consumers", "forget", "other", *there).out == "Consumer other was forgotten.\n"
    refused = run_program("consumers", "forget", "search", *there)
    assert (refused.code, refused.err) == (
        1,
        "chat-mvp: There is no consumer search, or a server feeds it now.\n",
    )
    assert run_program("consumers", "list", *there).out.count("\n") == 1


def test_retrying_and_removing_what_was_set_aside(server: Server, there: list[str]) -> None:
    assert run_program("consumers", "set-aside", *there).out == "No events are set aside.\n"
    entry = {
        "consumer": "search",
        "source": new_id(),
        "position": 0,
        "event": '{"type":"\x1b[31m"}',
        "error": "RuntimeError: \x1b[31m",
        "at": utc_now(),
        "retry": False,
    }
    insert(server, "set_aside_events", entry)
    event_id = str(entry["_id"])
    (shown,) = json.loads(run_program("consumers", "set-aside", "--json", *there).out)
    assert (shown["id"], shown["consumer"], shown["retry"]) == (event_id, "search", False)
    assert "\x1b" not in shown["event"] + shown["error"]
    assert run_program("consumers", "retry", event_id, *there).out == f"Event {event_id} will be tried again.\n"
    (shown,) = json.loads(run_program("consumers", "set-aside", "--json", *there).out)
    assert shown["retry"] is True
    assert run_program("consumers", "remove", event_id, *there).out == f"Event {event_id} was removed.\n"
    for unknown in (event_id, "nonsense"):
        missing = run_program("consumers", "retry", unknown, *there)
        assert (missing.code, missing.out) == (1, "")
        assert missing.err.startswith(f"chat-mvp: No event {unknown} is set aside")


@pytest.mark.parametrize("command", [["consumers", "list"], ["events", "tail"]], ids=" ".join)
def test_a_database_that_does_not_answer_is_reported_in_one_line(server: Server, command: list[str]) -> None:
    uri = f"mongodb://127.0.0.1:{free_port()}/?replicaSet=rs0"
    outcome = run_program(*command, "--data-dir", server.data_dir, "--mongo-uri", uri)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
