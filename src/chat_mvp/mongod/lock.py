"""Allows only one server for each data directory, with a lock of the operating system."""

import contextlib
import os
import sys
from pathlib import Path

from chat_mvp.errors import StartupError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        # Lock a byte far behind the process id, which other processes must still be able to read.
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError from error
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class DirectoryLock:
    """A held lock. It ends with ``release`` or when the process ends for any reason."""

    def __init__(self, descriptor: int) -> None:
        """Take over an open file whose lock is held."""
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, path: Path) -> "DirectoryLock":
        """Lock the file at ``path``, created if missing, and write this process's id into it.

        Raises StartupError with the holder's process id when another server has the lock.
        """
        descriptor = -1
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            _try_lock(descriptor)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        except OSError as error:
            refusal = _refusal(error, descriptor, path.parent)
            if descriptor != -1:
                os.close(descriptor)
            raise refusal from error
        return cls(descriptor)

    def release(self) -> None:
        """Release the directory. The file stays: removing it would let two servers lock two files of the same name."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def _refusal(error: OSError, descriptor: int, directory: Path) -> StartupError:
    if isinstance(error, BlockingIOError):
        text = os.read(descriptor, 32).decode("ascii", "replace").strip()
        holder = f"process {text}" if text.isdigit() else "a process that is just starting"
        return StartupError(
            f"Another server ({holder}) is using the data directory {directory}.",
            remedy="Stop it first, or choose another directory with --data-dir.",
        )
    return StartupError(
        f"The data directory {directory} cannot be locked: {(error.strerror or 'unknown reason').lower()}.",
        remedy="Choose a directory of your own on a local disk with --data-dir.",
    )
