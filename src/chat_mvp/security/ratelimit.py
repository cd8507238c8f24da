"""Rate limits: a token bucket for each key, in memory and bounded."""

import math
import time
from collections.abc import Callable
from itertools import islice

from chat_mvp.limits import MAX_LIMITED_KEYS

_EXAMINED = 16
"""When a limiter is full, this many keys are examined to find the one to drop. This bounds the work of one call."""
_ROUNDING_S = 1e-6
"""Sums of many small floats have rounding errors. They must not cost a client one action of the burst."""


class Limiter:
    """A token bucket for each key.

    It is stored as in the generic cell rate algorithm: for each key, the time at which its bucket is full again. When a
    key is added, keys with full buckets are dropped. When ``max_keys`` buckets are not full, a new key replaces the one
    of 16 old keys that has used least. So a user with many addresses replaces their own hardly used addresses, and
    never gets a used-up bucket refilled.
    """

    def __init__(
        self,
        *,
        rate_per_s: float,
        burst: int,
        max_keys: int = MAX_LIMITED_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` returns the time in seconds."""
        self._interval_s = 1.0 / rate_per_s
        self._depth_s = burst * self._interval_s
        self._max_keys = max_keys
        self._clock = clock
        self._full_at: dict[str, float] = {}
        """In the order in which the keys were last examined, the oldest first."""

    def __len__(self) -> int:
        """Return the number of stored keys."""
        return len(self._full_at)

    def allow(self, key: str, cost: int = 1) -> int | None:
        """Take ``cost`` from the key's bucket and return ``None``.

        Otherwise take nothing and return the wait in milliseconds. A cost above ``burst`` is never allowed.
        """
        now = self._clock()
        before = self._full_at.get(key)
        full_at = (now if before is None or before < now else before) + cost * self._interval_s
        wait_s = full_at - now - self._depth_s
        if wait_s > _ROUNDING_S:
            return max(1, math.ceil((wait_s - _ROUNDING_S) * 1000))
        if before is None:
            self._make_room(now)
        self._full_at[key] = full_at
        return None

    def wait_ms(self, key: str, cost: int = 1) -> int | None:
        """Return the result of ``allow``, but take nothing."""
        now = self._clock()
        wait_s = max(self._full_at.get(key, now), now) + cost * self._interval_s - now - self._depth_s
        return None if wait_s <= _ROUNDING_S else max(1, math.ceil((wait_s - _ROUNDING_S) * 1000))

    def is_full(self, key: str) -> bool:
        """Return whether this key's bucket is full."""
        return self._full_at.get(key, 0.0) <= self._clock()

    def give_back(self, key: str, cost: int = 1) -> None:
        """Put back the tokens that ``allow`` took, because the action was not done."""
        before = self._full_at.get(key)
        if before is not None:
            self._full_at[key] = before - cost * self._interval_s

    def _make_room(self, now: float) -> None:
        # Examine two for each new key, so that full buckets are dropped at least as fast as new keys come.
        for key in list(islice(self._full_at, 2)):
            full_at = self._full_at.pop(key)
            if full_at > now:
                self._full_at[key] = full_at
        if len(self._full_at) < self._max_keys:
            return
        examined = list(islice(self._full_at, _EXAMINED))
        least = min(examined, key=self._full_at.__getitem__)
        for key in examined:
            full_at = self._full_at.pop(key)
            if key != least:
                self._full_at[key] = full_at
