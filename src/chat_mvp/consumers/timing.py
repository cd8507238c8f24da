"""How long things take: leases, pauses and saving."""

import random
from typing import NamedTuple


class Timing(NamedTuple):
    """All in seconds, except ``max_attempts``."""

    lease_s: float = 8.0
    """A consumer of a process that was killed is taken over after this time, and ``poll_s`` at most."""
    renew_s: float = 2.0
    poll_s: float = 0.5
    """How often a process asks for the lease while another one has it."""
    save_s: float = 0.2
    """How often progress is stored while events are handled. After a crash, so much is handled again."""
    idle_save_s: float = 10.0
    """How often the cursor is stored while there is nothing to handle, so that it does not become too old."""
    retry_check_s: float = 2.0
    """How often to look for events that were set aside and shall be tried again."""
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    max_attempts: int = 5
    """After so many attempts at one event, about 7 s, it is set aside."""
    grace_s: float = 1.0
    """How long a clean stop waits for events that are being handled."""
    stuck_after_s: float = 60.0
    """Readiness names a consumer that does not return from ``handle`` for this time, or fails and is so far behind."""
    failing_after_s: float = 10.0
    """One that fails for a shorter time than this is not named: it may still set an event aside and go on."""

    def pause_s(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row."""
        longest = min(self.first_pause_s * 2.0 ** min(failures - 1, 20), self.longest_pause_s)
        return longest * random.uniform(0.5, 1)  # noqa: S311  (jitter)
