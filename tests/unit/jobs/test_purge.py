"""The data of a deleted conversation is removed in pieces, and nothing else is removed."""

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from bson import ObjectId

from chat_mvp.jobs.purge import PIECE, PurgeConversation, PurgeQueue
from chat_mvp.storage.client import Database, open_database
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.purging import Leftovers, purge_job, purge_queue_job
from chat_mvp.storage.queue import queue_key
from chat_mvp.times import utc_now

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(mongo_uri: str) -> AsyncIterator[Database]:
    database = await open_database(mongo_uri, f"purge_{secrets.token_hex(4)}", queue_ttl_days=30)
    yield database
    await database.close()


async def fill(database: Database, conversation: str, members: list[str], messages: int) -> None:
    """Store messages, each of which waits for every member."""
    stored = [
        {
            "conversation_id": ObjectId(conversation),
            "seq": seq,
            "rev": seq,
            "sender_id": ObjectId(),
            "client_message_id": str(seq),
        }
        for seq in range(1, messages + 1)
    ]
    waiting = [
        {"_id": queue_key(ObjectId(member), ObjectId(conversation), seq), "priority": 1, "created_at": utc_now()}
        for member in members
        for seq in range(1, messages + 1)
    ]
    await database.collections["messages"].insert_many(stored)
    await database.collections["message_queue"].insert_many(waiting)


async def left(database: Database) -> tuple[int, int]:
    messages = await database.collections["messages"].count_documents({})
    return messages, await database.collections["message_queue"].count_documents({})


async def test_everything_of_the_conversation_goes_and_nothing_else(database: Database) -> None:
    gone, stays, members = new_id(), new_id(), [new_id() for _ in range(3)]
    await fill(database, gone, members, PIECE - 1)
    await fill(database, stays, members, 2)
    handler = PurgeConversation(Leftovers(database.collections))
    payload, pieces = purge_job(gone, members).payload, 0
    before = sum(await left(database))
    while payload is not None:
        payload = await handler.run(payload)
        pieces += 1
        now = sum(await left(database))
        assert before - now <= PIECE
        before = now
    assert pieces == 4
    assert await left(database) == (2, 6)
    assert await handler.run(purge_job(gone, members).payload) is None


async def test_what_waited_for_a_former_member_goes_up_to_where_they_left(database: Database) -> None:
    room, gone, stays = new_id(), new_id(), new_id()
    await fill(database, room, [gone, stays], PIECE + 10)
    before = await left(database)
    handler = PurgeQueue(Leftovers(database.collections))
    payload = purge_queue_job(room, gone, up_to=PIECE + 5).payload
    remaining = await handler.run(payload)
    assert remaining == payload | {"after": PIECE}
    assert await handler.run(remaining) is None
    assert await left(database) == (before[0], before[1] - PIECE - 5)
    query = {"_id.recipient_id": ObjectId(gone)}
    rest = await database.collections["message_queue"].find(query, sort=[("_id", 1)]).to_list(None)
    assert [entry["_id"]["seq"] for entry in rest] == list(range(PIECE + 6, PIECE + 11))
