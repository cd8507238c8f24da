"""One way to the database: takes a batch there, again and again, until it is stored or was tried for too long."""

import asyncio
import random
from collections.abc import Sequence
from time import monotonic
from typing import Protocol

from chat_mvp.delivery.planning import Planner
from chat_mvp.delivery.turn import Turn
from chat_mvp.errors import UnavailableError
from chat_mvp.storage.commit import Commit, StaleError, TransientError, UnknownOutcomeError

PAUSE_S = (0.02, 0.5)
STALE_PAUSE_S = (0.0, 0.05)
STALE_TRIES = 8
"""Others who write to the same conversations may win a few times; what loses for ever is at odds with itself."""


class Observer(Protocol):
    """Who hears how far a batch has come."""

    def asking(self) -> None:
        """Hear that something must be read before the batch can be sent."""
        ...

    def sending(self) -> None:
        """Hear that the batch is planned and goes to the database now."""
        ...

    def sent(self) -> None:
        """Hear that the database has been told, and works."""
        ...

    def carried_out(self) -> None:
        """Hear that the database has done everything; what is left is to make it durable."""
        ...

    def failed(self, turn: Turn) -> None:
        """Hear that the batch was not stored as it was planned, or nobody knows: what it stood on is in doubt."""
        ...


class _Passing:
    """Hears of the progress of one commit, notes it at the turn and passes it on."""

    def __init__(self, turn: Turn, observer: Observer) -> None:
        self._turn = turn
        self._observer = observer

    def sent(self) -> None:
        self._observer.sent()

    def carried_out(self) -> None:
        self._turn.is_carried_out = True
        self._observer.carried_out()


class Lane:
    """Takes one batch at a time through one commit."""

    def __init__(self, commit: Commit, planner: Planner, lanes: Sequence["Lane"]) -> None:
        """Store through ``commit`` what ``planner`` makes of operations; ``lanes`` are all there are, with this one."""
        self._commit = commit
        self._planner = planner
        self._lanes = lanes
        self.is_busy = False
        """A batch is on its way here."""
        self.doubt: Turn | None = None
        """The batch whose commit got no answer: nothing else is written here before it is known what became of it."""

    async def take(self, turn: Turn, observer: Observer, *, for_s: float) -> bool:
        """Store the batch and return true, or false when that was tried for so long; then nobody was answered.

        ``StaleError`` when what is stored is never what was believed, however often it is read anew.
        """
        self.is_busy = True
        try:
            return await self._try(turn, observer, deadline=monotonic() + for_s)
        finally:
            self.is_busy = False

    async def _try(self, turn: Turn, observer: Observer, *, deadline: float) -> bool:
        stale = 0
        while True:
            try:
                await self._attempt(turn, observer, look_up=stale > 0)
            except StaleError:
                stale += 1
                if stale >= STALE_TRIES:
                    raise
                if stale > 1:
                    await asyncio.sleep(random.uniform(*STALE_PAUSE_S))  # noqa: S311  (jitter)
            except (TransientError, UnknownOutcomeError, UnavailableError):
                await asyncio.sleep(random.uniform(*PAUSE_S))  # noqa: S311  (jitter)
            else:
                return True
            # It stood on what has turned out otherwise.
            turn.planned = None
            if monotonic() > deadline:
                return False

    async def _attempt(self, turn: Turn, observer: Observer, *, look_up: bool) -> None:
        """Plan, unless it is planned already, and commit once."""
        in_doubt = [lane for lane in self._lanes if lane.doubt is not None and (lane is self or not lane.is_busy)]
        if turn.planned is None or in_doubt:
            observer.asking()
        for lane in in_doubt:
            if await lane.settle_doubt(turn):
                return
        if turn.planned is not None:
            turn.batch = turn.planned
        else:
            turn.batch, turn.refused = await self._planner.plan(turn.operations, look_up=look_up)
        if turn.batch.writes.is_empty():
            return
        turn.batch.writes.seal()
        observer.sending()
        try:
            await self._commit.commit(turn.batch.writes, _Passing(turn, observer))
        except BaseException as error:
            turn.is_carried_out = False
            if isinstance(error, UnknownOutcomeError):
                self.doubt = turn
            observer.failed(turn)
            raise

    async def settle_doubt(self, turn: Turn) -> bool:
        """Learn what became of a commit that got no answer; ``UnavailableError`` when that cannot be said yet.

        True if it was this very batch, and it is stored. Those who asked for another one were told ``unavailable`` and
        may ask again, or not; if it was stored, everybody must hear of it now, or they would miss it until they
        reconnect.
        """
        doubt = self.doubt
        if doubt is None or doubt.batch is None:
            return False
        stored = await self._commit.was_committed(doubt.batch.writes)
        self.doubt = None
        if doubt is turn:
            return stored
        if stored:
            doubt.let_out_late()
        doubt.end()
        return False
