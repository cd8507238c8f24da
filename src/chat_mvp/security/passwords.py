"""Passwords: hashed with argon2id in a few threads, so that the event loop never waits for one.

The cost is that of RFC 9106's second recommended option: 3 passes over 64 MiB with 4 lanes, about a tenth of a second.
Two threads bound the memory to 128 MiB, and a bounded waiting room keeps a flood of sign-ins from piling up.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from chat_mvp.errors import UnavailableError

THREADS = 2
MAX_WAITING = 200
"""About ten seconds of work; later ones are asked to come back."""
RETRY_AFTER_MS = 2_000

_Result = TypeVar("_Result")


class Passwords:
    """Hashes and verifies passwords off the event loop. ``close`` it when the program ends."""

    def __init__(
        self, *, hasher: PasswordHasher | None = None, threads: int = THREADS, max_waiting: int = MAX_WAITING
    ) -> None:
        """Hash with ``hasher``, by default at RFC 9106's low-memory cost."""
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._places = threads + max_waiting
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Return what to store of a password. ``UnavailableError`` when too many wait already."""
        return await self._run(partial(self._hasher.hash, password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether the password is the one that was stored.

        With ``stored`` left out, because there is no such account, the answer is no and takes just as long.
        """
        return await self._run(partial(self._verify, stored, password))

    def needs_rehash(self, stored: str) -> bool:
        """Tell whether the hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str | None, password: str) -> bool:
        if stored is None:
            if self._nobody is None:
                self._nobody = self._hasher.hash("nobody's password")
            stored, known = self._nobody, False
        else:
            known = True
        try:
            self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
        return known

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        if self._places == 0:
            raise UnavailableError("Too many people are signing in just now.", retry_after_ms=RETRY_AFTER_MS)
        self._places -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._places += 1
