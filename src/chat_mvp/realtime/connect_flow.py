"""From ``connect`` to ``drained``: the frames that a new connection gets before it is live, in the promised order."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from msgspec import UNSET

from chat_mvp.clock import Now
from chat_mvp.delivery.backlog import Backlog, Backlogs
from chat_mvp.delivery.catchup import CatchUp, Known
from chat_mvp.delivery.drain import Drain
from chat_mvp.delivery.snapshot import Snapshots, UnreadBudget
from chat_mvp.limits import MAX_FRAME_BYTES, MAX_READY_CONVERSATIONS, MAX_TEXT_CHARS
from chat_mvp.protocol import (
    Connect,
    ConversationState,
    Drained,
    Limits,
    Message,
    PresenceSnapshot,
    PresenceState,
    Ready,
    ReadyConversations,
    ServerFrame,
)
from chat_mvp.realtime.admission import Slot
from chat_mvp.realtime.connection import Connection
from chat_mvp.storage.records import SummaryRecord
from chat_mvp.times import format_time

Watch = Callable[[Connection, Iterable[SummaryRecord]], Awaitable[list[PresenceState]]]
CatchingUp = Callable[[], Awaitable[None]]
Settled = Callable[[], Awaitable[None]]


class ConnectFlow:
    """Opens connections: sends ``ready``, the catch-up and ``drained``."""

    def __init__(
        self,
        *,
        snapshots: Snapshots,
        catch_up: CatchUp,
        backlogs: Backlogs,
        watch: Watch,
        settled: Settled,
        clock: Now,
        epoch: str,
        heartbeat_s: float,
        sends_per_s: int | None,
    ) -> None:
        """``watch`` subscribes a connection to the presence of other users, and returns their current presence.

        ``settled`` returns when everything that could be read before has been published.
        """
        self._snapshots = snapshots
        self._catch_up = catch_up
        self._backlogs = backlogs
        self._drain = Drain(backlogs)
        self._watch = watch
        self._settled = settled
        self._clock = clock
        self._epoch = epoch
        self._heartbeat_s = heartbeat_s
        self._limits = Limits(frame_bytes=MAX_FRAME_BYTES, text_chars=MAX_TEXT_CHARS, sends_per_s=sends_per_s)

    async def start(self, connection: Connection, frame: Connect, slot: Slot) -> CatchingUp:
        """Send ``ready``. Return a function that brings the connection up to date and makes it live.

        Before the call, the connection must hold back live events, because the data read here is a snapshot. The
        connection holds ``slot``, and releases it whenever it waits for its reader.
        """
        budget = UnreadBudget()
        summaries, states, backlog = await self._fetch_snapshot(connection, budget)
        for summary in summaries:
            connection.session.note_snapshot(summary.id, summary.rev)
        known = Known(frame.known, frame.epoch)
        recovered = known.is_good(summaries, self._epoch)
        now = self._clock()
        connection.answer(
            Ready(
                connection_id=connection.id,
                user_id=connection.user_id,
                epoch=self._epoch,
                server_time=format_time(now),
                heartbeat_s=self._heartbeat_s,
                recovered=recovered,
                queued=backlog.count,
                unread_notifications=0,
                token_expires_in=max(0, int(connection.expires_at - now.timestamp())),
                conversations=states,
                limits=self._limits,
                more=True if len(summaries) > MAX_READY_CONVERSATIONS else UNSET,
            ),
            frame.ref,
        )
        revs = dict(known.revs or {}) if recovered else None
        return lambda: self._bring_up_to_date(connection, slot, summaries, backlog, budget, revs)

    async def _fetch_snapshot(
        self, connection: Connection, budget: UnreadBudget
    ) -> tuple[list[SummaryRecord], list[ConversationState], Backlog]:
        """Read the user's conversations, the first page of their states, and what is owed to the user.

        Conversations that the user left since the connection began to hold events are left out, because a membership
        from before could be combined with counters from after. If the user came back meanwhile, the held events include
        that.
        """
        summaries = await self._snapshots.fetch_summaries(connection.user_id)
        first = summaries[:MAX_READY_CONVERSATIONS]
        states = await self._snapshots.fetch_states(connection.user_id, first, budget)
        backlog = await self._backlogs.find(connection.user_id, summaries)
        # Everything that could be read is now published, including that the user has left a conversation.
        await self._settled()
        left = set(connection.session.left)
        for conversation_id in left:
            connection.session.forget_left(conversation_id)
        if not left:
            return summaries, states, backlog
        return (
            [summary for summary in summaries if summary.id not in left],
            [state for state in states if state.id not in left],
            backlog.without(left),
        )

    async def _bring_up_to_date(
        self,
        connection: Connection,
        slot: Slot,
        summaries: list[SummaryRecord],
        backlog: Backlog,
        budget: UnreadBudget,
        known: dict[str, int] | None,
    ) -> None:
        user_id = connection.user_id
        revs = {summary.id: summary.rev for summary in summaries}

        def note_sent(message: Message) -> None:
            rev = revs.get(message.conversation_id)
            if rev is not None and message.rev > rev:
                connection.session.note_sent(message.id, message.rev)

        async def has_left(conversation_id: str) -> bool:
            await self._settled()
            return conversation_id in connection.session.left

        async def send(frame: ServerFrame) -> None:
            await connection.catch_up(frame, slot)

        await self._send_pages(connection, summaries, budget, send)
        reset: set[str] = set()
        if known is not None:
            reset = await self._catch_up.stream(
                user_id, summaries, known, send=send, note_sent=note_sent, has_left=has_left
            )
        count = await self._drain.stream(
            backlog,
            known or {},
            without=reset,
            send=send,
            note_sent=note_sent,
            has_left=has_left,
        )
        left = set(connection.session.left)
        presence = await self._watch(connection, (summary for summary in summaries if summary.id not in left))
        # A batch may be stored, and read here, before the writer publishes it. Wait until its events are among the held
        # ones.
        await self._settled()
        slot.leave()
        await connection.go_live(Drained(count=count), PresenceSnapshot(items=presence))

    async def _send_pages(
        self,
        connection: Connection,
        summaries: Sequence[SummaryRecord],
        budget: UnreadBudget,
        send: Callable[[ServerFrame], Awaitable[None]],
    ) -> None:
        """Send the conversations that did not fit into ``ready``, without those that the user has left meanwhile."""
        for start in range(MAX_READY_CONVERSATIONS, len(summaries), MAX_READY_CONVERSATIONS):
            page = summaries[start : start + MAX_READY_CONVERSATIONS]
            states = await self._snapshots.fetch_states(connection.user_id, page, budget)
            await self._settled()
            left = connection.session.left
            await send(
                ReadyConversations(
                    conversations=[state for state in states if state.id not in left],
                    more=start + MAX_READY_CONVERSATIONS < len(summaries),
                )
            )
