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
from pymongo import ReplaceOne, UpdateOne

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
            waiting: list[Message] = []
            for event in events:
                if isinstance(event, (MessageAdded, MessageChanged)):
                    waiting.append(event.message)
                elif isinstance(event, ConversationDeleted):
                    await self._apply(waiting)
                    waiting.clear()
                    await self._copy["messages"].delete_many({"state.conversation_id": event.conversation_id})
            await self._apply(waiting)

    async def rebuild(self) -> None:
        """Copy everything as it stands."""
        with translated():
            revs = {str(it["_id"]): it["rev"] async for it in self._collections["conversations"].find()}
            await self._put([to_record(it).message async for it in self._collections["messages"].find()])
            if revs:
                await self._keep_revs(revs)

    async def _apply(self, messages: Sequence[Message]) -> None:
        ids = {message.conversation_id for message in messages}
        revs = {it["_id"]: it["rev"] async for it in self._copy["revs"].find({"_id": {"$in": list(ids)}})}
        fresh: dict[str, Message] = {}
        for message in messages:
            rev = revs.get(message.conversation_id, 0)
            if message.rev <= rev:
                continue
            if message.rev > rev + 1:
                where = f"{message.conversation_id}: rev {message.rev} came after {rev}"
                await self._copy["notes"].insert_one({"note": "missed", "where": where})
            revs[message.conversation_id] = message.rev
            fresh[message.id] = message
        if fresh:
            await self._put(list(fresh.values()))
            await self._keep_revs({conversation_id: revs[conversation_id] for conversation_id in ids})

    async def _put(self, messages: Sequence[Message]) -> None:
        """Store these states of messages, unless a newer one is there: a rebuild reads states of later events."""
        ids = [message.id for message in messages]
        held = {it["_id"]: it["rev"] async for it in self._copy["messages"].find({"_id": {"$in": ids}}, {"rev": 1})}
        newer = [message for message in messages if message.rev > held.get(message.id, 0)]
        if newer:
            await self._copy["messages"].bulk_write(
                [ReplaceOne({"_id": it.id}, {"rev": it.rev, "state": state(it)}, upsert=True) for it in newer]
            )

    async def _keep_revs(self, revs: dict[str, int]) -> None:
        await self._copy["revs"].bulk_write(
            [UpdateOne({"_id": key}, {"$max": {"rev": rev}}, upsert=True) for key, rev in revs.items()]
        )


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
