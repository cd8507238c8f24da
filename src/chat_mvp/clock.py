"""The server's clock: UTC that neither jumps nor goes back, whatever is done to the clocks of the machines.

It counts by a clock of the system that cannot be set, and follows the time of the database slowly. So a wrong clock
cannot date a thousand messages alike, or put a message before the one it answers.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from chat_mvp.times import whole_milliseconds

MAX_SLEW = 0.1
"""How much faster or slower than real the clock may run while it is wrong: it makes an hour good in ten hours.

With less, wrong times would last for days; with more, durations would look wrong to people.
"""

Now = Callable[[], datetime]
"""Returns the present moment."""

if sys.platform == "linux":

    def uptime() -> float:
        """Return seconds that cannot be set, those of a suspended machine included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:

    def uptime() -> float:
        """Return seconds that cannot be set."""
        return time.monotonic()


class Clock:
    """Returns the time when called. ``follow`` corrects it slowly; it never goes back."""

    def __init__(self, start: datetime, *, elapsed: Callable[[], float] = uptime) -> None:
        """Begin at ``start``, and count by ``elapsed``, in seconds."""
        self._elapsed = elapsed
        self._base = start.timestamp()
        self._base_at = elapsed()
        self._owed = 0.0
        """How many seconds the clock was behind at ``_base_at``; negative when it was ahead."""

    def __call__(self) -> datetime:
        """Return the present moment, cut to whole milliseconds."""
        return whole_milliseconds(datetime.fromtimestamp(self._seconds(), UTC))

    def start_at(self, moment: datetime) -> None:
        """Set the clock, before it has dated anything."""
        self._base, self._base_at, self._owed = moment.timestamp(), self._elapsed(), 0.0

    def follow(self, reference: datetime) -> float:
        """Approach ``reference``, which is the right time now, and return by how many seconds it is ahead."""
        self._base, self._base_at = self._seconds(), self._elapsed()
        self._owed = reference.timestamp() - self._base
        return self._owed

    def _seconds(self) -> float:
        passed = self._elapsed() - self._base_at
        most = passed * MAX_SLEW
        return self._base + passed + max(-most, min(most, self._owed))
