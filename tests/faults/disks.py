"""Ways to fill the disk of the embedded database, with and without the right to mount a file system."""

import contextlib
import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tests.support.server import Server

SIZE_MIB = 560
"""A new database takes about 110 MiB, and the server takes messages while 256 MiB are free."""
SMALL_FILE_BYTES = 4096


class Disk(Protocol):
    """Where a server has its data, and how it is filled."""

    limits_space: bool
    """Whether the file system itself is full then, so that nothing gets better before room is made."""

    def fill(self, server: Server, *, leave_bytes: int = 0) -> None:
        """Take all the room but so much."""
        ...

    def make_room(self) -> None:
        """Give back what ``fill`` has taken."""
        ...


class SmallDisk:
    """A file system of its own, in memory, mounted where the server keeps its data."""

    limits_space = True

    def __init__(self, place: Path) -> None:
        self._ballast = place / "ballast"

    def fill(self, server: Server, *, leave_bytes: int = 0) -> None:
        """Let a file of no use take all the room but so much."""
        with self._ballast.open("ab") as ballast:
            state = os.fstatvfs(ballast.fileno())
            os.posix_fallocate(ballast.fileno(), ballast.tell(), state.f_bavail * state.f_frsize - leave_bytes)

    def make_room(self) -> None:
        """Delete that file."""
        self._ballast.unlink()


class SmallFiles:
    """The disk is as it is, but mongod may write no file beyond a few bytes: its writes fail as on a full disk."""

    limits_space = False

    def fill(self, server: Server, *, leave_bytes: int = 0) -> None:
        """Forbid the mongod that runs now to make any file longer."""
        for pid in server.mongod_pids():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (SMALL_FILE_BYTES, SMALL_FILE_BYTES))

    def make_room(self) -> None:
        """Do nothing: the mongod that is started next is free to write."""


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[SmallDisk]:
    """Mount a small file system at ``place``, which is made."""
    place.mkdir(parents=True)
    _mount(place)
    try:
        yield SmallDisk(place)
    finally:
        subprocess.run(["umount", str(place)], check=True)


@contextlib.contextmanager
def small_files(place: Path) -> Iterator[SmallFiles]:
    """Leave ``place`` alone."""
    yield SmallFiles()


def may_mount() -> bool:
    """Try whether this user may mount a file system here."""
    with tempfile.TemporaryDirectory() as name:
        try:
            _mount(Path(name))
        except (OSError, subprocess.CalledProcessError):
            return False
        subprocess.run(["umount", name], check=True)
        return True


def _mount(place: Path) -> None:
    options = f"size={SIZE_MIB}m,mode=700"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    subprocess.run(command, check=True, capture_output=True)
