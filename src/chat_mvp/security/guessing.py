"""Protection against guessed passwords: decides who may try to sign in, before a password is hashed.

Wrong passwords are counted in three ways: strictly for the account at one address, for one address over all accounts,
and loosely for one account over all addresses. An account is never locked. From an address that has signed in to it
before, only the first count matters. Every other address keeps a small reserve for each account. A browser that has
signed in before (``security/devices.py``) is counted separately, whatever others do at its address. A name without an
account is treated like any other.

The count over all addresses belongs to the account, so its username and its e-mail address share it. The other counts
belong to the name that was typed. Otherwise anyone could find out from one address whether two names have the same
account.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from cachetools import LRUCache
from msgspec import Struct

from chat_mvp.limits import MAX_FAMILIAR_ADDRESSES
from chat_mvp.security.budgets import BUDGETS, Budget, too_many
from chat_mvp.security.ratelimit import Limiter

RANK_FAMILIAR: Final = 0
RANK_FRESH: Final = 1
RANK_SUSPECT: Final = 2
"""The order in which sign-ins are served, see ``security/fair_semaphore.py``."""

_WHAT: Final = "sign-ins for this account from this address"
_SHOWN_CHARS: Final = 64
_LINES_PER_S: Final = 1.0
_LINES_BURST: Final = 20
"""Log lines for refusals, which an attacker can cause at no cost. Each wrong password has its own line in addition."""

_LOG = structlog.get_logger(__name__)


class Attempt(Struct, frozen=True):
    """One admitted attempt to sign in: what was taken from the budgets for it, and its rank while it waits."""

    name: str
    address: str
    rank: int
    key: str
    """The key under which it waits: the device or the address."""
    taken: tuple[tuple[Limiter, str], ...]


class SignInGuard:
    """Admits attempts to sign in, and records their results."""

    def __init__(
        self,
        budgets: Mapping[str, Budget] = BUDGETS,
        *,
        enabled: bool = True,
        count: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Admit everything unless ``enabled``. Call ``count`` with the result of each attempt."""
        self._enabled = enabled
        self._count = count
        self._familiar: LRUCache[str, bool] = LRUCache(MAX_FAMILIAR_ADDRESSES)
        self._lines = Limiter(rate_per_s=_LINES_PER_S, burst=_LINES_BURST, clock=clock)
        self._by_pair, self._by_address, self._by_account, self._reserve = (
            Limiter(rate_per_s=budgets[name].rate_per_s, burst=budgets[name].burst, clock=clock)
            for name in ("wrong_by_pair", "wrong_by_address", "wrong_by_account", "wrong_reserve")
        )

    def admit(self, name: str, address: str, *, account_id: str | None = None, device: str | None = None) -> Attempt:
        """Return an attempt whose password may be checked. ``RateLimitedError`` if it may not be checked.

        ``name`` is what was typed, ``account_id`` the account with this name, if there is one. ``device`` names a
        device that has signed in to this account before. The caller must then call ``succeeded``, ``failed`` or
        ``undo``.
        """
        pair = _pair(name, address) if device is None else f"device {device}"
        key = address if device is None else pair
        is_familiar = device is not None or pair in self._familiar
        if not self._enabled:
            return Attempt(name, address, RANK_FAMILIAR, key, ())
        is_fresh = self._by_address.is_full(address)
        taken: list[tuple[Limiter, str]] = []
        wait_ms = _take(taken, self._by_pair, pair)
        if wait_ms is None and not is_familiar:
            wait_ms = _take(taken, self._by_address, address)
            if wait_ms is None:
                wait_ms = _take(taken, self._by_account, name if account_id is None else f"account {account_id}")
                if wait_ms is not None:
                    # Many addresses guess at this account. A user at another address still has a few attempts.
                    reserve_ms = _take(taken, self._reserve, pair)
                    wait_ms = None if reserve_ms is None else min(wait_ms, reserve_ms)
        if wait_ms is not None:
            _give_back(taken)
            self._refused(name, address)
            raise too_many(_WHAT, wait_ms)
        rank = RANK_FAMILIAR if is_familiar else RANK_FRESH if is_fresh else RANK_SUSPECT
        return Attempt(name, address, rank, key, tuple(taken))

    def succeeded(self, attempt: Attempt) -> None:
        """Note that the password was right. The attempt is not counted."""
        _give_back(attempt.taken)
        self._count("ok")

    def failed(self, attempt: Attempt, *, reason: str) -> None:
        """Note that the password was wrong. Only the log contains ``reason``."""
        self._count("wrong")
        _LOG.warning("sign-in failed", login=shown(attempt.name), address=attempt.address, reason=reason)

    def undo(self, attempt: Attempt) -> None:
        """Give an attempt back whose password was not checked."""
        _give_back(attempt.taken)
        self._count("unchecked")

    def remember(self, address: str, *names: str) -> None:
        """Note that the user of the account with these names is signed in at this address."""
        for name in names:
            self._familiar[_pair(name, address)] = True

    def _refused(self, name: str, address: str) -> None:
        self._count("limited")
        if self._lines.allow("") is None:
            _LOG.warning("sign-in refused", login=shown(name), address=address, reason="too many attempts")


def shown(text: str) -> str:
    """Return a client's text in a form for the log: short, on one line, without invisible characters."""
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:_SHOWN_CHARS])
    return escaped if len(text) <= _SHOWN_CHARS else f"{escaped}…"


def _pair(name: str, address: str) -> str:
    return f"{address} {name}"


def _take(taken: list[tuple[Limiter, str]], limiter: Limiter, key: str) -> int | None:
    wait_ms = limiter.allow(key)
    if wait_ms is None:
        taken.append((limiter, key))
    return wait_ms


def _give_back(taken: tuple[tuple[Limiter, str], ...] | list[tuple[Limiter, str]]) -> None:
    for limiter, key in taken:
        limiter.give_back(key)
