"""One server for each data directory, held to by a lock of the operating system."""

import contextlib
import os
import sys
from pathlib import Path

from chat_mvp.errors import StartupError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        # The byte lies far behind the process id, which others must still be able to read.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class DirectoryLock:
    """A held lock. It ends with ``release`` or with the process, however that ends, and never outlives it."""

    def __init__(self, descriptor: int) -> None:
        """Take over an open file whose lock is held."""
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, path: Path) -> "DirectoryLock":
        """Lock the file at ``path``, made when missing, and write this process's id into it.

        Raises StartupError that names the holder's process id when another server has it.
        """
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _try_lock(descriptor)
        except BlockingIOError as error:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise StartupError(
                f"Another server ({holder}) is using the data directory {path.parent}.",
                remedy="Stop it first, or choose another directory with --data-dir.",
            ) from error
        except OSError as error:
            os.close(descriptor)
            raise StartupError(
                f"The data directory {path.parent} cannot be locked: {(error.strerror or 'unknown reason').lower()}.",
                remedy="Choose a directory on a local disk with --data-dir.",
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        return cls(descriptor)

    def release(self) -> None:
        """Give the directory free. The file stays: removing it would let two servers lock two files of one name."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def _holder(descriptor: int) -> str:
    text = os.read(descriptor, 32).decode("ascii", "replace").strip()
    return f"process {text}" if text.isdigit() else "a process that is just starting"
