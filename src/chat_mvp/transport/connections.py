"""Counts connections, in total and for each address."""

from collections import Counter

from chat_mvp.addresses import address_group, is_loopback
from chat_mvp.errors import ChatError, RateLimitedError, UnavailableError

_RETRY_AFTER_MS = 5_000


class ConnectionCounts:
    """Counts open connections, and refuses those over a limit.

    Connections from this machine count only in total, because each may come through a reverse proxy.
    """

    def __init__(self, *, max_total: int, max_per_address: int) -> None:
        """Start with no connections."""
        self._max_total = max_total
        self._max_per_address = max_per_address
        self._total = 0
        self._by_group: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """Return the number of open connections."""
        return self._total

    def enter(self, host: str | None) -> "CountedConnection":
        """Count one more connection from an address. An address of ``None`` counts only in total.

        Raises ``UnavailableError`` when the server is full and ``RateLimitedError`` when the address has too many.
        """
        if self._total >= self._max_total:
            raise UnavailableError(
                "The server has too many connections. Try again in a moment.",
                retry_after_ms=_RETRY_AFTER_MS,
            )
        counted = CountedConnection(self)
        counted.move(host)
        self._total += 1
        counted.is_open = True
        return counted

    def take(self, group: str | None) -> ChatError | None:
        """Count a connection of this group, or return the error with which it is refused."""
        if group is None:
            return None
        if self._by_group[group] >= self._max_per_address:
            return RateLimitedError(
                f"This address has too many connections (at most {self._max_per_address:,}). Close some first.",
                retry_after_ms=_RETRY_AFTER_MS,
            )
        self._by_group[group] += 1
        return None

    def give_back(self, group: str | None) -> None:
        """Stop counting a connection of this group."""
        if group is None:
            return
        self._by_group[group] -= 1
        if not self._by_group[group]:
            del self._by_group[group]

    def leave(self) -> None:
        """Count one connection fewer in total."""
        self._total -= 1


class CountedConnection:
    """One counted connection."""

    __slots__ = ("_counts", "_group", "is_open")

    def __init__(self, counts: ConnectionCounts) -> None:
        """Count nothing yet. See ``ConnectionCounts.enter``."""
        self._counts = counts
        self._group: str | None = None
        self.is_open = False

    def move(self, host: str | None) -> None:
        """Count for this address from now on. ``RateLimitedError`` when the address has too many.

        Then nothing changes.
        """
        group = None if host is None or is_loopback(host) else address_group(host)
        if group == self._group:
            return
        refusal = self._counts.take(group)
        if refusal is not None:
            raise refusal
        self._counts.give_back(self._group)
        self._group = group

    def leave(self) -> None:
        """Stop counting the connection. May be called again."""
        if self.is_open:
            self.is_open = False
            self._counts.leave()
            self._counts.give_back(self._group)
