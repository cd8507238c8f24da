"""How long to wait before the next attempt to connect.

The pauses are random, so that clients do not all return at once.
"""

import random

FIRST_S = 0.2
LONGEST_S = 10.0


class Backoff:
    """Pauses that double from attempt to attempt until one succeeds."""

    def __init__(self) -> None:
        """Start with no failed attempt."""
        self._attempts = 0

    def succeeded(self) -> None:
        """Start again with the shortest pause."""
        self._attempts = 0

    def pause(self) -> float:
        """Return how many seconds to wait after one more failed attempt."""
        longest = min(FIRST_S * 2.0 ** min(self._attempts, 16), LONGEST_S)
        self._attempts += 1
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads the load

    def pause_unless_first(self) -> float:
        """Return no pause after a connection that worked, and a pause after a failed attempt."""
        if self._attempts:
            return self.pause()
        self._attempts = 1
        return 0.0

    def pause_asked_for(self, milliseconds: int) -> float:
        """Return a pause that is not shorter than the server requested."""
        self._attempts += 1
        return milliseconds / 1000 * random.uniform(1.0, 1.3)  # noqa: S311 - spreads the load
