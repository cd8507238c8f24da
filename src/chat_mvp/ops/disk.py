"""Checks the free space on the disk of the embedded database, every few seconds and not for each message."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from chat_mvp.errors import UnavailableError

MINIMUM_FREE_BYTES = 256 * 1024 * 1024
"""Below this MongoDB may soon stop for lack of space, so the server accepts no new data."""
LOOK_EVERY_S = 2.0
RETRY_AFTER_MS = 60_000

CheckRoom = Callable[[], None]
"""Raises ``UnavailableError`` when there is no room for new data."""


def free_bytes(directory: Path) -> int:
    """Return how many bytes can still be written on the disk of ``directory``."""
    return shutil.disk_usage(directory).free


class DiskRoom:
    """Whether one disk has room for new data."""

    def __init__(
        self,
        directory: Path | None,
        *,
        minimum_free: int = MINIMUM_FREE_BYTES,
        free: Callable[[Path], int] = free_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Check the disk of ``directory``.

        Without a directory, because the database is elsewhere, there is always room. ``free`` returns the number of
        free bytes there. ``clock`` returns a time in seconds.
        """
        self._directory = directory
        self._minimum_free = minimum_free
        self._free = free
        self._clock = clock
        self._looked_at = float("-inf")
        self._has_room = True

    def check(self) -> None:
        """Raise ``UnavailableError`` when there was no room for new data at most ``LOOK_EVERY_S`` seconds ago.

        Every service that makes the database grow calls this first. Reading, deleting and confirming still work.
        """
        if not self._look():
            raise UnavailableError(
                "The server's disk is nearly full, so it stores nothing new. Ask the administrator to free some space.",
                retry_after_ms=RETRY_AFTER_MS,
            )

    def _look(self) -> bool:
        now = self._clock()
        if self._directory is not None and now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            self._has_room = self._free(self._directory) >= self._minimum_free
        return self._has_room
