"""A read after a commit sees it, whichever node is primary then."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson.timestamp import Timestamp

from chat_mvp.storage.client import Database, NotBefore
from chat_mvp.storage.conversations import Conversations
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.owed import OwedMessages
from chat_mvp.storage.queue import Queue
from chat_mvp.storage.records import SeqRange
from tests.unit.delivery.conftest import Harness

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def commands_of(database: Database) -> list[dict[str, Any]]:
    """Return the commands that mongod has profiled, and remove them."""
    profile = database.client[database.collections.name]["system.profile"]
    commands = [entry["command"] for entry in await profile.find({}, sort=[("$natural", 1)]).to_list(None)]
    await database.collections.command({"profile": 0})
    await profile.drop()
    return commands


async def test_reads_wait_for_what_was_committed_before(harness: Harness) -> None:
    database = harness.database
    await database.collections.command({"profile": 2})
    sent, _ = await harness.send("committed just now").message()
    reader, conversation = harness.people[1], sent.conversation_id
    await Conversations(database.collections).fetch_memberships(reader, [conversation])
    await Conversations(database.collections).fetch([conversation])
    await Conversations(database.collections).fetch_others_marks(reader, direct=[conversation], groups=[], apart=())
    await Messages(database.collections).fetch_changed(conversation, after_rev=0, above_seq=0, limit=10)
    await Queue(database.collections).count(reader, [SeqRange(conversation, 0, 10)], limit=10)
    await OwedMessages(database.collections).fetch(
        reader, [SeqRange(conversation, 0, 10)], since=datetime(2020, 1, 1, tzinfo=UTC)
    )
    await Queue(database.collections).fetch_seqs(reader, SeqRange(conversation, 0, 10), limit=10)

    commands = await commands_of(database)
    stored = max(at for at, command in enumerate(commands) if "insert" in command)
    concerns = [command["readConcern"] for command in commands[stored:] if {"find", "aggregate"} & command.keys()]
    assert len(concerns) == 7
    stored_at = database.read_concern.document["afterClusterTime"]
    assert all(concern["level"] == "majority" for concern in concerns)
    assert all(concern["afterClusterTime"] == stored_at for concern in concerns)


async def test_each_commit_moves_it_on(harness: Harness) -> None:
    moments = []
    for number in range(3):
        await harness.send(f"number {number}").message()
        moments.append(harness.database.read_concern.document["afterClusterTime"])
    assert moments == sorted(set(moments))


async def test_a_commit_whose_answer_was_lost_moves_it_on_too(harness: Harness) -> None:
    before = harness.database.read_concern.document["afterClusterTime"]
    harness.commit.failures.append("lost")
    await harness.send("lost and found").message()
    assert harness.database.read_concern.document["afterClusterTime"] > before


async def test_it_never_goes_back() -> None:
    concern = NotBefore()
    assert concern.document == {"level": "majority"}
    concern.advance(Timestamp(5, 2))
    concern.advance(Timestamp(5, 1))
    concern.advance(None)
    assert concern.document == {"level": "majority", "afterClusterTime": Timestamp(5, 2)}
