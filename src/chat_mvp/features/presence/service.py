"""The rules of presence: connections get that of contacts, direct peers and subscribed users, never across a block."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from itertools import chain, islice
from weakref import WeakValueDictionary

import structlog
from msgspec import UnsetType

from chat_mvp.errors import UnavailableError, no_such_user
from chat_mvp.events.types import ConversationShown
from chat_mvp.limits import MAX_WATCHED_PRESENCES
from chat_mvp.protocol import ChosenPresence, Presence, PresenceState
from chat_mvp.realtime.connection import Connection
from chat_mvp.realtime.presence import PresenceTracker
from chat_mvp.realtime.registry import Registry
from chat_mvp.storage.arrivals import Arrivals
from chat_mvp.storage.conversations import Conversations, peer_id
from chat_mvp.storage.records import SummaryRecord
from chat_mvp.storage.users import UserChanges, Users

_LOG = structlog.get_logger(__name__)


class PresenceService:
    """Decides whose presence each connection gets, and stores the presence that users choose."""

    def __init__(
        self,
        *,
        tracker: PresenceTracker,
        registry: Registry,
        users: Users,
        arrivals: Arrivals,
        conversations: Conversations,
        on_hide: Callable[[str], None],
        on_show: Callable[[str], Awaitable[None]],
    ) -> None:
        """Read contacts and direct peers from storage, and store choices there.

        Call ``on_hide`` before a user becomes invisible, and ``on_show`` when they are visible again.
        """
        self._tracker = tracker
        self._registry = registry
        self._users = users
        self._arrivals = arrivals
        self._conversations = conversations
        self._on_hide = on_hide
        self._on_show = on_show
        self._tasks: set[asyncio.Task[None]] = set()
        self._choosing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def close(self) -> None:
        """Cancel the tasks that add direct peers to connections."""
        for task in self._tasks:
            task.cancel()

    async def watch(self, connection: Connection, summaries: Iterable[SummaryRecord]) -> list[PresenceState]:
        """Subscribe a new connection to contacts, direct peers and its own list, and return their current presence.

        ``summaries`` are the user's conversations, the most recently active first. When there are more than
        ``MAX_WATCHED_PRESENCES`` contacts and peers, contacts come first.
        """
        contacts = await self._arrivals.fetch_contact_ids(connection.user_id, limit=MAX_WATCHED_PRESENCES)
        peers = (peer_id(each.direct_key, connection.user_id) for each in summaries if each.direct_key is not None)
        known = islice(dict.fromkeys(chain(contacts, peers)), MAX_WATCHED_PRESENCES)
        # Peers of conversations that are newer than the summaries are watched already.
        return await self._tracker.watch(
            connection, {*known, *connection.subscribed, *self._tracker.watched(connection)}
        )

    async def subscribe(self, connection: Connection, user_ids: Iterable[str]) -> list[PresenceState]:
        """Subscribe a connection to these users, and return the current presence of all whom it watches.

        They replace those of the last call; contacts and direct peers stay. The list also holds for a connection that
        is still catching up.
        """
        dropped = connection.subscribed.difference(user_ids)
        connection.subscribed = frozenset(user_ids)
        if dropped:
            dropped -= await self._fetch_known_among(connection.user_id, dropped)
        watched = self._tracker.watched(connection) - dropped
        return await self._tracker.watch(connection, watched | connection.subscribed)

    async def choose(
        self, user_id: str, state: ChosenPresence, status_text: str | None, *, asked_by: Connection
    ) -> Presence:
        """Set and store the presence of a user, and return it as others see it. It lasts across reconnects.

        The user's other connections get it too, except ``asked_by``, which gets the answer.
        """
        async with self.changing(user_id):
            presence = await self._choose(user_id, state, status_text)
            self._registry.send_to_others(asked_by, presence)
            return presence

    def changing(self, user_id: str) -> asyncio.Lock:
        """Return the lock to hold while the presence or the status text of a user is stored and then shown.

        Of two changes at once, the same one must win in storage and in memory. Otherwise someone who is stored as
        invisible would be shown, or an older status text.
        """
        return self._choosing.setdefault(user_id, asyncio.Lock())

    async def _choose(self, user_id: str, state: ChosenPresence, status_text: str | None) -> Presence:
        changes = UserChanges(presence=state)
        if status_text is not None:
            changes.status_text = status_text
        record = await self._users.update(user_id, changes)
        was_hidden = self._tracker.is_hidden(user_id)
        if state == "invisible":
            self._on_hide(user_id)
        presence = self._tracker.choose(user_id, state, record.status_text)
        if was_hidden and state != "invisible":
            await self._on_show(user_id)
        return presence

    async def fetch(self, viewer_id: str, user_id: str) -> PresenceState:
        """Return the presence of a user as ``viewer_id`` sees it; ``NotFoundError`` when no user has this id."""
        if not await self._users.fetch_many([user_id]):
            raise no_such_user()
        return await self._tracker.state_for(viewer_id, user_id)

    def part(self, owner_id: str, other_id: str) -> None:
        """Hide two users from each other because of a block."""
        self._tracker.hide(self._registry.of(owner_id), other_id)
        self._tracker.hide(self._registry.of(other_id), owner_id)

    async def unblocked(self, owner_id: str, other_id: str) -> None:
        """Show two users to each other again because a block was lifted, unless there is another one."""
        await self._show_again(owner_id, other_id)
        await self._show_again(other_id, owner_id)

    async def contact_changed(self, owner_id: str, other_id: str, listed: bool) -> None:
        """Begin or stop to send a user the presence of another, who was added to or removed from their contacts."""
        if listed:
            await self._show(owner_id, other_id, tell_now=True)
        else:
            await self.parted(owner_id, other_id)

    def conversation_shown(self, event: ConversationShown) -> None:
        """Begin to send a user the presence of a direct peer when the conversation becomes visible to them.

        The two users may see the conversation at different times.
        """
        peer = event.conversation.peer
        if isinstance(peer, UnsetType) or not self._registry.is_connected(event.user_id):
            return
        task = asyncio.get_running_loop().create_task(self._watch_direct_peer(event.user_id, peer.id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def parted(self, viewer_id: str, user_id: str) -> None:
        """Stop sending a user the presence of one who is neither contact nor direct peer any more."""
        if self._registry.is_connected(viewer_id) and not await self._fetch_known_among(viewer_id, [user_id]):
            self._tracker.forget((c for c in self._registry.of(viewer_id) if user_id not in c.subscribed), user_id)

    async def _watch_direct_peer(self, viewer_id: str, user_id: str) -> None:
        try:
            await self._show(viewer_id, user_id, tell_now=False)
        except UnavailableError as error:
            # The next connect includes the presence.
            _LOG.warning("a direct peer is not watched", error=error.detail)

    async def _show(self, viewer_id: str, user_id: str, *, tell_now: bool) -> None:
        connections = self._registry.of(viewer_id)
        if connections:
            await self._tracker.watch_also(viewer_id, connections, user_id, tell_now=tell_now)

    async def _show_again(self, viewer_id: str, user_id: str) -> None:
        if not self._registry.is_connected(viewer_id):
            return
        is_known = user_id in await self._fetch_known_among(viewer_id, [user_id])
        connections = [c for c in self._registry.of(viewer_id) if is_known or user_id in c.subscribed]
        await self._tracker.watch_also(viewer_id, connections, user_id, tell_now=True)

    async def _fetch_known_among(self, viewer_id: str, user_ids: Collection[str]) -> set[str]:
        """Return those of ``user_ids`` who are contacts or direct peers of the viewer."""
        listed = await self._arrivals.fetch_listed(viewer_id, user_ids)
        return listed | await self._conversations.fetch_visible_directs(viewer_id, user_ids)
