"""From ``connect`` to ``drained``: what a new connection is told, in the promised order, before it goes live."""

from collections.abc import Awaitable, Callable

from msgspec import UNSET

from chat_mvp.delivery.catchup import CatchUp, Known
from chat_mvp.delivery.drain import Drain
from chat_mvp.delivery.snapshot import Snapshots, Standing
from chat_mvp.limits import MAX_FRAME_BYTES, MAX_TEXT_CHARS
from chat_mvp.protocol import Connect, Drained, Limits, Message, PresenceSnapshot, PresenceState, Ready
from chat_mvp.realtime.connection import Connection
from chat_mvp.storage.queue import Queue
from chat_mvp.times import format_time, utc_now

Watch = Callable[[Connection], Awaitable[list[PresenceState]]]
CatchingUp = Callable[[], Awaitable[None]]
Settled = Callable[[], Awaitable[None]]


class Greeter:
    """Tells connections what they need to know."""

    def __init__(
        self,
        *,
        snapshots: Snapshots,
        catch_up: CatchUp,
        drain: Drain,
        queue: Queue,
        watch: Watch,
        settled: Settled,
        epoch: str,
        heartbeat_s: float,
        sends_per_s: int | None,
    ) -> None:
        """``watch`` begins to tell a connection of other people's presence, and returns how it is now.

        ``settled`` returns when everything that could be read before has been published.
        """
        self._snapshots = snapshots
        self._catch_up = catch_up
        self._drain = drain
        self._queue = queue
        self._watch = watch
        self._settled = settled
        self._epoch = epoch
        self._heartbeat_s = heartbeat_s
        self._limits = Limits(frame_bytes=MAX_FRAME_BYTES, text_chars=MAX_TEXT_CHARS, sends_per_s=sends_per_s)

    async def greet(self, connection: Connection, frame: Connect) -> CatchingUp:
        """Send ``ready``; return what brings the connection up to date and makes it live.

        The connection must hold live events since before this is called: what is read here is a snapshot.
        """
        standings = await self._fetch_snapshot(connection)
        queued = await self._queue.count(connection.user_id)
        for conversation_id, standing in standings.items():
            connection.session.note_snapshot(conversation_id, standing.conversation.rev)
        known = Known(frame.known, frame.epoch)
        recovered = known.is_good(standings, self._epoch)
        now = utc_now()
        connection.answer(
            Ready(
                ref=UNSET if frame.ref is None else frame.ref,
                connection_id=connection.id,
                user_id=connection.user_id,
                epoch=self._epoch,
                server_time=format_time(now),
                heartbeat_s=self._heartbeat_s,
                recovered=recovered,
                queued=queued,
                unread_notifications=0,
                token_expires_in=max(0, int(connection.expires_at - now.timestamp())),
                conversations=[standing.state() for standing in standings.values()],
                more=False,
                limits=self._limits,
            ),
        )
        revs = dict(known.revs or {}) if recovered else None
        return lambda: self._bring_up_to_date(connection, standings, revs)

    async def _fetch_snapshot(self, connection: Connection) -> dict[str, Standing]:
        """Read the person's conversations, once more where they were let out of one meanwhile.

        Otherwise a place from before could stand beside counters from after, and what is streamed by them would show
        what happened without the person.
        """
        session = connection.session
        while True:
            left = session.left
            standings = await self._snapshots.fetch(connection.user_id)
            # What could be read has been told by then, somebody's leaving too.
            await self._settled()
            if session.left == left:
                break
        for conversation_id in set(left):
            session.forget_left(conversation_id)
        return standings

    async def _bring_up_to_date(
        self,
        connection: Connection,
        standings: dict[str, Standing],
        known: dict[str, int] | None,
    ) -> None:
        user_id, send = connection.user_id, connection.catch_up

        def note_sent(message: Message) -> None:
            standing = standings.get(message.conversation_id)
            if standing is not None and message.rev > standing.conversation.rev:
                connection.session.note_sent(message.id, message.rev)

        async def has_left(conversation_id: str) -> bool:
            await self._settled()
            return conversation_id in connection.session.left

        reset: set[str] = set()
        if known is not None:
            reset = await self._catch_up.stream(
                user_id, standings, known, send=send, note_sent=note_sent, has_left=has_left
            )
        count = await self._drain.stream(
            user_id,
            standings,
            known or {},
            without=reset,
            send=send,
            note_sent=note_sent,
            has_left=has_left,
        )
        presence = await self._watch(connection)
        # A batch may be stored, and read here, before the writer tells of it: that must still be among what is held.
        await self._settled()
        await connection.go_live(Drained(count=count), PresenceSnapshot(items=presence))
