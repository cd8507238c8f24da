"""How often something may be done: a token bucket for each key, in memory, bounded."""

import math
import time
from collections.abc import Callable

from cachetools import LRUCache

MAX_KEYS = 100_000
_ROUNDING_S = 1e-6
"""Sums of many small floats are off by a hair, which must not cost anybody a place in the burst."""


class Limiter:
    """Lets each key do ``burst`` things at once and ``rate_per_s`` a second in the long run.

    Kept as the generic cell rate algorithm keeps it: one moment for each key, at which its bucket is full again. Of
    more than ``max_keys`` keys the least recently used are forgotten, which lets them begin anew with a full bucket.
    """

    def __init__(
        self,
        *,
        rate_per_s: float,
        burst: int,
        max_keys: int = MAX_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Measure time with ``clock``, in seconds."""
        self._interval_s = 1.0 / rate_per_s
        self._depth_s = burst * self._interval_s
        self._clock = clock
        self._full_at: LRUCache[str, float] = LRUCache(max_keys)

    def allow(self, key: str, cost: int = 1) -> int | None:
        """Take ``cost`` from the key's bucket and return ``None``; take nothing and return the wait in milliseconds.

        A cost above ``burst`` is never allowed.
        """
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now) + cost * self._interval_s
        wait_s = full_at - now - self._depth_s
        if wait_s <= _ROUNDING_S:
            self._full_at[key] = full_at
            return None
        return max(1, math.ceil((wait_s - _ROUNDING_S) * 1000))
