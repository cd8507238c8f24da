"""Stores a long history directly: the documents that the server would have written, but faster."""

from collections.abc import Callable

from chat_mvp.bench.messages import stored_message
from chat_mvp.storage.client import Database
from chat_mvp.storage.commit import MongoCommit, Unobserved
from chat_mvp.storage.conversations import Conversations
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.records import ConversationRecord, MembershipRecord, MessageRecord
from chat_mvp.storage.writes import Advance, Writes
from chat_mvp.times import format_time, utc_now

BATCH = 1_000


class History:
    """Grows the history of conversations while no one writes in them."""

    def __init__(self, database: Database, *, text_chars: int) -> None:
        """Write messages of this length to this database."""
        self._commit = MongoCommit(database)
        self._conversations = Conversations(database.collections)
        self._text = "x" * text_chars

    async def grow(self, conversation_ids: list[str], total: int, on_progress: Callable[[int], None]) -> int:
        """Add messages until these conversations have ``total`` of them together, and return how many were added.

        All of them count as delivered and read, so no member gets a queue or unread messages.
        """
        records = await self._conversations.fetch(conversation_ids)
        members = await self._conversations.fetch_members(conversation_ids)
        missing = total - sum(record.last_seq for record in records.values())
        added = 0
        while added < missing:
            for record in records.values():
                count = min(BATCH, -(-missing // len(records)), missing - added)
                if count > 0:
                    await self._add(
                        record, [members[record.id][user_id] for user_id in sorted(members[record.id])], count
                    )
                    added += count
            on_progress(added)
        return added

    async def _add(self, record: ConversationRecord, members: list[MembershipRecord], count: int) -> None:
        from_seq, from_rev, now = record.last_seq, record.rev, utc_now()
        messages = [
            self._message(record.id, members[number % len(members)].user_id, number, from_rev + number - from_seq)
            for number in range(from_seq + 1, from_seq + count + 1)
        ]
        record.last_seq += count
        record.rev += count
        record.activity_at = now
        writes = Writes(
            now=now,
            advances={record.id: Advance(conversation=record, from_seq=from_seq, from_rev=from_rev)},
        )
        for member in members:
            before, member.delivered_seq = member.delivered_seq, record.last_seq
            member.read_seq, member.delivered_at, member.read_at = record.last_seq, now, now
            writes.raise_marks(member, delivered_before=before, last_entry=from_seq)
        for message in messages:
            writes.insert_message(message, ())
        await self._commit.commit(writes, Unobserved())

    def _message(self, conversation_id: str, sender_id: str, seq: int, rev: int) -> MessageRecord:
        return MessageRecord(
            made_rev=rev,
            status="sent",
            message=stored_message(
                id=new_id(),
                conversation_id=conversation_id,
                seq=seq,
                rev=rev,
                sender_id=sender_id,
                client_message_id=f"history-{conversation_id}-{seq}",
                text=self._text,
                created_at=format_time(utc_now()),
            ),
        )
