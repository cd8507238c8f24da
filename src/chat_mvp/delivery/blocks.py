"""Who is kept apart from whom by a block, in memory, so that no frame costs a database read.

A block works both ways. The blocks of a person are read once, and every change is noted in what was read.
"""

from collections.abc import Awaitable, Callable

from cachetools import LRUCache
from msgspec import Struct

from chat_mvp.storage.contacts import BlockPair

MAX_PEOPLE = 100_000


class _Apart(Struct):
    """The blocks of one person, as pairs of who blocked whom, and everyone else in these pairs."""

    pairs: set[BlockPair]
    others: frozenset[str]


class _Read(Struct):
    """Reads of one person's blocks that are under way."""

    callers: int = 0
    changes: int = 0


class Blocks:
    """A bounded cache of blocks by person, the least recently used leaving first."""

    def __init__(self, fetch_blocks: Callable[[str], Awaitable[set[BlockPair]]]) -> None:
        """Read what is missing with ``fetch_blocks``, which returns the blocks by and against a person."""
        self._fetch_blocks = fetch_blocks
        self._apart: LRUCache[str, _Apart] = LRUCache(MAX_PEOPLE)
        self._reads: dict[str, _Read] = {}
        """For each person whose blocks are being read: by how many callers, and how often they changed meanwhile."""

    def known(self, user_id: str) -> frozenset[str] | None:
        """Return everyone with whom this person has a block, or ``None`` if that is not in memory."""
        apart = self._apart.get(user_id)
        return None if apart is None else apart.others

    def may_part(self, user_id: str, other_id: str) -> bool:
        """Return whether there is a block between two people; true also if the first one's are not in memory."""
        apart = self._apart.get(user_id)
        return apart is None or other_id in apart.others

    async def fetch(self, user_id: str) -> frozenset[str]:
        """Return everyone with whom this person has a block, from memory or from the database."""
        while (others := self.known(user_id)) is None:
            read = self._reads.setdefault(user_id, _Read())
            read.callers += 1
            before = read.changes
            try:
                pairs = await self._fetch_blocks(user_id)
                # Otherwise what was read may be from before a change.
                if before == read.changes:
                    self._keep(user_id, pairs)
            finally:
                read.callers -= 1
                if read.callers == 0:
                    self._reads.pop(user_id, None)
        return others

    def changed(self, owner_id: str, other_id: str, blocked: bool) -> None:
        """Note that one person has blocked another, or does so no longer."""
        pair = {(owner_id, other_id)}
        for user_id in (owner_id, other_id):
            if user_id in self._reads:
                self._reads[user_id].changes += 1
            apart = self._apart.get(user_id)
            if apart is not None:
                self._keep(user_id, apart.pairs | pair if blocked else apart.pairs - pair)

    def _keep(self, user_id: str, pairs: set[BlockPair]) -> None:
        others = frozenset(person for pair in pairs for person in pair if person != user_id)
        self._apart[user_id] = _Apart(pairs=pairs, others=others)
