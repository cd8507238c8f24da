"""Passwords: hashed with argon2id in a few threads, so that the event loop never waits for one.

The cost is that of RFC 9106's second recommended option: 3 passes over 64 MiB with 4 lanes, about a tenth of a second.
Two threads bound the memory to 128 MiB. Those who wait for one are served fairly by address, at most 200 of them.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from chat_mvp.limits import MAX_PASSWORDS_AT_ONCE, MAX_PASSWORDS_WAITING
from chat_mvp.security.fair_semaphore import FairSemaphore

RETRY_AFTER_MS = 2_000

_Result = TypeVar("_Result")


class Passwords:
    """Hashes and verifies passwords off the event loop. ``close`` it when the program ends."""

    def __init__(
        self,
        *,
        hasher: PasswordHasher | None = None,
        threads: int = MAX_PASSWORDS_AT_ONCE,
        max_waiting: int = MAX_PASSWORDS_WAITING,
    ) -> None:
        """Hash with ``hasher``, by default at RFC 9106's low-memory cost."""
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._threads = FairSemaphore(
            at_once=threads,
            at_once_each=threads,
            max_waiting=max_waiting,
            busy="Too many people are signing in just now. Try again in a moment.",
            retry_after_ms=RETRY_AFTER_MS,
        )
        self._decoy: str | None = None

    @property
    def waiting(self) -> int:
        """How many wait for a thread."""
        return self._threads.waiting

    async def hash(self, password: str, *, key: str = "", rank: int = 0) -> str:
        """Return what to store of a password. ``UnavailableError`` when too many wait already.

        Those who wait are served by ``rank``, and within it each ``key`` in turn, as in ``FairSemaphore``.
        """
        return await self._run(partial(self._hasher.hash, password), key, rank)

    async def verify(self, stored: str | None, password: str, *, key: str = "", rank: int = 0) -> bool:
        """Return whether the password is the one that was stored.

        With ``stored`` left out, because there is no such account, the answer is no and takes just as long. ``key``
        and ``rank`` are those of ``hash``.
        """
        return await self._run(partial(self._verify, stored, password), key, rank)

    def needs_rehash(self, stored: str) -> bool:
        """Return whether the hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str | None, password: str) -> bool:
        if self._decoy is None:
            # At the first use, whether the account is known or not.
            self._decoy = self._hasher.hash("no one's password")
        known = stored is not None
        stored = self._decoy if stored is None else stored
        try:
            self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
        return known

    async def _run(self, work: Callable[[], _Result], key: str, rank: int) -> _Result:
        await self._threads.acquire(key, rank)
        loop = asyncio.get_running_loop()
        try:
            future = self._pool.submit(work)
        except RuntimeError:
            self._threads.release(key)
            raise

        def end(_: object) -> None:
            # The permit is held as long as the thread works, also after the caller was cancelled.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._threads.release, key)

        future.add_done_callback(end)
        return await asyncio.wrap_future(future)
