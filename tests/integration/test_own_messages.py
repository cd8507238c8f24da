"""A user who sent very many messages and confirmed none finds what is owed, in bounded queries."""

import secrets
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from chat_mvp.bench.messages import stored_message
from chat_mvp.delivery.backlog import Backlogs
from chat_mvp.storage.client import Database, open_database
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.owed import SCANNED_AT_ONCE, OwedMessages
from chat_mvp.storage.queue import Queue
from chat_mvp.storage.records import MessageRecord, OwedRange, SeqRange, SummaryRecord
from chat_mvp.storage.writes import Writes
from chat_mvp.times import format_time, utc_now

OWN = 2 * SCANNED_AT_ONCE + 100
TTL = timedelta(days=30)


@pytest.fixture
async def database(mongo_uri: str) -> AsyncIterator[Database]:
    database = await open_database(mongo_uri, f"own_{secrets.token_hex(6)}", queue_ttl_days=30)
    yield database
    await database.client.drop_database(database.collections.name)
    await database.close()


class CountingReads(OwedMessages):
    """Counts the pages that are asked for, and from where."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.collections)
        self.asked: list[int] = []

    async def fetch_page(self, user_id: str, where: SeqRange, **more: object) -> list[MessageRecord]:
        self.asked.append(where.after)
        return await super().fetch_page(user_id, where, **more)  # type: ignore[arg-type]


async def store(database: Database, room: str, senders: list[str]) -> None:
    """Store one message of each sender, in this order."""
    now = utc_now()
    writes = Writes(now=now)
    for seq, sender in enumerate(senders, 1):
        message = stored_message(
            id=new_id(),
            conversation_id=room,
            seq=seq,
            rev=seq,
            sender_id=sender,
            client_message_id=f"{room}-{seq}",
            created_at=format_time(now),
        )
        writes.insert_message(MessageRecord(message=message, made_rev=seq, status="sent"), ())
    await database.collections["messages"].insert_many(writes.message_documents)


def summary(room: str, last_seq: int) -> SummaryRecord:
    return SummaryRecord(
        id=room,
        rev=last_seq,
        last_seq=last_seq,
        activity_at=utc_now(),
        updated_at=format_time(utc_now()),
        member_count=2,
        direct_key=None,
        joined_seq=0,
        delivered_seq=0,
        read_seq=0,
        owed=OwedRange(),
    )


async def drained(backlogs: Backlogs, user_id: str, summaries: list[SummaryRecord]) -> list[int]:
    backlog = await backlogs.find(user_id, summaries)
    pages = [page async for page in backlogs.pages(backlog, without=(), changed=())]
    return [record.message.seq for page in pages for _, records in page for record in records]


@pytest.mark.parametrize("others", [[], [OWN + 1], [1, 2, OWN + 1], [3, SCANNED_AT_ONCE, SCANNED_AT_ONCE + 1]])
async def test_own_messages_are_looked_at_once(database: Database, others: list[int]) -> None:
    bot, ann, room = new_id(), new_id(), new_id()
    last = OWN + 1
    await store(database, room, [ann if seq in others else bot for seq in range(1, last + 1)])
    owed = CountingReads(database)
    backlogs = Backlogs(
        queue=Queue(database.collections),
        owed=owed,
        messages=Messages(database.collections),
        ttl=TTL,
        clock=utc_now,
    )
    for _ in range(3):
        owed.asked.clear()
        assert await drained(backlogs, bot, [summary(room, last)]) == others
    if not others:
        assert owed.asked == [], "it is known that nothing is owed"
    elif others[0] > SCANNED_AT_ONCE:
        assert owed.asked[:1] in ([], [others[0] - 1]), "it begins at the first that is owed"
