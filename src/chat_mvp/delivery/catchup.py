"""Bringing a connection up to date with what it says it knows, conversation by conversation.

The contract is docs/protocol.md, "Connecting and catching up". The connection is registered before the snapshot is
read, so whatever commits later reaches it as a live event; ``note_sent`` lets it drop those it was sent here already.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from chat_mvp.limits import (
    MAX_INTRODUCED,
    MAX_KNOWN,
    MAX_RESUME_CHANGES,
    MAX_RESUME_CHANGES_PER_CONNECT,
    MAX_RESUME_CONVERSATIONS,
)
from chat_mvp.protocol import (
    Conversation,
    ConversationJoined,
    ConversationReset,
    Message,
    MessageChanged,
    MessageNew,
    ServerFrame,
)
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.records import MessageRecord, SummaryRecord

Send = Callable[[ServerFrame], Awaitable[None]]
"""Sends a frame at the reader's pace."""
NoteSent = Callable[[Message], None]
"""Called with each message that was sent in a state newer than the snapshot."""
HasLeft = Callable[[str], Awaitable[bool]]
"""Returns whether the user left a conversation or was removed since the snapshot, as of what can be read by now."""
FetchViews = Callable[[str, Iterable[str]], Awaitable[list[Conversation]]]

_VIEWS_AT_ONCE = 50


class Known(Struct, frozen=True):
    """What a client says it has: the revision of each conversation, and the epoch these belong to."""

    revs: Mapping[str, int] | None
    epoch: str | None

    def is_good(self, summaries: Iterable[SummaryRecord], epoch: str) -> bool:
        """Return whether the client can be brought up to date from it: ours, and not from the future."""
        if self.revs is None or self.epoch not in {None, epoch}:
            return False
        revs = self.revs
        return all(revs.get(summary.id, 0) <= summary.rev for summary in summaries)


class Plan(Struct, frozen=True):
    """What one connect streams: other people decide how much there is, so it is bounded in each respect."""

    introduced: list[str]
    """Conversations that ``known`` lacks."""
    changed: list[tuple[SummaryRecord, int]]
    """Conversations whose changes are streamed, each with the revision that the client knows."""
    reset: list[SummaryRecord]


def plan(summaries: Sequence[SummaryRecord], known: Mapping[str, int]) -> Plan:
    """Decide what to stream, the most recently active conversations first; ``summaries`` come in that order.

    A client that names the maximum of conversations may know more of them, so none is introduced.
    """
    introduced: list[str] = []
    changed: list[tuple[SummaryRecord, int]] = []
    reset: list[SummaryRecord] = []
    left = MAX_RESUME_CHANGES_PER_CONNECT
    for summary in summaries:
        rev = known.get(summary.id)
        if rev is None:
            if len(introduced) < MAX_INTRODUCED and len(known) < MAX_KNOWN:
                introduced.append(summary.id)
        elif rev != summary.rev:
            changes = summary.rev - rev
            if changes > min(left, MAX_RESUME_CHANGES) or len(changed) >= MAX_RESUME_CONVERSATIONS:
                reset.append(summary)
            else:
                left -= changes
                changed.append((summary, rev))
    return Plan(introduced, changed, reset)


class CatchUp:
    """Streams what a client missed."""

    def __init__(self, messages: Messages, fetch_views: FetchViews) -> None:
        """Read from these; ``fetch_views`` returns conversations as a person sees them."""
        self._messages = messages
        self._fetch_views = fetch_views

    async def stream(
        self,
        user_id: str,
        summaries: Sequence[SummaryRecord],
        known: Mapping[str, int],
        *,
        send: Send,
        note_sent: NoteSent,
        has_left: HasLeft,
    ) -> set[str]:
        """Send what is new since ``known`` and return the conversations that were reset.

        ``summaries`` come with the most recently active conversation first.
        """
        planned = plan(summaries, known)
        await self._introduce(user_id, planned.introduced, send)
        for summary in planned.reset:
            await send(ConversationReset(conversation_id=summary.id, rev=summary.rev, last_seq=summary.last_seq))
        for summary, rev in reversed(planned.changed):
            await self._changes(summary, rev, send, note_sent, has_left)
        return {summary.id for summary in planned.reset}

    async def _introduce(self, user_id: str, ids: list[str], send: Send) -> None:
        for start in range(0, len(ids), _VIEWS_AT_ONCE):
            for view in await self._fetch_views(user_id, ids[start : start + _VIEWS_AT_ONCE]):
                await send(ConversationJoined(conversation=view))

    async def _changes(
        self, summary: SummaryRecord, known_rev: int, send: Send, note_sent: NoteSent, has_left: HasLeft
    ) -> None:
        records = await self._messages.fetch_changed(
            summary.id,
            after_rev=known_rev,
            above_seq=summary.joined_seq,
            up_to_seq=summary.last_seq,
            limit=MAX_RESUME_CHANGES,
        )
        if is_newer(summary, records) and await has_left(summary.id):
            return
        older = [record.message for record in records if record.made_rev <= known_rev]
        newer = [record.message for record in records if record.made_rev > known_rev]
        for message in older:
            note_sent(message)
            await send(MessageChanged(message=message))
        for message in sorted(newer, key=lambda message: message.seq):
            note_sent(message)
            await send(MessageNew(message=message, queued=False))


def is_newer(summary: SummaryRecord, records: Iterable[MessageRecord]) -> bool:
    """Return whether a message has changed since the snapshot: who has left meanwhile must not see what it says now."""
    return any(record.message.rev > summary.rev for record in records)
