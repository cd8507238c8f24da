"""Sends changed profiles to those who show them.

These are people who share a conversation with the user, and people who have the user in their contact list.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from itertools import islice

import structlog
from msgspec import Struct

from chat_mvp.delivery.bus import Bus, Publication
from chat_mvp.errors import UnavailableError
from chat_mvp.limits import MAX_WAITING_PROFILES
from chat_mvp.protocol import User, UserUpdated
from chat_mvp.supervision import Supervisor

AUDIENCE_AT_ONCE = 500
"""People who are sent a frame before other tasks run: a few milliseconds."""
ATTEMPTS = 3
RETRY_AFTER_S = 1.0
REST = 1.0
"""After each profile the task rests this many times as long as it took: clients come first."""

_LOG = structlog.get_logger(__name__)

FetchAcquaintances = Callable[[str, Collection[str]], Awaitable[set[str]]]


class _Update(Struct):
    user: User
    attempts: int = 0


class ProfileUpdates:
    """A queue of changed profiles, with the last state of each person, and the task that sends them."""

    def __init__(
        self,
        *,
        fetch_acquaintances: FetchAcquaintances,
        fetch_blocked: Callable[[str], Awaitable[frozenset[str]]],
        connected: Callable[[], Collection[str]],
        bus: Bus,
        max_waiting: int = MAX_WAITING_PROFILES,
        retry_after_s: float = RETRY_AFTER_S,
    ) -> None:
        """``fetch_acquaintances(user_id, among)`` returns who of ``among`` shows the profile of this user.

        ``fetch_blocked(user_id)`` returns all users with whom this user has a block, as of when it returns.
        """
        self._fetch_acquaintances = fetch_acquaintances
        self._fetch_blocked = fetch_blocked
        self._connected = connected
        self._bus = bus
        self._max_waiting = max_waiting
        self._retry_after_s = retry_after_s
        self._waiting: dict[str, _Update] = {}
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Begin to send, in a task of ``supervisor``."""
        self._task = supervisor.run("profile updates", self._run)

    async def stop(self) -> None:
        """End. Clients read profiles again when they reconnect."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def send(self, user: User) -> None:
        """Send this profile soon, instead of an earlier one of this user that still waits."""
        if user.id not in self._waiting and len(self._waiting) >= self._max_waiting:
            _LOG.warning("profile_not_sent", user=user.id, waiting=len(self._waiting))
            return
        self._waiting[user.id] = _Update(user)
        self._woken.set()

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                self._woken.clear()
                await self._woken.wait()
            user_id = next(iter(self._waiting))
            update = self._waiting.pop(user_id)
            begun = time.monotonic()
            try:
                await self._send(update.user)
            except UnavailableError as error:
                self._try_again(update, error)
                await asyncio.sleep(self._retry_after_s)
            else:
                await asyncio.sleep(REST * (time.monotonic() - begun))

    def _try_again(self, update: _Update, error: UnavailableError) -> None:
        update.attempts += 1
        if update.attempts < ATTEMPTS:
            # A newer one may have come meanwhile.
            self._waiting.setdefault(update.user.id, update)
        else:
            _LOG.warning("profile_not_sent", user=update.user.id, error=error.detail)

    async def _send(self, user: User) -> None:
        others = [user_id for user_id in self._connected() if user_id != user.id]
        found = await self._fetch_acquaintances(user.id, others) if others else set()
        audience = iter([user.id, *found])
        frame = UserUpdated(user=user)
        while piece := tuple(islice(audience, AUDIENCE_AT_ONCE)):
            # No await from here to the frame: a block in between would not be respected.
            apart = await self._fetch_blocked(user.id)
            self._bus.publish(Publication(audience=_without(piece, apart), frame=frame))
            await asyncio.sleep(0)


def _without(people: Sequence[str], apart: Collection[str]) -> tuple[str, ...]:
    return tuple(user_id for user_id in people if user_id not in apart)
