"""Queued messages of a user, inserted into the database directly: sending tens of thousands would take too long."""

from contextlib import closing
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

from chat_mvp.bench.messages import stored_message
from chat_mvp.storage.ids import new_id, to_object_id
from chat_mvp.storage.records import MessageRecord
from chat_mvp.storage.writes import Writes
from chat_mvp.times import format_time, utc_now
from tests.support.server import Server

BATCH = 5_000


async def add_backlog(
    server: Server, conversation_id: str, sender_id: str, recipient_id: str, texts: list[str]
) -> None:
    """Store these messages behind those of a conversation, as they would be stored while the recipient is away."""
    assert server.mongo_uri is not None
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(server.mongo_uri, tz_aware=True)
    with closing(client):
        database = client[server.database]
        conversation = await database["conversations"].find_one({"_id": to_object_id(conversation_id)})
        assert conversation is not None
        last_seq, rev, now = conversation["last_seq"], conversation["rev"], utc_now()
        for start in range(0, len(texts), BATCH):
            writes = Writes(now=now)
            for number, text in enumerate(texts[start : start + BATCH], start + 1):
                message = stored_message(
                    id=new_id(),
                    conversation_id=conversation_id,
                    seq=last_seq + number,
                    rev=rev + number,
                    sender_id=sender_id,
                    client_message_id=f"backlog-{conversation_id}-{last_seq + number}",
                    text=text,
                    created_at=format_time(now),
                )
                writes.insert_message(
                    MessageRecord(message=message, made_rev=rev + number, status="queued"), [recipient_id]
                )
            await database["messages"].insert_many(writes.message_documents)
            await database["message_queue"].insert_many(writes.queue_documents)
        counters = {"last_seq": last_seq + len(texts), "rev": rev + len(texts), "activity_at": now}
        await database["conversations"].update_one({"_id": conversation["_id"]}, {"$set": counters})
