"""Conversations and their members, kept in memory so that a send needs no database round trip.

A roster is the writer's copy of a conversation: its counters, its members, their roles and marks. The writer changes
rosters while it plans a batch. If the batch does not commit, the writer forgets the rosters that it changed. Every
transaction that advances the counters of a conversation checks them first. So an outdated roster costs a second
attempt, but never causes a wrong write.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from itertools import count
from weakref import WeakValueDictionary

from cachetools import LRUCache
from msgspec import Struct, field

from chat_mvp.limits import MAX_SMALL_CONVERSATION
from chat_mvp.protocol import User
from chat_mvp.storage.contacts import Contacts
from chat_mvp.storage.conversations import Conversations
from chat_mvp.storage.records import ConversationRecord, Marks, MembershipRecord

MAX_ROSTERS_WEIGHT = 500_000
"""How many members are kept in memory. A conversation counts as two more. A member takes about 500 bytes."""
MAX_ROSTER_WEIGHT = MAX_ROSTERS_WEIGHT // 512
"""The maximum weight of a large conversation. It lets two batches of 256 operations always fit into the cache."""
MAX_DIRECT_KEYS = 200_000
MAX_CHANGED_PROFILES = 10_000
"""About 5 MB."""

FetchUsers = Callable[[Iterable[str]], Awaitable[dict[str, User]]]


class QueueState(Struct):
    """What is known about the queue entries of one member in one conversation."""

    highest: int
    """No entry is above this ``seq``."""
    complete_up_to: int
    """Every message up to this ``seq`` that the member has not confirmed has an entry."""


class Roster(Struct, kw_only=True):
    """One conversation with its members."""

    conversation: ConversationRecord
    members: dict[str, MembershipRecord]
    stored_seq: int
    """The ``seq`` of the last message that is known to be stored. A message in flight cannot be acknowledged."""
    loaded_seq: int = 0
    """The ``seq`` of the last message when the roster was read from the database."""
    queues: dict[str, QueueState] = field(default_factory=dict)
    """The queues that changed since then, by user. Members who confirm everything while connected need none."""
    blocked: bool = False
    """In a direct conversation: whether one of the two users has blocked the other."""
    people: dict[str, User] = {}
    """The two users of a direct conversation that one of them does not see yet; empty otherwise.

    They may be older than a change of their profiles: ``Rosters.current_profile`` returns them as they are now.
    """
    audience: tuple[str, ...] | None = None
    """The cached result of ``everybody``; reset when members change."""

    def reached(self, seq: int) -> None:
        """Note that every message up to ``seq`` is stored."""
        self.stored_seq = max(self.stored_seq, seq)

    def waits(self, seq: int) -> bool:
        """Return whether this message waits for its recipients."""
        owed = self.conversation.owed
        return owed is not None and owed.after < seq and (owed.up_to is None or seq <= owed.up_to)

    def queue_of(self, user_id: str) -> QueueState:
        """Return what is known about a member's queue entries.

        A roster that was just read knows nothing: messages up to ``loaded_seq`` may have entries. The sweep adds
        entries only for those that it remembers itself.
        """
        return self.queues.get(user_id) or QueueState(highest=self.loaded_seq, complete_up_to=self.loaded_seq)

    def completed(self, member: MembershipRecord, up_to: int) -> None:
        """Note that a member's queue has everything up to this ``seq`` that the member has not confirmed."""
        state = self.queues.setdefault(member.user_id, self.queue_of(member.user_id))
        state.highest = max(state.highest, up_to)
        state.complete_up_to = max(state.complete_up_to, up_to)

    def last_entry(self, user_id: str) -> int:
        """Return the highest ``seq`` that may be in a member's queue."""
        state = self.queues.get(user_id)
        return self.loaded_seq if state is None else state.highest

    def add_entry(self, member: MembershipRecord, seq: int) -> None:
        """Note that a new message gets a queue entry for this member."""
        state = self.queues.setdefault(member.user_id, self.queue_of(member.user_id))
        state.highest = seq
        if max(state.complete_up_to, member.delivered_seq) >= seq - 1:
            state.complete_up_to = seq

    def everybody(self) -> tuple[str, ...]:
        """Return the ids of all members who see the conversation."""
        if self.audience is None:
            self.audience = tuple(user_id for user_id, member in self.members.items() if member.visible)
        return self.audience

    def shows(self, member: MembershipRecord, seq: int) -> bool:
        """Return whether the member may see the message with this sequence number."""
        return seq > member.hides_up_to(self.conversation)

    def was_there(self, member: MembershipRecord, seq: int) -> bool:
        """Return whether this message was sent to the member. In a direct conversation, every message was."""
        return seq > member.joined_seq or self.conversation.kind == "direct"

    def audience_of(self, seq: int) -> tuple[str, ...]:
        """Return the ids of all members who may see the message with this sequence number."""
        return tuple(user_id for user_id in self.everybody() if self.shows(self.members[user_id], seq))

    def member(self, user_id: str) -> MembershipRecord | None:
        """Return the user's membership; ``None`` if they are not a member or do not see the conversation."""
        member = self.members.get(user_id)
        return member if member is not None and member.visible else None

    def lowest_marks_of_others(self, user_id: str, apart: Collection[str] = ()) -> tuple[int, int] | None:
        """Return the lowest delivered and read marks of the other members, as far as other users may see them.

        ``None`` in a large conversation and when there is no other member. Members who are kept ``apart`` by a block do
        not count.
        """
        if len(self.members) > MAX_SMALL_CONVERSATION:
            return None
        marks = [m.visible_marks() for other, m in self.members.items() if other != user_id and other not in apart]
        return (min(m.delivered_seq for m in marks), min(m.read_seq for m in marks)) if marks else None

    def marks_for(self, member: MembershipRecord, viewer_id: str, apart: Collection[str]) -> Marks:
        """Return the marks of a member as the viewer sees them, whom blocks keep ``apart`` from these users.

        In a direct conversation a block withholds later marks. In a group it hides all marks: the result is then where
        the member joined.
        """
        if member.user_id == viewer_id:
            return member.own_marks()
        if self.conversation.kind != "direct" and member.user_id in apart:
            return Marks(member.joined_seq, member.joined_seq)
        return member.visible_marks()


class Dropped(set[str]):
    """The conversations and the pairs (by ``direct_key``) that were dropped while someone holds this."""


class Rosters:
    """A bounded cache of rosters. It drops the least recently used ones."""

    def __init__(self, conversations: Conversations, contacts: Contacts, fetch_users: FetchUsers) -> None:
        """Load missing rosters from these collections."""
        self._conversations = conversations
        self._contacts = contacts
        self._fetch_users = fetch_users
        self._rosters: LRUCache[str, Roster] = LRUCache(MAX_ROSTERS_WEIGHT, getsizeof=_weight)
        self._direct_ids: LRUCache[str, str] = LRUCache(MAX_DIRECT_KEYS)
        self._changed_profiles: LRUCache[str, User] = LRUCache(MAX_CHANGED_PROFILES)
        self._watches: WeakValueDictionary[int, Dropped] = WeakValueDictionary()
        """For each read in progress and each batch, what was dropped since it began and must be read again."""
        self._watch_numbers = count()

    def get(self, conversation_id: str) -> Roster | None:
        """Return the roster if it is in memory."""
        return self._rosters.get(conversation_id)

    def direct_id(self, key: str) -> str | None:
        """Return the id of the direct conversation of a pair if it is in memory."""
        return self._direct_ids.get(key)

    def put(self, roster: Roster) -> None:
        """Add the roster of a conversation, or update its weight after its members have changed."""
        conversation = roster.conversation
        self._rosters[conversation.id] = roster
        if conversation.direct_key is not None:
            self._direct_ids[conversation.direct_key] = conversation.id

    def note_profile(self, user: User) -> None:
        """Note that a profile has changed. Rosters and operations may hold it as it was before."""
        self._changed_profiles[user.id] = user

    def current_profile(self, user: User) -> User:
        """Return the profile of this user after the last change that was noted."""
        return self._changed_profiles.get(user.id, user)

    def watch(self) -> Dropped:
        """Collect what is dropped from now on, for as long as the result is kept."""
        dropped = self._watches[next(self._watch_numbers)] = Dropped()
        return dropped

    def forget(self, ids: Iterable[str]) -> None:
        """Drop the rosters of these conversations. The next use reads them again."""
        dropped = list(ids)
        self._note_dropped(dropped)
        for conversation_id in dropped:
            roster = self._rosters.pop(conversation_id, None)
            if roster is not None and roster.conversation.direct_key is not None:
                self._direct_ids.pop(roster.conversation.direct_key, None)

    def forget_direct(self, key: str) -> None:
        """Drop the roster of a direct conversation, because one of the two users has blocked or unblocked the other."""
        self._note_dropped([key])
        conversation_id = self._direct_ids.get(key)
        if conversation_id is not None:
            self.forget([conversation_id])

    async def load(self, ids: Iterable[str]) -> None:
        """Load those of the conversations that exist, with one query per collection for all that are not in memory."""
        missing = [conversation_id for conversation_id in set(ids) if conversation_id not in self._rosters]
        while missing:
            dropped = self.watch()
            loaded = await self._load(missing)
            missing = []
            for roster in loaded:
                conversation = roster.conversation
                if conversation.id in dropped or conversation.direct_key in dropped:
                    # If a block or a failed batch dropped the roster during the read, what was read may be older.
                    missing.append(conversation.id)
                elif conversation.id not in self._rosters:
                    self.put(roster)

    async def load_direct(self, keys: Iterable[str]) -> None:
        """Load those of the direct conversations of these pairs that exist."""
        missing = [key for key in set(keys) if key not in self._direct_ids]
        if missing:
            await self.load((await self._conversations.fetch_direct_ids(missing)).values())

    async def fetch(self, conversation_id: str) -> Roster | None:
        """Return the roster, from memory or from the database; ``None`` when there is no such conversation."""
        roster = self._rosters.get(conversation_id)
        if roster is None:
            await self.load([conversation_id])
            roster = self._rosters.get(conversation_id)
        return roster

    def _note_dropped(self, names: Iterable[str]) -> None:
        for dropped in self._watches.values():
            dropped.update(names)

    async def _load(self, ids: list[str]) -> list[Roster]:
        # Counters before members: when a user joins in between, the counters are the older of the two, and the first
        # batch notices that. In the other order, a missing member would not be noticed.
        conversations = await self._conversations.fetch(ids)
        members = await self._conversations.fetch_members(conversations)
        rosters = [
            Roster(
                conversation=conversation,
                members=members.get(conversation_id, {}),
                stored_seq=conversation.last_seq,
                loaded_seq=conversation.last_seq,
            )
            for conversation_id, conversation in conversations.items()
        ]
        for roster in rosters:
            if roster.conversation.kind == "direct":
                await self._complete_direct(roster)
        return rosters

    async def _complete_direct(self, roster: Roster) -> None:
        one, *others = roster.members
        roster.blocked = bool(others and await self._contacts.fetch_blocked_pairs(one, others))
        if not all(member.visible for member in roster.members.values()):
            roster.people = await self._fetch_users(roster.members)


def _weight(roster: Roster) -> int:
    return min(len(roster.members) + 2, MAX_ROSTER_WEIGHT)
