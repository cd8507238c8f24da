"""The memory limit for unfinished requests and first frames of all connections together."""

from collections.abc import Callable


class Lease:
    """The share of one request or WebSocket. It may be taken back until everything has arrived."""

    __slots__ = ("_budget", "give_up", "group", "size")

    def __init__(self, budget: "IntakeBudget", group: str, give_up: Callable[[], None]) -> None:
        """Start with nothing. ``give_up`` is called when the memory is needed elsewhere. It must call ``release``."""
        self._budget = budget
        self.group = group
        self.give_up = give_up
        self.size = 0

    def grow(self, size: int) -> None:
        """Add bytes, or remove them if negative. If the total is too large, a lease must give up, perhaps this one."""
        self._budget.grow(self, size)

    def finish(self) -> None:
        """Keep the bytes and never give up from now on, because everything has arrived."""
        self._budget.settle(self)

    def release(self) -> None:
        """Release the bytes. May be called again."""
        self._budget.release(self)


class IntakeBudget:
    """The bytes that all unfinished and unanswered requests may use together.

    When they are used up, the address with the most bytes gives up its oldest request. Honest clients finish what they
    send. Attackers start many requests and finish none.
    """

    def __init__(self, max_bytes: int) -> None:
        """Start with nothing in use."""
        self._max_bytes = max_bytes
        self._used = 0
        self._unfinished: dict[str, dict[Lease, None]] = {}
        self._sizes: dict[str, int] = {}

    @property
    def used(self) -> int:
        """Return the number of bytes in use."""
        return self._used

    def open(self, group: str, give_up: Callable[[], None]) -> Lease:
        """Return the lease of a request or WebSocket from an address (see ``addresses.address_group``)."""
        lease = Lease(self, group, give_up)
        self._unfinished.setdefault(group, {})[lease] = None
        self._sizes.setdefault(group, 0)
        return lease

    def grow(self, lease: Lease, size: int) -> None:
        """See ``Lease.grow``."""
        lease.size += size
        self._used += size
        if lease.group in self._sizes:
            self._sizes[lease.group] += size
        while self._used > self._max_bytes and self._sizes:
            heaviest = max(self._sizes, key=self._sizes.__getitem__)
            oldest = next(iter(self._unfinished[heaviest]))
            oldest.give_up()
            self.release(oldest)

    def settle(self, lease: Lease) -> None:
        """See ``Lease.finish``."""
        leases = self._unfinished.get(lease.group)
        if leases is None or lease not in leases:
            return
        del leases[lease]
        self._sizes[lease.group] -= lease.size
        if not leases:
            del self._unfinished[lease.group], self._sizes[lease.group]

    def release(self, lease: Lease) -> None:
        """See ``Lease.release``."""
        self.settle(lease)
        self._used -= lease.size
        lease.size = 0
