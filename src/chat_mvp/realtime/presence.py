"""Presence: derived from live connections, and sent to the connections that watch a user. Frames may be dropped.

Disconnections shorter than ``GRACE_S``, such as the reload of a page, are not reported.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import datetime

import structlog
from cachetools import TTLCache
from msgspec import Struct, structs

from chat_mvp.clock import Now
from chat_mvp.codec import EncodedFrame
from chat_mvp.delivery.bus import Publication
from chat_mvp.limits import MAX_SUBSCRIBED_PRESENCES, MAX_WATCHED_PRESENCES
from chat_mvp.protocol import ChosenPresence, Presence, PresenceState, ShownPresence
from chat_mvp.realtime.connection import Connection
from chat_mvp.realtime.watchers import Watchers
from chat_mvp.storage.arrivals import PresenceRecord
from chat_mvp.supervision import Supervisor
from chat_mvp.times import format_optional, utc_now

GRACE_S = 3.0
FLUSH_S = 5.0
MAX_CACHED = 100_000

_LOG = structlog.get_logger(__name__)


class Chosen(Struct):
    """The presence that a user chose, and when they were last connected and visible."""

    state: ChosenPresence
    status_text: str
    last_seen: datetime | None


IsConnected = Callable[[str], bool]
FetchBlocked = Callable[[str], Awaitable[frozenset[str]]]
FetchPresences = Callable[[Collection[str]], Awaitable[Mapping[str, PresenceRecord]]]
SaveLastSeen = Callable[[dict[str, datetime]], Awaitable[None]]


class PresenceTracker:
    """Tracks who is connected, and sends changes to the connections that watch them."""

    def __init__(
        self,
        *,
        fetch_presences: FetchPresences,
        save_last_seen: SaveLastSeen,
        fetch_blocked: FetchBlocked,
        cache_seconds: float,
        clock: Now = utc_now,
    ) -> None:
        """``fetch_blocked(user_id)`` returns all users with whom this user has a block, as of when it returns."""
        self._clock = clock
        self._fetch_presences = fetch_presences
        self._save_last_seen = save_last_seen
        self._fetch_blocked = fetch_blocked
        self._is_connected: IsConnected = lambda _: False
        self._chosen: TTLCache[str, Chosen] = TTLCache(MAX_CACHED, cache_seconds)
        self._online: dict[str, Chosen] = {}
        """Users with a connection, and those who lost it less than ``GRACE_S`` ago; bounded by the connections."""
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        self._watchers = Watchers()
        self._last_seen: dict[str, datetime] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self, is_connected: IsConnected, supervisor: Supervisor) -> None:
        """Start to store ``last_seen`` in batches. ``is_connected(user_id)``: whether a user has a connection."""
        self._is_connected = is_connected
        self._task = supervisor.run("presence", self._flush_regularly)

    async def stop(self) -> None:
        """Store the remaining ``last_seen`` times, and end."""
        if self._task is not None:
            self._task.cancel()
        for timer in self._leaving.values():
            timer.cancel()
        now = self._clock()
        self._last_seen.update({i: now for i, chosen in self._online.items() if chosen.state != "invisible"})
        await self._flush()

    # ------------------------------------------------------------------------------------- connecting, disconnecting

    async def arrive(self, user_id: str) -> None:
        """Load the chosen presence and the blocks of a user who is about to be connected."""
        await self._fetch_blocked(user_id)
        if user_id not in self._online:
            chosen = (await self._fetch([user_id])).get(user_id)
            if chosen is not None:
                self._chosen[user_id] = chosen

    def connections_changed(self, user_id: str) -> None:
        """Notify the watchers when a user connects, and ``GRACE_S`` after their last connection ended."""
        if self._is_connected(user_id):
            timer = self._leaving.pop(user_id, None)
            if timer is not None:
                timer.cancel()
            if user_id not in self._online:
                self._online[user_id] = self._chosen.get(user_id) or Chosen("online", "", None)
                if not self.is_hidden(user_id):
                    self._notify_watchers(user_id)
        elif user_id in self._online and user_id not in self._leaving:
            loop = asyncio.get_running_loop()
            self._leaving[user_id] = loop.call_later(GRACE_S, self._left, user_id)

    def is_reachable(self, user_id: str) -> bool:
        """Return whether a user is connected and not invisible."""
        return self._is_connected(user_id) and not self.is_hidden(user_id)

    def is_hidden(self, user_id: str) -> bool:
        """Return whether a user who is connected, or is in memory, is invisible. ``fetch_hidden`` covers all users."""
        chosen = self._online.get(user_id) or self._chosen.get(user_id)
        return chosen is not None and chosen.state == "invisible"

    async def fetch_hidden(self, user_ids: Collection[str]) -> set[str]:
        """Return those of the users who are invisible, also where they are not connected or not in memory."""
        fetched = await self._fetch(user_ids)
        known = ((i, self._online.get(i) or self._chosen.get(i) or fetched.get(i)) for i in user_ids)
        return {user_id for user_id, chosen in known if chosen is not None and chosen.state == "invisible"}

    def choose(self, user_id: str, state: ChosenPresence, status_text: str) -> Presence:
        """Set the presence of a user, notify the watchers, and return it as others see it."""
        chosen = self._online.get(user_id) or self._chosen.get(user_id) or Chosen(state, status_text, None)
        before = chosen.state, chosen.status_text
        is_connected = user_id in self._online
        if is_connected and state == "invisible" and chosen.state != "invisible":
            # The frame must not differ from that of a user whose connection ended, so it has the old status text.
            chosen.last_seen = self._last_seen[user_id] = self._clock()
            chosen.state = state
            self._notify_watchers(user_id)
        chosen.state, chosen.status_text = state, status_text
        self._chosen[user_id] = chosen
        if is_connected and state != "invisible" and before != (state, status_text):
            self._notify_watchers(user_id)
        return self._frame(user_id, chosen, online=True)

    def status_changed(self, user_id: str, status_text: str) -> None:
        """Set the status text of a user, and notify the watchers if the user is connected."""
        chosen = self._online.get(user_id)
        if chosen is not None:
            self.choose(user_id, chosen.state, status_text)
        elif (known := self._chosen.get(user_id)) is not None:
            # Do not drop the entry: it may hold a ``last_seen`` that is not stored yet.
            known.status_text = status_text

    def _left(self, user_id: str) -> None:
        self._leaving.pop(user_id, None)
        if self._is_connected(user_id):
            return
        chosen = self._online.pop(user_id)
        self._chosen[user_id] = chosen
        if chosen.state != "invisible":
            chosen.last_seen = self._last_seen[user_id] = self._clock()
            self._notify_watchers(user_id)

    # ------------------------------------------------------------------------------------------------------ watching

    async def watch(self, connection: Connection, user_ids: Iterable[str]) -> list[PresenceState]:
        """Make a connection watch these users instead of those before, and return their current presence.

        Users with whom there is a block are ``offline``, and are not watched.
        """
        wanted = set(user_ids) - {connection.user_id}
        before = self._watchers.people(connection)
        chosen = await self._fetch(wanted)
        blocked = await self._fetch_blocked(connection.user_id)
        # No await from here on: a block or a change in between would be in neither the result nor the frames.
        wanted |= self._watchers.people(connection) - before
        self._watchers.replace(connection, wanted - blocked)
        return [self._state(user_id, chosen, blocked) for user_id in wanted]

    def watched(self, connection: Connection) -> frozenset[str]:
        """Return the users whose presence this connection gets."""
        return self._watchers.people(connection)

    async def watch_also(
        self, viewer_id: str, connections: Iterable[Connection], user_id: str, *, tell_now: bool
    ) -> None:
        """Make these connections of the viewer watch one more user, unless there is a block between the two.

        With ``tell_now`` the connections get the current presence at once, otherwise only its changes. A connection
        that watches as many users as it may is left out.
        """
        chosen = await self._fetch([user_id])
        if user_id in await self._fetch_blocked(viewer_id):
            return
        encoded = EncodedFrame(Presence(**structs.asdict(self._state(user_id, chosen, set()))))
        for connection in connections:
            if len(self._watchers.people(connection)) >= MAX_WATCHED_PRESENCES + MAX_SUBSCRIBED_PRESENCES:
                continue
            self._watchers.add(connection, user_id)
            if tell_now:
                connection.deliver(_publication(viewer_id, encoded), encoded)

    def hide(self, connections: Iterable[Connection], user_id: str) -> None:
        """Make these connections stop watching a user because of a block, and send them a last ``offline``."""
        encoded = EncodedFrame(Presence(user_id=user_id, state="offline", last_seen=None, status_text=""))
        for connection in connections:
            if self._watchers.discard(connection, user_id):
                connection.deliver(_publication(connection.user_id, encoded), encoded)

    def forget(self, connections: Iterable[Connection], user_id: str) -> None:
        """Make these connections stop watching a user, without a last frame."""
        for connection in connections:
            self._watchers.discard(connection, user_id)

    def unwatch(self, connection: Connection) -> None:
        """Stop sending presence to this connection."""
        self._watchers.remove(connection)

    async def state_for(self, viewer_id: str, user_id: str) -> PresenceState:
        """Return the presence of a user as the viewer sees it."""
        chosen = await self._fetch([user_id])
        return self._state(user_id, chosen, await self._fetch_blocked(viewer_id))

    def _state(self, user_id: str, fetched: Mapping[str, Chosen], blocked: Collection[str]) -> PresenceState:
        chosen = self._online.get(user_id) or self._chosen.get(user_id) or fetched.get(user_id)
        if chosen is None or user_id in blocked:
            chosen = Chosen("invisible", "", None)
        frame = self._frame(user_id, chosen, online=user_id in self._online and user_id not in blocked)
        return PresenceState(
            user_id=user_id,
            state=frame.state,
            last_seen=frame.last_seen,
            status_text=frame.status_text,
        )

    def _notify_watchers(self, user_id: str) -> None:
        watchers = self._watchers.of(user_id)
        if not watchers:
            return
        encoded = EncodedFrame(self._frame(user_id, self._known(user_id), online=user_id in self._online))
        for connection in watchers:
            connection.deliver(_publication(connection.user_id, encoded), encoded)

    def _frame(self, user_id: str, chosen: Chosen, *, online: bool) -> Presence:
        is_visible = online and chosen.state != "invisible"
        return Presence(
            user_id=user_id,
            state=_shown(chosen) if online else "offline",
            last_seen=format_optional(self._clock() if is_visible else chosen.last_seen),
            status_text=chosen.status_text,
        )

    def _known(self, user_id: str) -> Chosen:
        return self._online.get(user_id) or self._chosen.get(user_id) or Chosen("online", "", None)

    # ------------------------------------------------------------------------------------------------------- storage

    async def _fetch(self, user_ids: Iterable[str]) -> dict[str, Chosen]:
        wanted = list(user_ids)
        found = {user_id: chosen for user_id in wanted if (chosen := self._chosen.get(user_id)) is not None}
        missing = [user_id for user_id in wanted if user_id not in found and user_id not in self._online]
        if missing:
            for user_id, record in (await self._fetch_presences(missing)).items():
                found[user_id] = Chosen(record.presence, record.status_text, record.last_seen)
                self._chosen[user_id] = found[user_id]
        return found

    async def _flush_regularly(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            await self._flush()

    async def _flush(self) -> None:
        last_seen_by_user, self._last_seen = self._last_seen, {}
        if not last_seen_by_user:
            return
        try:
            await self._save_last_seen(last_seen_by_user)
        except Exception:  # noqa: BLE001  (the next flush tries again; presence must work without the database)
            _LOG.warning("last_seen not written", people=len(last_seen_by_user))
            self._last_seen = last_seen_by_user | self._last_seen


def _shown(chosen: Chosen) -> ShownPresence:
    return "offline" if chosen.state == "invisible" else chosen.state


def _publication(user_id: str, encoded: EncodedFrame) -> Publication:
    return Publication(audience=(user_id,), frame=encoded.frame, droppable=True)
