"""Group commit: the writer of each process stores operations in batches, and publishes each batch after its commit.

While one batch is in flight, the writer gathers the next one. There is no timer: a single operation starts at once. The
writer alone publishes what is stored, and only after the commit. If the next batch is ready, the writer sends that one
to the database first, so that the process and the database work at the same time.

Two batches are in flight at once if they change no common document. The second one starts when only the commit of the
first is left. So the changes of each conversation are stored and published in their order.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import structlog

from chat_mvp.delivery.batch import MAX_BATCH_BYTES, MAX_BATCH_OPERATIONS, Operation, Recipients
from chat_mvp.delivery.commit_slot import CommitSlot
from chat_mvp.delivery.in_flight import BatchState, Deliver, InFlightBatch
from chat_mvp.delivery.next_batch import NextBatch
from chat_mvp.delivery.planning import Planner
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.errors import InternalError, UnavailableError
from chat_mvp.ops.disk import CheckRoom
from chat_mvp.storage.commit import Commit
from chat_mvp.storage.errors import unavailable
from chat_mvp.storage.messages import Messages
from chat_mvp.supervision import Supervisor
from chat_mvp.times import utc_now

MAX_WAITING_OPERATIONS = 16_384
MAX_WAITING_BYTES = 64 * 1024 * 1024
FULL_RETRY_AFTER_MS = 500
DEADLINE_S = 10.0
HOLD_BACK_S = 0.02
"""How long a stored batch waits at most until the next one is sent. Without a database, sending takes long."""

_LOG = structlog.get_logger(__name__)


class Writer:
    """Accepts operations, stores them in batches, and answers each exactly once."""

    def __init__(
        self,
        *,
        commits: Sequence[Commit],
        messages: Messages,
        rosters: Rosters,
        deliver: Deliver,
        recipients: Recipients,
        check_room: CheckRoom = lambda: None,
        deadline_s: float = DEADLINE_S,
        process: str = "",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Write through ``commits``, one batch at a time through each. ``deliver`` is called for each stored batch.

        ``recipients`` decides between the statuses ``sent`` and ``queued``, and which messages are queued.
        ``deadline_s`` is how long a batch is retried before its callers get ``unavailable``. ``process`` names this
        process in the stored events.
        """
        self._rosters = rosters
        self._deliver = deliver
        self._check_room = check_room
        self._deadline_s = deadline_s
        self._planner = Planner(
            messages=messages,
            rosters=rosters,
            recipients=recipients,
            process=process,
            clock=clock,
            drop_rosters=self._drop_rosters,
        )
        self._slots: list[CommitSlot] = []
        self._slots.extend(CommitSlot(commit, self._planner, self._slots) for commit in commits)
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._is_stopping = False
        self._waiting: deque[Operation] = deque()
        self._waiting_bytes = 0
        self._next: NextBatch | None = None
        """Gathers operations while a batch is in flight. They come before those in ``_waiting``."""
        self._in_flight: list[InFlightBatch] = []
        self._committed: InFlightBatch | None = None
        """Stored, but held back until the next batch is sent."""
        self._hold_back: asyncio.TimerHandle | None = None
        self._unpublished: set[asyncio.Future[None]] = set()
        self._database_fails = False
        """Whether the last batch was not stored before its deadline."""
        self.batches = 0
        self.operations = 0

    def start(self, supervisor: Supervisor) -> None:
        """Start the tasks that store batches, one for each slot, in ``supervisor``."""
        self._tasks = [
            supervisor.run(f"writer {number}", lambda slot=slot: self._run(slot))  # type: ignore[misc]
            for number, slot in enumerate(self._slots)
        ]

    async def stop(self) -> None:
        """Accept no more operations, finish the accepted ones, and end the tasks."""
        self._is_stopping = True
        self._wake.set()
        await asyncio.gather(*self._tasks)

    def submit(self, operation: Operation) -> None:
        """Accept an operation, and answer it later through its ``reply``.

        ``UnavailableError`` when the writer is stopping or has too much to store; other errors when the disk is full.
        """
        if self._is_stopping:
            raise UnavailableError("The server is stopping. Connect again in a moment.", retry_after_ms=1_000)
        if len(self._waiting) >= MAX_WAITING_OPERATIONS or self._waiting_bytes > MAX_WAITING_BYTES:
            raise UnavailableError(
                "The server has too much to store now. Try again in a moment.", retry_after_ms=FULL_RETRY_AFTER_MS
            )
        if operation.adds_data:
            self._check_room()
        if not self._in_flight or self._in_flight[0].state is BatchState.EXECUTED:
            self._wake.set()
        if self._next is not None and not self._waiting and self._offer(self._next, operation):
            return
        self._waiting.append(operation)
        self._waiting_bytes += operation.size

    @property
    def waiting(self) -> int:
        """Return how many operations wait to be stored, without those in flight."""
        return len(self._waiting) + (len(self._next.operations) if self._next is not None else 0)

    async def settled(self) -> None:
        """Wait until everything that the database can return by now has been published.

        A connection that reads, waits here and then gets live events gets no event twice and none out of order.
        """
        if self._unpublished:
            await asyncio.wait(set(self._unpublished))

    # ----------------------------------------------------------------------------------------------- taking batches

    async def _run(self, slot: CommitSlot) -> None:
        while True:
            self._wake.clear()
            batch = self._take()
            if batch is not None:
                await self._store(batch, slot)
            elif self._is_stopping and not self._in_flight:
                break
            else:
                await self._wake.wait()
        self._publish_committed()
        if slot.unresolved is not None:
            # The outcome of this batch will not be known before the process ends.
            slot.unresolved.move_to(BatchState.FAILED)
        # The other slot may wait for this one to end.
        self._wake.set()

    def _take(self) -> InFlightBatch | None:
        """Return the batch that may start now, if any."""
        gathered = self._next if self._next is not None and self._next.operations else None
        if self._in_flight:
            if gathered is None or not all(_may_run_beside(batch, gathered) for batch in self._in_flight):
                return None
            self._next = None
            return InFlightBatch(gathered.operations, gathered.plan, deliver=self._deliver)
        # Drop an empty batch: its operations would get the time at which it was opened, not the time of their arrival.
        self._next = None
        if gathered is not None:
            return InFlightBatch(gathered.operations, gathered.plan, deliver=self._deliver)
        if not self._waiting:
            # Publish before checking again, because publishing may submit new operations.
            self._publish_committed()
        is_unresolved = any(slot.unresolved is not None for slot in self._slots)
        if not self._waiting and (self._is_stopping or not is_unresolved):
            return None
        return InFlightBatch(self._take_waiting(), deliver=self._deliver)

    def _take_waiting(self) -> list[Operation]:
        operations: list[Operation] = []
        size = 0
        while self._waiting and len(operations) < MAX_BATCH_OPERATIONS and size < MAX_BATCH_BYTES:
            operation = self._waiting.popleft()
            size += operation.size
            operations.append(operation)
        self._waiting_bytes -= size
        return operations

    # -------------------------------------------------------------------------------------------------------- storing

    async def _store(self, batch: InFlightBatch, slot: CommitSlot) -> None:
        """Store a batch, and publish it now or when the next one is sent."""
        self._in_flight.append(batch)
        try:
            await self._try(batch, slot)
        except Exception:  # noqa: BLE001  (nothing may end the writer: the callers are answered, and the next batch begins)
            _LOG.exception("batch failed", operations=len(batch.operations))
            await self._isolate(batch, slot)
        self._in_flight.remove(batch)
        self._read_again(batch)
        self._publish_committed()
        if batch.state is not BatchState.COMMITTED:
            return
        if self._in_flight:
            batch.publish()
        else:
            self._committed = batch

    async def _try(self, batch: InFlightBatch, slot: CommitSlot) -> None:
        """Store a batch, or refuse its operations after the deadline."""
        self._unpublished.add(batch.published)
        batch.published.add_done_callback(self._unpublished.discard)
        # After a batch has failed at its deadline, each later batch is tried only once until one succeeds, because the
        # callers have already waited.
        is_stored = await slot.store(batch, self, for_s=0 if self._database_fails else self._deadline_s)
        self._database_fails = not is_stored
        if is_stored:
            self.batches += 1
            self.operations += len(batch.operations)
        else:
            batch.refuse(unavailable())

    async def _isolate(self, batch: InFlightBatch, slot: CommitSlot) -> None:
        """Store each operation of a batch that failed for an unknown reason in its own transaction."""
        failure = InternalError("The server could not store this.")
        if len(batch.operations) == 1:
            batch.refuse(failure)
            return
        batch.move_to(BatchState.FAILED)
        for operation in batch.operations:
            alone = InFlightBatch([operation], deliver=self._deliver, is_isolated=True)
            try:
                await self._try(alone, slot)
                self._read_again(alone)
                if alone.state is BatchState.COMMITTED:
                    alone.publish()
            except Exception:  # noqa: BLE001  (one operation that cannot be stored must not make others fail)
                _LOG.exception("operation failed", operation=type(operation).__name__)
                alone.refuse(failure)

    # -------------------------------------------------------------------------- what a slot reports, see its Observer

    def will_read(self) -> None:
        """Publish the previous batch, which must not wait for this read."""
        self._publish_committed()

    def will_send(self) -> None:
        """Hold the previous batch back until this one is sent, for at most ``HOLD_BACK_S``."""
        if self._committed is not None:
            self._hold_back = asyncio.get_running_loop().call_later(HOLD_BACK_S, self._publish_committed)

    def sent(self, batch: InFlightBatch) -> None:
        """Publish the previous batch and plan the next one, while the database works."""
        self._publish_committed()
        if not batch.is_isolated and self._next is None:
            next_batch = self._next = NextBatch(self._planner.begin(), self._rosters)
            while self._waiting and self._offer(next_batch, self._waiting[0]):
                self._waiting_bytes -= self._waiting.popleft().size

    def executed(self, batch: InFlightBatch) -> None:  # noqa: ARG002  (the observer needs no details)
        """Wake a slot for the next batch, if it has operations."""
        if self._next is not None and self._next.operations:
            self._wake.set()

    def not_stored(self, batch: InFlightBatch) -> None:
        """Drop the rosters that the batch changed, and the plans that are based on them."""
        self._publish_committed()
        self._drop_rosters(_touched(batch))

    def stored_late(self, batch: InFlightBatch) -> None:
        """Drop the rosters that were read before it was known that the batch is stored."""
        self._read_again(batch)

    def postponed(self, operations: Sequence[Operation]) -> None:
        """Put the operations that did not fit into a batch back at the front of the queue."""
        self._drop_next()
        self._put_back(operations)

    # --------------------------------------------------------------------------------------------- dropping, publishing

    def _offer(self, next_batch: NextBatch, operation: Operation) -> bool:
        """Offer an operation to the next batch. Returns false if it must wait."""
        if next_batch.take(operation):
            return True
        if next_batch.is_damaged and operation.conversation_id is not None:
            self._drop_rosters([operation.conversation_id])
        return False

    def _drop_rosters(self, ids: Iterable[str]) -> None:
        """Forget rosters whose changes are not stored, and the plans that are based on them."""
        self._rosters.forget(ids)
        self._drop_next()

    def _read_again(self, batch: InFlightBatch) -> None:
        """Drop the rosters of the batch if one of them was dropped while the batch was in flight.

        A failed batch, a block and a new direct conversation drop rosters. If such a roster is read again before the
        batch is stored, it lacks the changes of the batch. Not every change advances the counters, so the next batch
        might not notice.
        """
        if batch.plan is not None and batch.plan.has_lost_rosters:
            self._drop_rosters(_touched(batch))

    def _drop_next(self) -> None:
        dropped, self._next = self._next, None
        if dropped is not None:
            self._rosters.forget(dropped.plan.writes.touched())
            self._put_back(dropped.operations)

    def _put_back(self, operations: Sequence[Operation]) -> None:
        self._waiting.extendleft(reversed(operations))
        self._waiting_bytes += sum(operation.size for operation in operations)

    def _publish_committed(self) -> None:
        if self._hold_back is not None:
            self._hold_back.cancel()
            self._hold_back = None
        batch, self._committed = self._committed, None
        if batch is not None:
            batch.publish()


def _may_run_beside(batch: InFlightBatch, gathered: NextBatch) -> bool:
    if batch.state is not BatchState.EXECUTED or batch.plan is None:
        return False
    return gathered.plan.writes.is_apart_from(batch.plan.writes)


def _touched(batch: InFlightBatch) -> set[str]:
    return set() if batch.plan is None else batch.plan.writes.touched()
