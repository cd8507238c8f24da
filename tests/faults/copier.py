"""A consumer that keeps a copy of every conversation, made of events alone: ``python -m tests.faults.copier NAME``.

The address of MongoDB comes in the environment. The copy is kept in a database of its own, as a consumer elsewhere
would. Whatever must not happen is noted beside it.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from chat_mvp.consumers.runner import ConsumerRunner
from chat_mvp.events.types import ConversationDeleted, Event, MessageAdded, MessageChanged
from chat_mvp.protocol import Message
from chat_mvp.storage.client import Collections, Database, open_database
from chat_mvp.storage.consumers import Consumers
from chat_mvp.storage.errors import translated
from chat_mvp.storage.messages import to_record
from chat_mvp.supervision import Supervisor
from chat_mvp.times import utc_now

URI_VARIABLE = "COPIER_MONGO_URI"


def copy_of(database: Database) -> Collections:
    """Return the database that holds the copy."""
    return database.client[f"{database.collections.name}_copy"]


def state(message: Message) -> dict[str, Any]:
    """Return what events say of a message. Replies in a thread are counted without an event of the root."""
    fields: dict[str, Any] = msgspec.to_builtins(message)
    del fields["thread"]
    return fields


class Copier:
    """Copies messages. Every change of a conversation has the next ``rev``, so a gap or a repetition is detected."""

    name = "copier"
    event_types = (MessageAdded, MessageChanged, ConversationDeleted)

    def __init__(self, database: Database) -> None:
        """Read the collections of ``database`` to rebuild; write beside it."""
        self._collections = database.collections
        self._copy = copy_of(database)

    async def handle(self, events: Sequence[Event]) -> None:
        """Apply events; those that are known already change nothing."""
        with translated():
            for event in events:
                if isinstance(event, ConversationDeleted):
                    await self._copy["messages"].delete_many({"state.conversation_id": event.conversation_id})
                elif isinstance(event, (MessageAdded, MessageChanged)):
                    await self._apply(event.message)

    async def rebuild(self) -> None:
        """Copy everything as it stands."""
        with translated():
            await self._copy["notes"].insert_one({"note": "rebuilt"})
            for conversation in await self._collections["conversations"].find().to_list(None):
                await self._keep_rev(str(conversation["_id"]), conversation["rev"])
            for document in await self._collections["messages"].find().to_list(None):
                await self._put(to_record(document).message)

    async def _apply(self, message: Message) -> None:
        found = await self._copy["revs"].find_one({"_id": message.conversation_id})
        rev = 0 if found is None else found["rev"]
        if message.rev <= rev:
            await self._copy["notes"].insert_one({"note": "repeated", "rev": message.rev})
            return
        if message.rev > rev + 1:
            where = f"{message.conversation_id}: rev {message.rev} came after {rev}"
            await self._copy["notes"].insert_one({"note": "missed", "where": where})
        await self._put(message)
        await self._keep_rev(message.conversation_id, message.rev)

    async def _put(self, message: Message) -> None:
        newer = {"$or": [{"rev": {"$exists": False}}, {"$expr": {"$lt": ["$rev", message.rev]}}]}
        fields = {"rev": message.rev, "state": state(message)}
        if (await self._copy["messages"].update_one({"_id": message.id, **newer}, {"$set": fields})).matched_count == 0:
            await self._copy["messages"].update_one({"_id": message.id}, {"$setOnInsert": fields}, upsert=True)

    async def _keep_rev(self, conversation_id: str, rev: int) -> None:
        await self._copy["revs"].update_one({"_id": conversation_id}, {"$max": {"rev": rev}}, upsert=True)


async def main(name: str) -> None:
    """Copy until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database = await open_database(os.environ[URI_VARIABLE], name, queue_ttl_days=30)
    runner = ConsumerRunner(
        [Copier(database)], store=Consumers(database.collections), streams=database.streams, now=utc_now
    )
    runner.start(Supervisor())
    await stop.wait()
    await runner.stop()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
