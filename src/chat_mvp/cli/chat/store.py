"""Stores who is signed in at the terminal: one private file for each profile."""

import asyncio
import contextlib
import hashlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from chat_mvp.client import Tokens

_PRIVATE = 0o600


def directory() -> Path:
    """Return the directory of the files: below ``XDG_CONFIG_HOME``, or ``~/.config`` without it."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "chat-mvp"


class FileStore:
    """The tokens of one profile on one server, in a file of mode 0600 that programs may share."""

    def __init__(self, server: str, profile: str) -> None:
        """Keep the tokens in the user's configuration directory."""
        # The address is hashed, because it is not a valid file name.
        name = hashlib.sha256(f"{profile}\0{server.rstrip('/')}".encode()).hexdigest()[:16]
        self.path = directory() / f"session-{name}.json"

    def load(self) -> Tokens | None:
        """Return the stored tokens. A damaged file counts as empty."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Tokens)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def save(self, tokens: Tokens | None) -> None:
        """Store these tokens, or remove them if ``None``. The file is complete at every moment."""
        if tokens is None:
            self.path.unlink(missing_ok=True)
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.path.with_suffix(f".{os.getpid()}.new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(tokens))
        fresh.replace(self.path)

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Hold a lock of the operating system beside the file."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, _PRIVATE)
        try:
            await asyncio.to_thread(_lock, descriptor)
            yield
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - only there

        with contextlib.suppress(OSError):  # it gives up after ten seconds, and no renewal takes that long
            msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
    else:
        import fcntl  # noqa: PLC0415 - not on Windows

        fcntl.flock(descriptor, fcntl.LOCK_EX)
