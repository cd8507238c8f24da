"""What a person's conversations look like at one moment: the same facts for ``ready`` and for the conversation list."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from chat_mvp.delivery.blocks import Blocks
from chat_mvp.limits import MAX_SMALL_CONVERSATION
from chat_mvp.protocol import ConversationKind, ConversationState
from chat_mvp.storage.conversations import Conversations
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.records import ConversationRecord, MembershipRecord
from chat_mvp.times import format_time


class Standing(Struct, kw_only=True):
    """One conversation and the person's own place in it. The marks of the others are ``None`` in large ones."""

    conversation: ConversationRecord
    membership: MembershipRecord
    unread: int
    others: tuple[int, int] | None

    def state(self) -> ConversationState:
        """Return the line of ``ready`` for this conversation."""
        delivered, read = self.others or (None, None)
        return ConversationState(
            id=self.conversation.id,
            rev=self.conversation.rev,
            updated_at=format_time(max(self.conversation.updated_at, self.membership.updated_at)),
            last_seq=self.conversation.last_seq,
            delivered_seq=self.membership.delivered_seq,
            read_seq=self.membership.read_seq,
            unread=self.unread,
            others_delivered_seq=delivered,
            others_read_seq=read,
        )


class Snapshots:
    """Reads standings; each call takes a handful of queries, however many conversations there are."""

    def __init__(self, conversations: Conversations, messages: Messages, blocks: Blocks) -> None:
        """Read from these."""
        self._blocks = blocks
        self._conversations = conversations
        self._messages = messages

    async def fetch(self, user_id: str, ids: Iterable[str] | None = None) -> dict[str, Standing]:
        """Return the person's standings by conversation, the longest silent first; all of them without ``ids``."""
        memberships = await self._conversations.fetch_memberships(user_id, ids)
        records = await self._conversations.fetch(memberships)
        unread = await self._messages.count_unread(user_id, _unread_from(records, memberships))
        small = {i: record.kind for i, record in records.items() if record.member_count <= MAX_SMALL_CONVERSATION}
        others = await self._fetch_others(user_id, small) if small else {}
        return {
            record.id: Standing(
                conversation=record,
                membership=memberships[record.id],
                unread=unread.get(record.id, 0),
                others=others.get(record.id),
            )
            for record in sorted(records.values(), key=lambda record: (record.activity_at, record.id))
        }

    async def _fetch_others(self, user_id: str, kinds: Mapping[str, ConversationKind]) -> dict[str, tuple[int, int]]:
        return await self._conversations.fetch_others_marks(
            user_id,
            direct=[i for i, kind in kinds.items() if kind == "direct"],
            groups=[i for i, kind in kinds.items() if kind != "direct"],
            apart=await self._blocks.fetch(user_id),
        )


def _unread_from(
    records: Mapping[str, ConversationRecord],
    memberships: Mapping[str, MembershipRecord],
) -> dict[str, int]:
    # Who left a direct conversation and came back may have a mark below where it begins for them.
    first = {i: max(membership.read_seq, membership.joined_seq) for i, membership in memberships.items()}
    # Where the mark is at the end nothing can be unread, and nothing needs to be asked.
    return {i: first[i] for i, record in records.items() if first[i] < record.last_seq}
