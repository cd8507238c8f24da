"""Who is kept apart from whom by a block, in memory, so that no frame costs a database read.

A block works both ways. The blocks of a person are read once, and every change is noted in what was read.
"""

from cachetools import LRUCache
from msgspec import Struct

from chat_mvp.storage.contacts import BlockPair, Contacts

MAX_PEOPLE = 100_000


class _Apart(Struct):
    """The blocks of one person, as pairs of who blocked whom, and everyone else in these pairs."""

    pairs: set[BlockPair]
    others: frozenset[str]


class Blocks:
    """A bounded cache of blocks by person, the least recently used leaving first."""

    def __init__(self, contacts: Contacts) -> None:
        """Read what is missing from ``contacts``."""
        self._contacts = contacts
        self._apart: LRUCache[str, _Apart] = LRUCache(MAX_PEOPLE)
        self._changes = 0
        """How often a block was set or lifted: what was read before may be from before that."""

    def known(self, user_id: str) -> frozenset[str] | None:
        """Return everyone with whom this person has a block, or ``None`` if that is not in memory."""
        apart = self._apart.get(user_id)
        return None if apart is None else apart.others

    def may_part(self, user_id: str, other_id: str) -> bool:
        """Tell whether there is a block between two people; true also if the first one's are not in memory."""
        apart = self._apart.get(user_id)
        return apart is None or other_id in apart.others

    async def fetch(self, user_id: str) -> frozenset[str]:
        """Return everyone with whom this person has a block, from memory or from the database."""
        while (others := self.known(user_id)) is None:
            before = self._changes
            pairs = await self._contacts.fetch_blocks(user_id)
            if before == self._changes:
                self._keep(user_id, pairs)
        return others

    def changed(self, owner_id: str, other_id: str, blocked: bool) -> None:
        """Note that one person has blocked another, or does so no longer."""
        self._changes += 1
        pair = {(owner_id, other_id)}
        for user_id in (owner_id, other_id):
            apart = self._apart.get(user_id)
            if apart is not None:
                self._keep(user_id, apart.pairs | pair if blocked else apart.pairs - pair)

    def _keep(self, user_id: str, pairs: set[BlockPair]) -> None:
        others = frozenset(person for pair in pairs for person in pair if person != user_id)
        self._apart[user_id] = _Apart(pairs=pairs, others=others)
