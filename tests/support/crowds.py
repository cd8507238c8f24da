"""Conversations that strangers created, inserted into the database directly: creating thousands would take too long."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

from chat_mvp.bench.messages import stored_message
from chat_mvp.protocol import Role
from chat_mvp.storage.conversations import conversation_document, membership_document
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.records import ConversationRecord, MembershipRecord, MessageRecord, OwedRange
from chat_mvp.storage.writes import Writes
from chat_mvp.times import format_time, utc_now
from tests.support.server import Server

BATCH = 5_000


@asynccontextmanager
async def database_of(server: Server) -> AsyncIterator[AsyncIOMotorDatabase[dict[str, Any]]]:
    """Open the database of a server beside it."""
    assert server.mongo_uri is not None
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(server.mongo_uri, tz_aware=True)
    try:
        yield client[server.database]
    finally:
        client.close()


async def add_groups(
    server: Server,
    maker_id: str,
    member_id: str,
    count: int,
    *,
    unread: int = 0,
    queued: bool = False,
    small: bool = False,
) -> list[str]:
    """Store groups of two people, each with one message that was read and ``unread`` ones that were not.

    Return their ids, the most recently active first. The unread messages wait for the member because of ``small``, or
    because of their entries, as in a database of an earlier version.
    """
    async with database_of(server) as database:
        return await insert_groups(database, maker_id, member_id, count, unread=unread, queued=queued, small=small)


async def insert_groups(
    database: Any,
    maker_id: str,
    member_id: str,
    count: int,
    *,
    unread: int = 0,
    queued: bool = False,
    small: bool = False,
) -> list[str]:
    """Do the same in an open database, of either driver."""
    now = utc_now()
    ids: list[str] = []
    conversations, memberships, writes = [], [], Writes(now=now)
    for number in range(count):
        at = now - timedelta(seconds=number)
        group = _group(maker_id, at, last_seq=1 + unread, small=small)
        ids.append(group.id)
        conversations.append(conversation_document(group))
        memberships.append(membership_document(new_membership(group.id, maker_id, seq=1 + unread, at=at, role="owner")))
        memberships.append(membership_document(new_membership(group.id, member_id, seq=1, at=at)))
        for seq in range(1, 2 + unread):
            writes.insert_message(_message(group.id, maker_id, seq, at), [member_id] if queued and seq > 1 else [])
    await _insert(database, "conversations", conversations)
    await _insert(database, "memberships", memberships)
    await _insert(database, "messages", writes.message_documents)
    await _insert(database, "message_queue", writes.queue_documents)
    return ids


async def _insert(database: Any, name: str, documents: Sequence[Any]) -> None:
    for start in range(0, len(documents), BATCH):
        await database[name].insert_many(documents[start : start + BATCH], ordered=False)


def _group(maker_id: str, at: datetime, *, last_seq: int, small: bool) -> ConversationRecord:
    return ConversationRecord(
        id=new_id(),
        kind="group",
        name="A stranger's group",
        description="",
        visibility="private",
        avatar_url=None,
        max_participants=None,
        post="members",
        member_count=2,
        created_by=maker_id,
        created_at=at,
        updated_at=at,
        activity_at=at,
        last_seq=last_seq,
        rev=last_seq,
        direct_key=None,
        owed=OwedRange() if small else None,
    )


def new_membership(
    conversation_id: str, user_id: str, *, seq: int, at: datetime | None = None, role: Role = "member"
) -> MembershipRecord:
    """Return the membership of someone who has received and read everything up to ``seq``."""
    at = at or utc_now()
    return MembershipRecord(
        id=new_id(),
        conversation_id=conversation_id,
        user_id=user_id,
        role=role,
        visible=True,
        joined_at=at,
        updated_at=at,
        joined_seq=0,
        delivered_seq=seq,
        read_seq=seq,
        muted_until=None,
        pinned=False,
        archived=False,
        draft="",
        notify="all",
    )


def _message(conversation_id: str, sender_id: str, seq: int, at: datetime) -> MessageRecord:
    message = stored_message(
        id=new_id(),
        conversation_id=conversation_id,
        seq=seq,
        rev=seq,
        sender_id=sender_id,
        client_message_id=f"{conversation_id}-{seq}",
        text=f"number {seq}",
        created_at=format_time(at),
    )
    return MessageRecord(message=message, made_rev=seq, status="queued")
