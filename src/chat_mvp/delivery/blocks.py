"""A cache of blocks between users, so that no frame costs a database read.

A block works in both directions. The blocks of a user are read once. Every later change updates the cached blocks.
"""

from collections.abc import Awaitable, Callable

from cachetools import LRUCache
from msgspec import Struct

from chat_mvp.storage.contacts import BlockPair

MAX_PEOPLE = 100_000


class _Apart(Struct):
    """The blocks of one user, as pairs of blocker and blocked user, and the other users in these pairs."""

    pairs: set[BlockPair]
    others: frozenset[str]


class _Read(Struct):
    """The reads in progress of the blocks of one user."""

    callers: int = 0
    changes: int = 0


class Blocks:
    """A bounded cache of blocks by user. It drops the least recently used entries."""

    def __init__(self, fetch_blocks: Callable[[str], Awaitable[set[BlockPair]]]) -> None:
        """Read missing blocks with ``fetch_blocks``, which returns the blocks by and against a user."""
        self._fetch_blocks = fetch_blocks
        self._apart: LRUCache[str, _Apart] = LRUCache(MAX_PEOPLE)
        self._reads: dict[str, _Read] = {}
        """For each user whose blocks are being read: how many callers wait, and how many changes came during the read.
        """

    def known(self, user_id: str) -> frozenset[str] | None:
        """Return every user with whom this user has a block, or ``None`` if that is not in memory."""
        apart = self._apart.get(user_id)
        return None if apart is None else apart.others

    def may_part(self, user_id: str, other_id: str) -> bool:
        """Return whether two users may have a block. True if the blocks of the first user are not in memory."""
        apart = self._apart.get(user_id)
        return apart is None or other_id in apart.others

    async def fetch(self, user_id: str) -> frozenset[str]:
        """Return every user with whom this user has a block, from memory or from the database."""
        while (others := self.known(user_id)) is None:
            read = self._reads.setdefault(user_id, _Read())
            read.callers += 1
            before = read.changes
            try:
                pairs = await self._fetch_blocks(user_id)
                # If the blocks changed during the read, the result may be older than the change.
                if before == read.changes:
                    self._keep(user_id, pairs)
            finally:
                read.callers -= 1
                if read.callers == 0:
                    self._reads.pop(user_id, None)
        return others

    def changed(self, owner_id: str, other_id: str, blocked: bool) -> None:
        """Note that one user has blocked or unblocked another."""
        pair = {(owner_id, other_id)}
        for user_id in (owner_id, other_id):
            if user_id in self._reads:
                self._reads[user_id].changes += 1
            apart = self._apart.get(user_id)
            if apart is not None:
                self._keep(user_id, apart.pairs | pair if blocked else apart.pairs - pair)

    def _keep(self, user_id: str, pairs: set[BlockPair]) -> None:
        others = frozenset(other for pair in pairs for other in pair if other != user_id)
        self._apart[user_id] = _Apart(pairs=pairs, others=others)
