"""Hashes passwords with argon2id in a few threads, so that the event loop never waits for a hash.

The cost is that of RFC 9106's second recommended option: 3 passes over 64 MiB with 4 lanes, about a tenth of a second.
Two threads limit the memory to 128 MiB. Callers who wait for a thread are served fairly by address, at most 200 of
them.

The normal form of a password is hashed, because keyboards and systems encode the same character in different ways.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import IntEnum
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from chat_mvp.limits import MAX_PASSWORD_CHARS, MAX_PASSWORDS_AT_ONCE, MAX_PASSWORDS_WAITING
from chat_mvp.security.fair_semaphore import FairSemaphore

RETRY_AFTER_MS = 2_000
_MAX_COST_FACTOR = 8
"""No hash that costs more than so many times the own is checked: its owner would keep all others from signing in."""

_Result = TypeVar("_Result")


class Verdict(IntEnum):
    """Whether a password is right. Only ``WRONG`` is false."""

    WRONG = 0
    RIGHT = 1
    OUTDATED = 2
    """Right, but the stored hash is that of the password as it was typed, or has another cost. Hash it again."""


def normal_form(password: str) -> str:
    """Return a password as OpaqueString of RFC 8265 compares it: each space is U+0020, the rest is in NFC.

    Case and compatibility characters stay. A password of more than ``MAX_PASSWORD_CHARS`` is returned unchanged,
    because the time to normalise grows with the square of the length.
    """
    if password.isascii() or len(password) > MAX_PASSWORD_CHARS:
        return password
    spaced = "".join(" " if unicodedata.category(char) == "Zs" else char for char in password)
    return unicodedata.normalize("NFC", spaced)


class Passwords:
    """Hashes and verifies passwords outside the event loop. Call ``close`` when the program ends."""

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
            busy="Too many users are signing in now. Try again in a moment.",
            retry_after_ms=RETRY_AFTER_MS,
        )
        self._decoy: str | None = None

    @property
    def waiting(self) -> int:
        """Return how many callers wait for a thread."""
        return self._threads.waiting

    async def hash(self, password: str, *, key: str = "", rank: int = 0) -> str:
        """Return the hash of a password's normal form, for storing. ``UnavailableError`` when too many callers wait.

        Waiting callers are served by ``rank``, and within a rank each ``key`` in turn, as in ``FairSemaphore``.
        """
        return await self._run(partial(self._hasher.hash, normal_form(password)), key, rank)

    async def verify(self, stored: str | None, password: str, *, key: str = "", rank: int = 0) -> Verdict:
        """Return whether the password is the stored one.

        Earlier versions stored the hash of a password as it was typed. If that is not the normal form, both are tried,
        so there are at most two checks. A wrong password takes the same time for every account, also if ``stored`` is
        left out because there is no such account. ``key`` and ``rank`` are those of ``hash``.
        """
        return await self._run(partial(self._verify, stored, password), key, rank)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, stored: str | None, password: str) -> Verdict:
        if self._decoy is None:
            # At the first use, whether or not the account exists.
            self._decoy = self._hasher.hash("no one's password")
        known = stored is not None and self._is_affordable(stored)
        stored = stored if stored is not None and known else self._decoy
        normal = normal_form(password)
        for form in (normal,) if normal == password else (normal, password):
            try:
                self._hasher.verify(stored, form)
            except (VerificationError, InvalidHashError):
                continue
            if known:
                outdated = form != normal or self._hasher.check_needs_rehash(stored)
                return Verdict.OUTDATED if outdated else Verdict.RIGHT
        return Verdict.WRONG

    def _is_affordable(self, stored: str) -> bool:
        """Return whether a stored hash costs about what this program's own cost; a backup may hold any."""
        try:
            cost = extract_parameters(stored)
        except InvalidHashError:
            return True
        own = self._hasher
        return (
            cost.memory_cost <= own.memory_cost * _MAX_COST_FACTOR
            and cost.memory_cost * cost.time_cost <= own.memory_cost * own.time_cost * _MAX_COST_FACTOR
            and cost.parallelism <= own.parallelism * _MAX_COST_FACTOR
        )

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
