"""Room on the disk of the embedded database, looked at every few seconds and not for each message."""

import shutil
import time
from pathlib import Path

MINIMUM_FREE_BYTES = 256 * 1024 * 1024
"""Below this MongoDB is close to ending itself for want of space; nothing new is taken then."""
LOOK_EVERY_S = 2.0


class DiskRoom:
    """Whether there is room for more on one disk."""

    def __init__(self, directory: Path | None, *, minimum_free: int = MINIMUM_FREE_BYTES) -> None:
        """Look at the disk of ``directory``; without one, where the database is elsewhere, there is always room."""
        self._directory = directory
        self._minimum_free = minimum_free
        self._looked_at = float("-inf")
        self._has_room = True

    def __call__(self) -> bool:
        """Tell whether there is room, as of at most ``LOOK_EVERY_S`` seconds ago."""
        now = time.monotonic()
        if self._directory is not None and now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            self._has_room = shutil.disk_usage(self._directory).free >= self._minimum_free
        return self._has_room
