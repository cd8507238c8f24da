"""How many connections there are, in total and from one address."""

from collections import Counter

from chat_mvp.addresses import address_group, is_loopback
from chat_mvp.errors import ChatError, RateLimitedError, UnavailableError

_RETRY_AFTER_MS = 5_000


class ConnectionCounts:
    """Counts open connections, and says when there are too many.

    Connections from this machine count in total only, because a reverse proxy may stand behind each of them.
    """

    def __init__(self, *, max_total: int, max_per_address: int) -> None:
        """Start with none."""
        self._max_total = max_total
        self._max_per_address = max_per_address
        self._total = 0
        self._by_group: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """How many are open."""
        return self._total

    def enter(self, host: str | None) -> "CountedConnection":
        """Count one more connection from an address; an address of ``None`` counts in total only.

        Raises ``UnavailableError`` when the server is full and ``RateLimitedError`` when the address has too many.
        """
        if self._total >= self._max_total:
            raise UnavailableError(
                "The server has as many connections as it can hold; try again in a moment.",
                retry_after_ms=_RETRY_AFTER_MS,
            )
        counted = CountedConnection(self)
        counted.move(host)
        self._total += 1
        counted.is_open = True
        return counted

    def take(self, group: str | None) -> ChatError | None:
        """Count a connection of this group, or return why it cannot be."""
        if group is None:
            return None
        if self._by_group[group] >= self._max_per_address:
            return RateLimitedError(
                f"An address may have {self._max_per_address:,} connections; close some first.",
                retry_after_ms=_RETRY_AFTER_MS,
            )
        self._by_group[group] += 1
        return None

    def give_back(self, group: str | None) -> None:
        """Forget a connection of this group."""
        if group is None:
            return
        self._by_group[group] -= 1
        if not self._by_group[group]:
            del self._by_group[group]

    def leave(self) -> None:
        """Count one connection less in total."""
        self._total -= 1


class CountedConnection:
    """One counted connection."""

    __slots__ = ("_counts", "_group", "is_open")

    def __init__(self, counts: ConnectionCounts) -> None:
        """Count nothing yet; see ``ConnectionCounts.enter``."""
        self._counts = counts
        self._group: str | None = None
        self.is_open = False

    def move(self, host: str | None) -> None:
        """Count for this address from now on; ``RateLimitedError`` when it has too many, and nothing changes."""
        group = None if host is None or is_loopback(host) else address_group(host)
        if group == self._group:
            return
        refusal = self._counts.take(group)
        if refusal is not None:
            raise refusal
        self._counts.give_back(self._group)
        self._group = group

    def leave(self) -> None:
        """Count no longer; may be called again."""
        if self.is_open:
            self.is_open = False
            self._counts.leave()
            self._counts.give_back(self._group)
