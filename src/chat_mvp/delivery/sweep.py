"""Adds queue entries for messages that connected recipients have not confirmed within a few seconds.

A message to a connected recipient gets no entry: the message and the recipient's mark say that it is owed. Usually the
mark rises within a second, and there was nothing to write and nothing to remove. For those who do not confirm, or whose
connection ended, the entry is added here. Then each owed message that this process has sent has its entry, for those
who inspect the queue, and for conversations that become large and small again (see ``OwedRange``).

The sweep keeps a few numbers for each conversation with new messages, and looks at members only when it looks at these
conversations, every ``PERIOD_S``. While everyone confirms, it reads no messages and writes nothing.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress

import structlog
from msgspec import Struct

from chat_mvp.delivery.batch import Batch
from chat_mvp.delivery.reply import FutureReply, Reply
from chat_mvp.delivery.rosters import Roster, Rosters
from chat_mvp.delivery.writer import Writer
from chat_mvp.errors import InternalError, NotFoundError, UnavailableError
from chat_mvp.events.types import MessageAdded
from chat_mvp.storage.messages import SentKey
from chat_mvp.storage.owed import OwedMessages
from chat_mvp.storage.queue import SentMessage
from chat_mvp.storage.records import MembershipRecord, SeqRange
from chat_mvp.storage.writes import QUEUE_ENTRY_BYTES
from chat_mvp.supervision import Supervisor, cancel

PERIOD_S = 2.0
"""A message is looked at when it is one to two periods old."""
MESSAGES_AT_ONCE = 500
"""How many messages are read at once."""
ENTRIES_AT_ONCE = 2_000
"""How many entries one operation adds at most."""
CONVERSATIONS_AT_ONCE = 32
LAST_LOOK_S = 1.0

_LOG = structlog.get_logger(__name__)


class Recent(Struct):
    """Consecutive new messages of a conversation, which wait for their recipients."""

    first: int
    last: int
    sender_id: str = ""
    """Who sent the last one."""
    alone_since: int = 0
    """The first of those at the end that this user sent without others in between."""

    def last_for(self, user_id: str) -> int:
        """Return the last of the messages that others sent to this user, as far as this is known."""
        return self.alone_since - 1 if user_id == self.sender_id else self.last


class Sweep:
    """Remembers which messages are new, and queues those that are not confirmed a few seconds later."""

    def __init__(
        self,
        *,
        writer: Writer,
        rosters: Rosters,
        owed: OwedMessages,
        period_s: float = PERIOD_S,
        messages_at_once: int = MESSAGES_AT_ONCE,
        entries_at_once: int = ENTRIES_AT_ONCE,
    ) -> None:
        """Write through ``writer``, at most ``entries_at_once`` with one operation."""
        self._messages_at_once = messages_at_once
        self._entries_at_once = entries_at_once
        self._writer = writer
        self._rosters = rosters
        self._owed = owed
        self._period_s = period_s
        self._young: dict[str, list[Recent]] = {}
        """By conversation. There are several if some messages in between do not wait for their recipients."""
        self._ripe: dict[str, list[Recent]] = {}
        """The messages that were young a period ago."""
        self._task: asyncio.Task[None] | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Begin, in a task of ``supervisor``."""
        self._task = supervisor.run("queue sweep", self._run)

    async def stop(self) -> None:
        """Look at all messages once more, for at most ``LAST_LOOK_S``, and end. The writer must still run."""
        if self._task is None:
            return
        await cancel([self._task])
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_LOOK_S):
                await self.look()
                await self.look()

    def message_added(self, event: MessageAdded) -> None:
        """Remember a new message, if it waits for its recipients."""
        seq, sender_id, conversation_id = event.message.seq, event.message.sender_id, event.message.conversation_id
        roster = self._rosters.get(conversation_id)
        if roster is not None and not roster.waits(seq):
            return
        recents = self._young.setdefault(conversation_id, [])
        if not recents or recents[-1].last != seq - 1:
            recents.append(Recent(seq, seq, sender_id, seq))
            return
        recent = recents[-1]
        recent.last = seq
        if recent.sender_id != sender_id:
            recent.sender_id, recent.alone_since = sender_id, seq

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._period_s)
            await self.look()

    async def look(self) -> None:
        """Queue what is not confirmed of the messages that were already there at the last look."""
        ripe, self._ripe, self._young = self._ripe, self._young, {}
        remaining = list(ripe.items())
        try:
            while remaining:
                # Together, so that their entries can be stored in one transaction.
                await asyncio.gather(*(self._sweep_all(*each) for each in remaining[:CONVERSATIONS_AT_ONCE]))
                del remaining[:CONVERSATIONS_AT_ONCE]
        finally:
            # Only after a cancellation or an unexpected error. Queueing a message twice does no harm.
            for conversation_id, recents in remaining:
                self._keep(conversation_id, recents)

    async def _sweep_all(self, conversation_id: str, recents: Sequence[Recent]) -> None:
        """Queue what is not confirmed in one conversation, in the order of the messages: see ``QueueState``."""
        for number, recent in enumerate(recents):
            try:
                await self._sweep_one(conversation_id, recent)
            except NotFoundError:
                # The conversation was deleted meanwhile.
                return
            except (InternalError, UnavailableError) as error:
                _LOG.info("queue_not_swept", conversation=conversation_id, error=error.detail)
                self._keep(conversation_id, recents[number:])
                return

    async def _sweep_one(self, conversation_id: str, recent: Recent) -> None:
        roster = await self._rosters.fetch(conversation_id)
        if roster is None:
            return
        complete = {id_: _complete_up_to(roster, member, recent) for id_, member in roster.members.items()}
        behind = [user_id for user_id, seq in complete.items() if seq < recent.last_for(user_id)]
        above = min((complete[user_id] for user_id in behind), default=recent.last)
        for start in range(above, recent.last, self._messages_at_once):
            where = SeqRange(conversation_id, start, min(start + self._messages_at_once, recent.last))
            messages = await self._owed.fetch_sent(where)
            at_once = max(1, self._entries_at_once // max(1, len(messages)))
            for first in range(0, len(behind) if messages else 0, at_once):
                people = behind[first : first + at_once]
                reply = FutureReply[None]()
                self._writer.submit(QueueUnconfirmed(conversation_id, people, messages, recent, reply=reply))
                await reply.wait()

    def _keep(self, conversation_id: str, recents: Sequence[Recent]) -> None:
        """Look at these messages again next time, before the newer ones."""
        self._ripe[conversation_id] = [*recents, *self._ripe.get(conversation_id, ())]


class QueueUnconfirmed:
    """Add queue entries of some messages for members who have not confirmed them, unless these entries exist."""

    __slots__ = ("_messages", "_recent", "_user_ids", "conversation_id", "reply", "size")

    direct_key: str | None = None
    message_ids: tuple[str, ...] = ()
    sent_key: SentKey | None = None
    adds_data = False

    def __init__(
        self,
        conversation_id: str,
        user_ids: Collection[str],
        messages: Sequence[SentMessage],
        recent: Recent,
        *,
        reply: Reply[None],
    ) -> None:
        """``messages`` are stored, in ascending order, and some of the ``recent`` ones."""
        self.conversation_id: str | None = conversation_id
        self._user_ids = user_ids
        self._messages = messages
        self._recent = recent
        self.reply = reply
        self.size = QUEUE_ENTRY_BYTES * len(messages) * len(user_ids)

    def apply(self, batch: Batch) -> None:
        """Add what is missing now for those who are still members."""
        roster = batch.roster(self.conversation_id or "")
        for user_id in self._user_ids:
            member = roster.members.get(user_id)
            if member is not None:
                above = _complete_up_to(roster, member, self._recent)
                missing = [it for it in self._messages if it.seq > above and it.sender_id != user_id]
                batch.queue_for(roster, member, missing, up_to=self._messages[-1].seq)
        batch.answer(self.reply, None)


def _complete_up_to(roster: Roster, member: MembershipRecord, recent: Recent) -> int:
    """Return up to which of the recent messages nothing is missing for this member."""
    # A roster that was read again after they were sent does not know which of them have entries.
    queued = roster.queue_of(member.user_id).complete_up_to if roster.loaded_seq < recent.first else 0
    return max(queued, member.delivered_seq, member.joined_seq, recent.first - 1)
