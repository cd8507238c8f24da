"""The lowest marks in small conversations: up to which message everyone has received and read.

Each read looks at every member. So the result is kept for some seconds: the members of a conversation who connect at
the same time, or one after the other, read it once. ``forget`` drops it when a mark or a member changes.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import known_object_id
from chat_mvp.storage.sharing import SharedReads

KEPT_S = 5.0
"""After this time, at most twice as long, a result is read again: another process may have changed the marks."""
_CONVERSATIONS_AT_ONCE = 500
"""How many small conversations have their members read in one query."""
_MAX_KEPT = 10_000
"""Conversations whose result is kept, twice as many at most."""


class Lowest(NamedTuple):
    """The lowest mark of all members, its owner, and the lowest one of the others, if there are any."""

    mark: int
    owner_id: str
    next_mark: int | None

    def of_others(self, user_id: str) -> int | None:
        """Return the lowest mark of the members other than this user. ``None`` if there are none."""
        return self.next_mark if self.owner_id == user_id else self.mark


LowestPair = tuple[Lowest, Lowest]
"""For the delivered and the read marks."""


class LowestMarks:
    """Reads and remembers the lowest marks. Concurrent callers share the query."""

    def __init__(self, collections: Collections, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read from ``memberships``. ``clock`` returns the time in seconds."""
        self._memberships = collections["memberships"]
        self._clock = clock
        self._shared: SharedReads[str, LowestPair] = SharedReads(self._read_missing, max_keys=_CONVERSATIONS_AT_ONCE)
        # Two tables instead of a time for each entry: the older one is dropped when the newer one is full or old.
        self._newer: dict[str, LowestPair] = {}
        self._older: dict[str, LowestPair] = {}
        self._newer_since = clock()
        self._changed: set[str] | None = None
        """The conversations that changed during the read that is running. ``None`` if no read is running."""

    async def fetch(self, ids: Collection[str]) -> dict[str, LowestPair]:
        """Return the lowest marks as the other members see them, by conversation."""
        self._drop_old()
        found: dict[str, LowestPair] = {}
        missing = []
        newer, older = self._newer, self._older
        for conversation_id in ids:
            lowest = newer.get(conversation_id) or older.get(conversation_id)
            if lowest is None:
                missing.append(conversation_id)
            else:
                found[conversation_id] = lowest
        if missing:
            found |= await self._shared.fetch(missing)
        return found

    async def fetch_without(self, ids: Collection[str], user_ids: Collection[str]) -> dict[str, LowestPair]:
        """Return the same, as if these users were no members."""
        return await self._read(ids, {"user_id": {"$nin": list(map(known_object_id, user_ids))}})

    def forget(self, conversation_id: str) -> None:
        """Note that marks or members of a conversation have changed."""
        self._newer.pop(conversation_id, None)
        self._older.pop(conversation_id, None)
        if self._changed is not None:
            self._changed.add(conversation_id)

    def _drop_old(self) -> None:
        now = self._clock()
        age_s = now - self._newer_since
        if age_s >= 2 * KEPT_S:
            self._older, self._newer, self._newer_since = {}, {}, now
        elif age_s >= KEPT_S:
            self._older, self._newer, self._newer_since = self._newer, {}, self._newer_since + KEPT_S
        elif len(self._newer) >= _MAX_KEPT:
            self._older, self._newer, self._newer_since = self._newer, {}, now

    async def _read_missing(self, ids: Sequence[str]) -> Mapping[str, LowestPair]:
        kept = self._newer
        known = {key: lowest for key in ids if (lowest := kept.get(key)) is not None}
        ids = [key for key in ids if key not in known]
        if not ids:
            return known
        # Only one of these reads runs at a time, so one set is enough.
        self._changed = changed = set[str]()
        try:
            found = await self._read(ids)
        finally:
            self._changed = None
        # A result that may be older than a change is for those who wait for it, who get the change as an event.
        self._newer |= {key: lowest for key, lowest in found.items() if key not in changed}
        return found | known

    async def _read(self, ids: Collection[str], people: RawDocument | None = None) -> dict[str, LowestPair]:
        pipeline: list[dict[str, Any]] = [
            {"$match": {"conversation_id": {"$in": [known_object_id(i) for i in ids]}} | (people or {})},
            {
                "$group": {
                    "_id": "$conversation_id",
                    "delivered": {"$minN": {"n": 2, "input": [_visible_mark("delivered_seq"), "$user_id"]}},
                    "read": {"$minN": {"n": 2, "input": [_visible_mark("read_seq"), "$user_id"]}},
                },
            },
        ]
        with translated():
            cursor = await self._memberships.aggregate(pipeline)
            rows = await cursor.to_list(None)
        return {str(row["_id"]): (_lowest(row["delivered"]), _lowest(row["read"])) for row in rows}


def _visible_mark(name: str) -> RawDocument:
    """Return a mark as the other members see it."""
    return {"$ifNull": [f"$frozen_marks.{name}", f"${name}"]}


def _lowest(lowest_two: Sequence[tuple[int, Any]]) -> Lowest:
    (mark, owner), *others = lowest_two
    return Lowest(mark, str(owner), others[0][0] if others else None)
