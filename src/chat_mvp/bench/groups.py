"""Stores many groups with their messages directly: the documents that the server would have written, but faster."""

import random
from collections.abc import Iterator

from chat_mvp.bench.messages import stored_message
from chat_mvp.bench.orders import Returning
from chat_mvp.storage.client import Database, RawDocument
from chat_mvp.storage.conversations import conversation_document, membership_document
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.messages import to_document
from chat_mvp.storage.records import ConversationRecord, MembershipRecord, MessageRecord, OwedRange
from chat_mvp.times import format_time, utc_now

MEMBERS = 50
CONVERSATIONS_EACH = 20
MESSAGES = 10
OWED_EACH = 2
"""Of how many of their conversations users have missed the last message."""
UNREAD_EACH = 2
"""In how many others of their conversations they have received everything, but not read it."""
_READ = MESSAGES // 2
_SEED = 1


class Groups:
    """Puts users into groups, so that each of them is in ``CONVERSATIONS_EACH``."""

    def __init__(self, database: Database, user_ids: list[str], *, text_chars: int) -> None:
        """Write to this database. Each group has ``MESSAGES`` messages of this length."""
        self._collections = database.collections
        self._text = "x" * text_chars
        self._now = utc_now()
        self._returning = {user_id: Returning({}, []) for user_id in user_ids}

    async def store(self) -> list[Returning]:
        """Store the groups. Return what the client of each user knows, and which messages it has missed."""
        user_ids = list(self._returning)
        shuffled = random.Random(_SEED)  # noqa: S311 - not a secret: each run must have the same groups
        for number in range(CONVERSATIONS_EACH):
            shuffled.shuffle(user_ids)
            documents: dict[str, list[RawDocument]] = {"conversations": [], "memberships": [], "messages": []}
            for members in _split(user_ids):
                self._add_group(members, number, documents)
            for name, some in documents.items():
                await self._collections[name].insert_many(some, ordered=False)
        return list(self._returning.values())

    def _add_group(self, members: list[str], number: int, documents: dict[str, list[RawDocument]]) -> None:
        conversation = self._conversation(members)
        is_owed = number < OWED_EACH
        received = MESSAGES - 1 if is_owed else MESSAGES
        read = _READ if OWED_EACH <= number < OWED_EACH + UNREAD_EACH else received
        documents["conversations"].append(conversation_document(conversation))
        senders = [members[seq % len(members)] for seq in range(1, MESSAGES + 1)]
        for seq, sender_id in enumerate(senders, start=1):
            record = self._message(conversation.id, sender_id, seq)
            documents["messages"].append(to_document(record, self._now))
        for user_id in members:
            # The sender of the last message has it, so nothing is owed to them.
            sent_last = user_id == senders[-1]
            membership = self._membership(conversation.id, user_id)
            membership.delivered_seq = MESSAGES if sent_last else received
            membership.read_seq = MESSAGES if sent_last else read
            documents["memberships"].append(membership_document(membership))
            returning = self._returning[user_id]
            returning.known[conversation.id] = membership.delivered_seq
            if membership.delivered_seq < MESSAGES:
                returning.missed.append((conversation.id, MESSAGES))

    def _conversation(self, members: list[str]) -> ConversationRecord:
        return ConversationRecord(
            id=new_id(),
            kind="group",
            name="Benchmark",
            description="",
            visibility="private",
            avatar_url=None,
            max_participants=None,
            post="members",
            member_count=len(members),
            created_by=members[0],
            created_at=self._now,
            updated_at=self._now,
            activity_at=self._now,
            last_seq=MESSAGES,
            rev=MESSAGES,
            direct_key=None,
            owed=OwedRange(),
        )

    def _membership(self, conversation_id: str, user_id: str) -> MembershipRecord:
        return MembershipRecord(
            id=new_id(),
            conversation_id=conversation_id,
            user_id=user_id,
            role="member",
            visible=True,
            joined_at=self._now,
            updated_at=self._now,
            joined_seq=0,
            delivered_seq=0,
            read_seq=0,
            hidden_seq=0,
            muted_until=None,
            pinned=False,
            archived=False,
            draft="",
            notify="all",
        )

    def _message(self, conversation_id: str, sender_id: str, seq: int) -> MessageRecord:
        return MessageRecord(
            made_rev=seq,
            status="sent",
            message=stored_message(
                id=new_id(),
                conversation_id=conversation_id,
                seq=seq,
                rev=seq,
                sender_id=sender_id,
                client_message_id=f"group-{conversation_id}-{seq}",
                text=self._text,
                created_at=format_time(self._now),
            ),
        )


def _split(user_ids: list[str]) -> Iterator[list[str]]:
    """Return groups of ``MEMBERS``. The last one may be smaller."""
    for start in range(0, len(user_ids), MEMBERS):
        yield user_ids[start : start + MEMBERS]
