"""The state of a user's conversations at one moment. ``ready`` and the conversation list use the same facts."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from chat_mvp.delivery.blocks import Blocks
from chat_mvp.limits import (
    MAX_COUNTED_UNREAD,
    MAX_SCANNED_UNREAD,
    MAX_SCANNED_UNREAD_PER_CONNECT,
    MAX_SMALL_CONVERSATION,
)
from chat_mvp.protocol import ConversationState
from chat_mvp.storage.conversations import Conversations
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.recent import FEW, RecentMessages
from chat_mvp.storage.records import ConversationRecord, MembershipRecord, SeqRange, SummaryRecord
from chat_mvp.storage.summaries import Summaries

Marks = tuple[int, int]
"""The lowest delivered and read marks of the other members."""


class Standing(Struct, kw_only=True):
    """One conversation and the user's membership in it. The marks of the others are ``None`` in large conversations."""

    conversation: ConversationRecord
    membership: MembershipRecord
    unread: int
    others: Marks | None


class UnreadBudget:
    """How many more messages may be read in order to count the unread ones."""

    def __init__(self, messages: int = MAX_SCANNED_UNREAD_PER_CONNECT) -> None:
        """Start with a budget of this many messages."""
        self._remaining = messages

    def take(self, messages: int) -> bool:
        """Take the messages of one conversation from the budget. Return false, and take nothing, if they do not fit."""
        if messages > min(self._remaining, MAX_SCANNED_UNREAD):
            return False
        self._remaining -= messages
        return True


class Snapshots:
    """Reads conversations as one user has them. Every query is bounded, whatever other users did."""

    def __init__(
        self,
        *,
        conversations: Conversations,
        messages: Messages,
        recent: RecentMessages,
        summaries: Summaries,
        blocks: Blocks,
    ) -> None:
        """Read from these collections."""
        self._blocks = blocks
        self._conversations = conversations
        self._messages = messages
        self._recent = recent
        self._summaries = summaries

    async def fetch_summaries(self, user_id: str) -> list[SummaryRecord]:
        """Return what a connect needs of all conversations of the user, the most recently active first."""
        return await self._summaries.fetch(user_id)

    async def fetch_states(
        self, user_id: str, summaries: Sequence[SummaryRecord], budget: UnreadBudget
    ) -> list[ConversationState]:
        """Return the lines of ``ready`` for some of the conversations, in their order."""
        marks = ((it.id, max(it.read_seq, it.joined_seq), it.last_seq) for it in summaries)
        unread = await self._count_unread(user_id, marks, budget)
        others = await self._fetch_others(
            user_id, [(it.id, it.member_count, it.direct_key is not None) for it in summaries]
        )
        return [_state(summary, unread.get(summary.id, 0), others.get(summary.id)) for summary in summaries]

    async def fetch(self, user_id: str, ids: Iterable[str]) -> dict[str, Standing]:
        """Return the user's standing in each of these conversations where they are a member, in the given order.

        Pass at most a page of ids.
        """
        wanted = list(dict.fromkeys(ids))
        memberships = await self._conversations.fetch_memberships(user_id, wanted)
        records = await self._conversations.fetch(memberships)
        found = [records[i] for i in wanted if i in records]
        # A user who left a direct conversation and came back may have a mark below ``joined_seq``.
        marks = ((it.id, max(memberships[it.id].read_seq, memberships[it.id].joined_seq), it.last_seq) for it in found)
        unread = await self._count_unread(user_id, marks, UnreadBudget())
        others = await self._fetch_others(user_id, [(it.id, it.member_count, it.kind == "direct") for it in found])
        return {
            record.id: Standing(
                conversation=record,
                membership=memberships[record.id],
                unread=unread.get(record.id, 0),
                others=others.get(record.id),
            )
            for record in found
        }

    async def _fetch_others(self, user_id: str, conversations: Iterable[tuple[str, int, bool]]) -> dict[str, Marks]:
        """Return the lowest marks of the others in small conversations: id, number of members, whether it is direct."""
        small = [(i, is_direct) for i, members, is_direct in conversations if members <= MAX_SMALL_CONVERSATION]
        return await self._conversations.fetch_others_marks(
            user_id,
            direct=[i for i, is_direct in small if is_direct],
            groups=[i for i, is_direct in small if not is_direct],
            apart=await self._blocks.fetch(user_id) if small else (),
        )

    async def _count_unread(
        self, user_id: str, marks: Iterable[tuple[str, int, int]], budget: UnreadBudget
    ) -> dict[str, int]:
        """Return the number of unread messages where there are any. ``marks``: conversation, mark, last message.

        Count exactly within the budget. Beyond it, count every message above the mark as unread.
        """
        behind = [SeqRange(*each) for each in marks if each[1] < each[2]]
        counts: dict[str, int] = {}
        few: list[SeqRange] = []
        many: list[SeqRange] = []
        for each in behind:
            if not budget.take(each.size):
                counts[each.conversation_id] = each.size
            elif each.size <= FEW:
                few.append(each)
            else:
                many.append(each)
        # Few messages are counted together with those of other users.
        counts |= await self._recent.count_unread(user_id, few)
        counts |= await self._messages.count_unread(user_id, many)
        return {conversation_id: min(count, MAX_COUNTED_UNREAD) for conversation_id, count in counts.items()}


def _state(summary: SummaryRecord, unread: int, others: Marks | None) -> ConversationState:
    delivered, read = others or (None, None)
    return ConversationState(
        id=summary.id,
        rev=summary.rev,
        updated_at=summary.updated_at,
        last_seq=summary.last_seq,
        delivered_seq=summary.delivered_seq,
        read_seq=summary.read_seq,
        unread=unread,
        others_delivered_seq=delivered,
        others_read_seq=read,
    )
