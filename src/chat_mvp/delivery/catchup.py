"""Bring a connection up to date: send the changes that the client does not have, conversation by conversation.

The contract is docs/protocol.md, "Connecting and catching up". The connection is registered before the snapshot is
read, so everything that commits later reaches it as a live event. ``note_sent`` lets the connection drop the live
events of messages that were already sent here.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from chat_mvp.delivery.grouping import grouped
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
from chat_mvp.storage.recent import FEW, ChangedRange, RecentMessages
from chat_mvp.storage.records import MessageRecord, SummaryRecord

Send = Callable[[ServerFrame], Awaitable[None]]
"""Sends a frame, and waits while the reader is slow."""
NoteSent = Callable[[Message], None]
"""Called with each message that is sent, because its state may be newer than the snapshot."""
HasLeft = Callable[[str], Awaitable[bool]]
"""Returns whether the user left a conversation or was removed since the snapshot, as far as the database shows now."""
FetchViews = Callable[[str, Iterable[str]], Awaitable[list[Conversation]]]

_VIEWS_AT_ONCE = 50
_CHANGES_AT_ONCE = 200
"""How many changes are read before they are sent, unless a single conversation has more."""


class Known(Struct, frozen=True):
    """What the client says it has: the revision of each conversation, and the epoch to which the revisions belong."""

    revs: Mapping[str, int] | None
    epoch: str | None

    def is_good(self, summaries: Iterable[SummaryRecord], epoch: str) -> bool:
        """Return whether the client can be brought up to date with it: our epoch, and no revision newer than ours."""
        if self.revs is None or self.epoch not in {None, epoch}:
            return False
        revs = self.revs
        return all(revs.get(summary.id, 0) <= summary.rev for summary in summaries)


class Plan(Struct, frozen=True):
    """What one connect streams. Other users decide how much there is, so each part is bounded."""

    introduced: list[str]
    """Conversations that ``known`` lacks."""
    changed: list[tuple[SummaryRecord, int]]
    """Conversations whose changes are streamed, each with the revision that the client has."""
    reset: list[SummaryRecord]


def plan(summaries: Sequence[SummaryRecord], known: Mapping[str, int]) -> Plan:
    """Decide what to stream. ``summaries`` come with the most recently active conversation first.

    The most recently active conversations come first in the plan too. A client that names the maximum of conversations
    may have more of them, so no conversation is introduced to it.
    """
    introduced: list[str] = []
    changed: list[tuple[SummaryRecord, int]] = []
    reset: list[SummaryRecord] = []
    remaining = MAX_RESUME_CHANGES_PER_CONNECT
    for summary in summaries:
        rev = known.get(summary.id)
        if rev is None:
            if len(introduced) < MAX_INTRODUCED and len(known) < MAX_KNOWN:
                introduced.append(summary.id)
        elif rev != summary.rev:
            changes = summary.rev - rev
            if changes > min(remaining, MAX_RESUME_CHANGES) or len(changed) >= MAX_RESUME_CONVERSATIONS:
                reset.append(summary)
            else:
                remaining -= changes
                changed.append((summary, rev))
    return Plan(introduced, changed, reset)


class CatchUp:
    """Streams the changes that a client missed."""

    def __init__(self, messages: Messages, recent: RecentMessages, fetch_views: FetchViews) -> None:
        """Read from ``messages``, and few changes from ``recent``.

        ``fetch_views`` returns conversations as a user sees them.
        """
        self._messages = messages
        self._recent = recent
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
        """Send what is newer than ``known``, and return the conversations that were reset.

        ``summaries`` come with the most recently active conversation first.
        """
        planned = plan(summaries, known)
        await self._introduce(user_id, planned.introduced, send)
        for summary in planned.reset:
            await send(ConversationReset(conversation_id=summary.id, rev=summary.rev, last_seq=summary.last_seq))
        for group in grouped(reversed(planned.changed), _missed, at_most=_CHANGES_AT_ONCE):
            for summary, rev, records in await self._fetch_changes(group):
                if not (is_newer(summary, records) and await has_left(summary.id)):
                    await _send_changes(records, rev, send, note_sent)
        return {summary.id for summary in planned.reset}

    async def _introduce(self, user_id: str, ids: list[str], send: Send) -> None:
        for start in range(0, len(ids), _VIEWS_AT_ONCE):
            for view in await self._fetch_views(user_id, ids[start : start + _VIEWS_AT_ONCE]):
                await send(ConversationJoined(conversation=view))

    async def _fetch_changes(
        self, group: Sequence[tuple[SummaryRecord, int]]
    ) -> list[tuple[SummaryRecord, int, list[MessageRecord]]]:
        """Return what has changed in each conversation of a group. Few changes are read with those of other users."""
        found = await self._recent.fetch_changed(
            ChangedRange(summary.id, rev, summary.joined_seq, summary.last_seq)
            for summary, rev in group
            if summary.rev - rev <= FEW
        )
        for summary, rev in group:
            if summary.id not in found:
                found[summary.id] = await self._messages.fetch_changed(
                    summary.id,
                    after_rev=rev,
                    above_seq=summary.joined_seq,
                    up_to_seq=summary.last_seq,
                    limit=MAX_RESUME_CHANGES,
                )
        return [(summary, rev, found[summary.id]) for summary, rev in group]


def _missed(changed: tuple[SummaryRecord, int]) -> int:
    summary, rev = changed
    return summary.rev - rev


async def _send_changes(records: Iterable[MessageRecord], known_rev: int, send: Send, note_sent: NoteSent) -> None:
    newer: list[Message] = []
    for record in records:
        if record.made_rev > known_rev:
            newer.append(record.message)
        else:
            note_sent(record.message)
            await send(MessageChanged(message=record.message))
    for message in sorted(newer, key=lambda message: message.seq):
        note_sent(message)
        await send(MessageNew(message=message, queued=False))


def is_newer(summary: SummaryRecord, records: Iterable[MessageRecord]) -> bool:
    """Return whether a message has changed since the snapshot. A user who has left must not see such a change."""
    return any(record.message.rev > summary.rev for record in records)
