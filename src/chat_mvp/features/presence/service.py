"""The rules of presence: contacts and direct peers are told, whoever else was asked for too, the blocked never."""

from collections.abc import Iterable

from chat_mvp.errors import NotFoundError
from chat_mvp.protocol import ChosenPresence, Presence, PresenceState
from chat_mvp.realtime.connection import Connection
from chat_mvp.realtime.presence import PresenceTracker
from chat_mvp.realtime.registry import Registry
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.conversations import Conversations
from chat_mvp.storage.users import UserChanges, Users


class PresenceService:
    """Connects the tracker with the people it is about."""

    def __init__(
        self,
        *,
        tracker: PresenceTracker,
        registry: Registry,
        users: Users,
        contacts: Contacts,
        conversations: Conversations,
    ) -> None:
        """Read contacts and direct peers from storage, keep choices there."""
        self._tracker = tracker
        self._registry = registry
        self._users = users
        self._contacts = contacts
        self._conversations = conversations

    async def watch(self, connection: Connection, also: Iterable[str] = ()) -> list[PresenceState]:
        """Tell this connection of its contacts, its direct peers and the others asked for, and how they are now."""
        user_id = connection.user_id
        contacts = await self._contacts.fetch_contact_ids(user_id)
        peers = await self._conversations.fetch_direct_peers(user_id)
        return await self._tracker.watch(connection, contacts | peers | set(also))

    async def choose(self, user_id: str, state: ChosenPresence, status_text: str | None) -> Presence:
        """Let a person be seen like this from now on, also after they reconnect."""
        changes = UserChanges(presence=state)
        if status_text is not None:
            changes.status_text = status_text
        record = await self._users.update(user_id, changes)
        return self._tracker.choose(user_id, state, record.status_text)

    async def fetch(self, viewer_id: str, user_id: str) -> PresenceState:
        """Return how one person looks to another; ``NotFoundError`` when there is nobody with this id."""
        if not await self._users.fetch_many([user_id]):
            raise NotFoundError("There is nobody with this id.")
        return await self._tracker.state_for(viewer_id, user_id)

    def block_changed(self, owner_id: str, other_id: str, blocked: bool) -> None:
        """Hide two people from each other, whoever of them has blocked the other."""
        if blocked:
            self._tracker.unwatch_person(self._registry.of(owner_id), other_id)
            self._tracker.unwatch_person(self._registry.of(other_id), owner_id)

    def contact_changed(self, owner_id: str, other_id: str, listed: bool) -> None:
        """Tell somebody of a new contact from now on."""
        if listed:
            self._tracker.watch_also(self._registry.of(owner_id), other_id)

    def met(self, one: str, other: str) -> None:
        """Tell two people of each other, who have begun to talk."""
        self._tracker.watch_also(self._registry.of(one), other)
        self._tracker.watch_also(self._registry.of(other), one)
