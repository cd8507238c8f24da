"""A deleted conversation is gone at once for its members, and soon from the database, also after a crash."""

from typing import Any

from bson import ObjectId
from pymongo import AsyncMongoClient

from tests.conftest import Launch
from tests.support.waiting import eventually

MESSAGES = 6_000
"""More than a few pieces of the job that removes them."""


async def add_history(database: Any, room: str, sender: str, recipient: str) -> None:
    """Store messages that wait for the recipient, behind those that the conversation has."""
    conversation = await database["conversations"].find_one({"_id": ObjectId(room)})
    first = conversation["last_seq"] + 1
    seqs = range(first, first + MESSAGES)
    messages = [
        {
            "_id": ObjectId(),
            "conversation_id": ObjectId(room),
            "seq": seq,
            "rev": seq,
            "sender_id": ObjectId(sender),
            "client_message_id": f"old {seq}",
        }
        for seq in seqs
    ]
    waiting = [
        {
            "_id": {"recipient_id": ObjectId(recipient), "conversation_id": ObjectId(room), "seq": message["seq"]},
            "message_id": message["_id"],
            "priority": 1,
            "attempts": 0,
            "created_at": conversation["created_at"],
        }
        for message in messages
    ]
    await database["messages"].insert_many(messages)
    await database["message_queue"].insert_many(waiting)
    await database["conversations"].update_one(
        {"_id": ObjectId(room)}, {"$set": {"last_seq": seqs[-1], "rev": seqs[-1]}}
    )


async def test_kill_right_after_the_deletion(launch: Launch) -> None:
    chat = await launch()
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    stays = await ann.group(bob)
    await ann.say(stays, "this stays")
    socket = await bob.connect()
    async with AsyncMongoClient(chat.server.mongo_uri) as client:
        database = client[chat.server.database]
        await add_history(database, room, ann.id, bob.id)
        assert (await ann.delete(f"/conversations/{room}")).status_code == 204
        await socket.expect("conversation.left")
        chat.server.kill()
        left = await database["messages"].count_documents({"conversation_id": ObjectId(room)})
        assert left > 0
        await chat.server.start()

        async def rest() -> int:
            messages = await database["messages"].count_documents({"conversation_id": ObjectId(room)})
            waiting = await database["message_queue"].count_documents({"_id.conversation_id": ObjectId(room)})
            return int(messages + waiting + await database["jobs"].count_documents({}))

        assert await eventually(rest, lambda count: count == 0, within=40) == 0
    assert [message["text"] for message in await bob.history(stays) if message["kind"] == "text"] == ["this stays"]
    assert (await bob.get(f"/conversations/{room}")).status_code == 404
