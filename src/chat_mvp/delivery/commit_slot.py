"""Commits one batch at a time, and retries until the batch is stored or the time is up."""

import asyncio
import random
from collections.abc import Sequence
from time import monotonic
from typing import Protocol

from chat_mvp.delivery.batch import Operation
from chat_mvp.delivery.in_flight import BatchState, InFlightBatch
from chat_mvp.delivery.planning import Planner
from chat_mvp.errors import UnavailableError
from chat_mvp.storage.commit import Commit, StaleError, TransientError, UnknownOutcomeError
from chat_mvp.storage.write_commands import seal

PAUSE_S = (0.02, 0.5)
STALE_PAUSE_S = (0.0, 0.05)
STALE_TRIES = 8
"""Other processes that write to the same conversations may win a few times.

A batch that always loses contradicts itself.
"""


class Observer(Protocol):
    """Is notified of the progress of a batch."""

    def will_read(self) -> None:
        """Note that something must be read before the batch can be sent."""
        ...

    def will_send(self) -> None:
        """Note that the batch is planned and will now be sent to the database."""
        ...

    def sent(self, batch: InFlightBatch) -> None:
        """Note that the batch is sent and the database works."""
        ...

    def executed(self, batch: InFlightBatch) -> None:
        """Note that the database has executed all commands and only the commit is left."""
        ...

    def not_stored(self, batch: InFlightBatch) -> None:
        """Note that the batch was not stored as planned, or that this is unknown. Its rosters may be wrong."""
        ...

    def stored_late(self, batch: InFlightBatch) -> None:
        """Note that a batch whose callers were refused is stored."""
        ...

    def postponed(self, operations: Sequence[Operation]) -> None:
        """Note that the batch became too large. Take back the operations that did not fit."""
        ...


class _Progress:
    """Moves a batch through its states during one commit."""

    def __init__(self, batch: InFlightBatch, observer: Observer) -> None:
        self._batch = batch
        self._observer = observer

    def sent(self) -> None:
        self._batch.move_to(BatchState.SENT)
        self._observer.sent(self._batch)

    def executed(self) -> None:
        self._batch.move_to(BatchState.EXECUTED)
        self._observer.executed(self._batch)


class CommitSlot:
    """Stores one batch at a time through one ``Commit``."""

    def __init__(self, commit: Commit, planner: Planner, slots: Sequence["CommitSlot"]) -> None:
        """Store through ``commit`` what ``planner`` plans. ``slots`` are all slots, including this one."""
        self._commit = commit
        self._planner = planner
        self._slots = slots
        self.current: InFlightBatch | None = None
        """The batch that this slot stores now."""
        self.unresolved: InFlightBatch | None = None
        """The batch whose commit got no answer. The slot writes nothing else until it knows the outcome."""

    async def store(self, batch: InFlightBatch, observer: Observer, *, for_s: float) -> bool:
        """Store the batch and return true. Return false after ``for_s`` seconds; then no caller was answered.

        Raises ``StaleError`` when the database repeatedly contradicts what was read from it a moment before.
        """
        self.current = batch
        try:
            return await self._try(batch, observer, deadline=monotonic() + for_s)
        finally:
            self.current = None

    async def _try(self, batch: InFlightBatch, observer: Observer, *, deadline: float) -> bool:
        stale = 0
        while True:
            try:
                await self._attempt(batch, observer, look_up=stale > 0)
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
            if monotonic() > deadline:
                return False

    async def _attempt(self, batch: InFlightBatch, observer: Observer, *, look_up: bool) -> None:
        """Plan the batch if it has no plan yet, and try to commit it once."""
        unresolved = [slot for slot in self._slots if slot.unresolved is not None and slot.current in {None, batch}]
        if batch.state is not BatchState.PLANNED or unresolved:
            observer.will_read()
        for slot in unresolved:
            await slot.resolve(observer)
        if batch.state is BatchState.COMMITTED:
            return
        if batch.state is not BatchState.PLANNED:
            plan = await self._planner.plan(batch.operations, look_up=look_up)
            batch.planned(plan)
            if plan.postponed:
                observer.postponed(plan.postponed)
        assert batch.plan is not None  # noqa: S101  (a planned batch has a plan)
        if batch.plan.writes.is_empty():
            batch.move_to(BatchState.COMMITTED)
            return
        seal(batch.plan.writes)
        observer.will_send()
        try:
            await self._commit.commit(batch.plan.writes, _Progress(batch, observer))
        except BaseException as error:
            if isinstance(error, UnknownOutcomeError):
                batch.move_to(BatchState.UNKNOWN)
                self.unresolved = batch
            else:
                batch.move_to(BatchState.WAITING)
            observer.not_stored(batch)
            raise
        batch.move_to(BatchState.COMMITTED)

    async def resolve(self, observer: Observer) -> None:
        """Find out whether the unresolved batch is stored. Raises ``UnavailableError`` when that cannot be known yet.

        If its callers still wait, the batch becomes ``COMMITTED``, or ``WAITING`` to be planned again. The callers of
        an abandoned batch got ``unavailable`` and may or may not try again. If an abandoned batch is stored, everyone
        is notified now. Otherwise they would miss it until they reconnect.
        """
        batch = self.unresolved
        if batch is None or batch.plan is None:
            return
        is_stored = await self._commit.was_committed(batch.plan.writes)
        self.unresolved = None
        if batch.state is BatchState.UNKNOWN:
            batch.move_to(BatchState.COMMITTED if is_stored else BatchState.WAITING)
        elif is_stored:
            observer.stored_late(batch)
            batch.publish_after_refusal()
        else:
            batch.move_to(BatchState.FAILED)
