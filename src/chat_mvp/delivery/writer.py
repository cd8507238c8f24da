"""Group commit: one writer for each process takes what waits, commits it in one transaction, and lets out the effects.

While one batch commits, the next gathers. There is no timer: a lone operation is taken at once. The writer is the only
one that publishes stored things, and it does so after the commit, in order: once the next batch is on its way to the
database where one is ready, so that the two work side by side.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import NamedTuple

import structlog

from chat_mvp.delivery.ahead import MAX_BATCH_BYTES, MAX_BATCH_OPERATIONS, Ahead
from chat_mvp.delivery.batch import Batch, Effect, Operation
from chat_mvp.delivery.bus import Bus
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.errors import ChatError, InternalError, UnavailableError
from chat_mvp.storage.commit import Commit, StaleError, TransientError, UnknownOutcomeError
from chat_mvp.storage.errors import unavailable
from chat_mvp.storage.messages import Messages, SentKey
from chat_mvp.storage.records import MessageRecord
from chat_mvp.times import utc_now

MAX_WAITING_OPERATIONS = 16_384
MAX_WAITING_BYTES = 64 * 1024 * 1024
FULL_RETRY_AFTER_MS = 500
DEADLINE_S = 10.0
PAUSE_S = (0.02, 0.5)
HOLD_BACK_S = 0.02
"""How long at most a stored batch waits to be let out until the next one is on its way, which may find no database."""

Refusals = list[tuple[Operation, ChatError]]

_LOG = structlog.get_logger(__name__)


class Unresolved(NamedTuple):
    """A batch whose commit got no answer, with the operations it was made of and those that it refuses."""

    operations: list[Operation]
    batch: Batch
    refused: Refusals


class Stored(NamedTuple):
    """A batch that is committed and not let out yet; ``turn`` ends when it is."""

    batch: Batch
    refused: Refusals
    turn: asyncio.Future[None]


class Writer:
    """Takes operations, stores them in batches, answers each exactly once."""

    def __init__(
        self,
        *,
        commit: Commit,
        messages: Messages,
        rosters: Rosters,
        bus: Bus,
        is_reachable: Callable[[str], bool],
        queue_max_members: int,
        has_room: Callable[[], bool] = lambda: True,
        deadline_s: float = DEADLINE_S,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Write through ``commit``; ``is_reachable`` tells whether somebody has a connection they do not hide.

        ``deadline_s`` is how long a batch is tried before its operations are answered ``unavailable``.
        """
        self._commit = commit
        self._messages = messages
        self._rosters = rosters
        self._bus = bus
        self._is_reachable = is_reachable
        self._queue_max_members = queue_max_members
        self._has_room = has_room
        self._deadline_s = deadline_s
        self._waiting: deque[Operation] = deque()
        self._ahead: Ahead | None = None
        """Open while a batch commits; what it has taken comes before everything that waits."""
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._unresolved: Unresolved | None = None
        self._turn: asyncio.Future[None] | None = None
        self._stored: Stored | None = None
        self._clock = clock
        self._now = clock()
        self._failing = False
        self._committing = False
        self._isolating = False
        self.batches = 0
        self.operations = 0

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="writer")

    async def stop(self) -> None:
        """Take nothing more, finish what was accepted, and end."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task

    def submit(self, operation: Operation) -> None:
        """Accept an operation; it is answered later, by itself. ``UnavailableError`` when it is not accepted."""
        if self._stopping:
            raise UnavailableError("The server is stopping; connect again in a moment.", retry_after_ms=1_000)
        if len(self._waiting) >= MAX_WAITING_OPERATIONS or self._waiting_bytes > MAX_WAITING_BYTES:
            raise UnavailableError(
                "The server has more to store than it can; try again.", retry_after_ms=FULL_RETRY_AFTER_MS
            )
        if operation.sent_key is not None and not self._has_room():
            raise UnavailableError("The server's disk is nearly full; tell whoever runs it.", retry_after_ms=60_000)
        self._wake.set()
        if self._ahead is not None and not self._waiting and self._ahead.take(operation):
            return
        self._waiting.append(operation)
        self._waiting_bytes += operation.size

    @property
    def waiting(self) -> int:
        """Return how many operations wait to be committed, beside those that are being committed."""
        return len(self._waiting) + (len(self._ahead.operations) if self._ahead is not None else 0)

    async def settled(self) -> None:
        """Return when everything that can be seen in the database by now has been let out.

        Whoever reads, then waits here, and goes live afterwards is told nothing a second time and nothing out of order.
        """
        if self._turn is not None:
            await asyncio.wait([self._turn])
        elif self._stored is not None:
            await asyncio.wait([self._stored.turn])

    async def _run(self) -> None:
        try:
            while not (self._stopping and not self.waiting):
                if self.waiting or self._unresolved is not None:
                    await self._take_turn()
                else:
                    # In this order: what is let out may bring something new.
                    self._wake.clear()
                    self._let_out_stored()
                    await self._wake.wait()
        finally:
            self._let_out_stored()
            self._end_turn()

    async def _take_turn(self) -> None:
        self._turn = self._turn or asyncio.get_running_loop().create_future()
        ahead, self._ahead = self._ahead, None
        operations = ahead.operations if ahead is not None and ahead.operations else self._take()
        try:
            done = await self._process(operations, planned=ahead.batch if ahead and ahead.operations else None)
        except Exception:  # noqa: BLE001
            # Nothing may end the writer: what went wrong is answered, and the next batch is another matter.
            _LOG.exception("batch failed", operations=len(operations))
            await self._isolate(operations)
            done = None
        self._let_out_stored()
        if done is not None:
            self._stored, self._turn = Stored(*done, self._turn), None
        elif self._unresolved is None:
            self._end_turn()

    def _let_out_stored(self) -> None:
        stored, self._stored = self._stored, None
        if stored is not None:
            try:
                _let_out(stored.batch, stored.batch.effects)
                _refuse(stored.refused)
            finally:
                # Whatever went wrong with a listener, nobody may wait for this turn for ever.
                stored.turn.set_result(None)

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._turn.set_result(None)
            self._turn = None

    def _take(self) -> list[Operation]:
        operations: list[Operation] = []
        size = 0
        while self._waiting and len(operations) < MAX_BATCH_OPERATIONS and size < MAX_BATCH_BYTES:
            operation = self._waiting.popleft()
            size += operation.size
            operations.append(operation)
        self._waiting_bytes -= size
        return operations

    async def _isolate(self, operations: list[Operation]) -> None:
        """Give each operation of a batch that failed for no known reason a transaction of its own."""
        if len(operations) == 1:
            operations[0].refuse(InternalError("The server could not store this."))
            return
        self._isolating = True
        for operation in operations:
            try:
                done = await self._process([operation])
                if done is not None:
                    batch, refused = done
                    _let_out(batch, batch.effects)
                    _refuse(refused)
            except Exception:  # noqa: BLE001  (one poisonous operation must not take its neighbours along)
                _LOG.exception("operation failed", operation=type(operation).__name__)
                operation.refuse(InternalError("The server could not store this."))
        self._isolating = False

    async def _process(
        self,
        operations: list[Operation],
        planned: Batch | None = None,
    ) -> tuple[Batch, Refusals] | None:
        """Store them, and return what is to be let out; ``None`` when all were answered because that took too long."""
        # Once a batch has waited in vain, those behind it are tried once each until one succeeds: their senders have
        # waited already.
        deadline = monotonic() + (0 if self._failing else self._deadline_s)
        look_up = False
        while True:
            try:
                batch, refused = await self._attempt(operations, planned, look_up=look_up)
            except StaleError:
                look_up = True
            except (TransientError, UnknownOutcomeError, UnavailableError):
                await asyncio.sleep(random.uniform(*PAUSE_S))  # noqa: S311  (jitter)
            else:
                self._failing = False
                self.batches += 1
                self.operations += len(operations)
                return batch, refused
            # It stood on what has turned out otherwise.
            planned = None
            if monotonic() > deadline:
                self._failing = True
                error = unavailable()
                _refuse([(operation, error) for operation in operations])
                return None

    async def _attempt(
        self,
        operations: list[Operation],
        planned: Batch | None,
        *,
        look_up: bool,
    ) -> tuple[Batch, Refusals]:
        """Plan, unless it is planned already, and commit once. ``look_up`` asks first which sends are stored."""
        if planned is None or self._unresolved is not None:
            # What comes now asks the database and waits for it, which the batch before has no part in.
            self._let_out_stored()
        stored = await self._resolve(operations)
        if stored is not None:
            return stored
        if planned is not None:
            batch, refused = planned, Refusals()
        else:
            sent = await self._fetch_sent(operations) if look_up else {}
            batch, refused = await self._plan(operations, sent)
        if batch.writes.is_empty():
            return batch, refused
        batch.writes.seal()
        self._committing = True
        enough = asyncio.get_running_loop().call_later(HOLD_BACK_S, self._let_out_stored)
        try:
            await self._commit.commit(batch.writes, self._use_the_wait)
        except BaseException as error:
            self._committing = False
            self._let_out_stored()
            if isinstance(error, UnknownOutcomeError):
                self._unresolved = Unresolved(operations, batch, refused)
            self._rosters.forget(batch.writes.touched())
            self._discard_ahead()
            raise
        finally:
            enough.cancel()
        self._committing = False
        if self._ahead is not None and not self._ahead.operations:
            # Nothing came; what comes later is not to be dated back to now.
            self._ahead = None
        return batch, refused

    def _use_the_wait(self) -> None:
        """While the database works: let out the batch before, and plan the next one."""
        self._let_out_stored()
        self._open_ahead()

    def _open_ahead(self) -> None:
        """Begin to plan the next batch with what waits, while the present one commits."""
        if not self._committing or self._isolating or self._ahead is not None:
            return
        self._ahead = Ahead(self._batch({}, {}), self._rosters)
        while self._waiting and self._ahead.take(self._waiting[0]):
            self._waiting_bytes -= self._waiting.popleft().size

    def _discard_ahead(self) -> None:
        """Let what was planned ahead wait again, in its place, because the batch that it stood on has failed."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            self._rosters.forget(ahead.batch.writes.touched())
            self._waiting.extendleft(reversed(ahead.operations))
            self._waiting_bytes += sum(operation.size for operation in ahead.operations)

    async def _plan(
        self,
        operations: list[Operation],
        sent: dict[SentKey, MessageRecord],
    ) -> tuple[Batch, Refusals]:
        messages = await self._load(operations)
        batch = self._batch(messages, sent)
        refused = _apply(operations, batch)
        # Before a send is refused: it may be a repetition of one that was stored, whatever it says now.
        asked = [op.sent_key for op, _ in refused if op.sent_key is not None and op.sent_key not in sent]
        found = await self._messages.fetch_sent(asked)
        if not found:
            return batch, refused
        self._rosters.forget(batch.writes.touched())
        sent |= found
        return await self._plan(operations, sent)

    async def _load(self, operations: list[Operation]) -> dict[str, MessageRecord]:
        """Bring into memory what the operations need, and return the messages that they name."""
        ids = {message_id for operation in operations for message_id in operation.message_ids}
        keys = {operation.direct_key for operation in operations if operation.direct_key is not None}
        conversations = {op.conversation_id for op in operations if op.conversation_id is not None}
        while True:
            before = self._rosters.forgotten
            messages = await self._messages.fetch_by_ids(ids) if ids else {}
            if keys:
                await self._rosters.load_direct(keys)
            await self._rosters.load(conversations | {record.message.conversation_id for record in messages.values()})
            if before == self._rosters.forgotten:
                return messages
            # A block was set or lifted meanwhile, which drops the pair's roster: it may be one of ours.

    def _batch(self, messages: dict[str, MessageRecord], sent: dict[SentKey, MessageRecord]) -> Batch:
        # Never back, whatever the clock does: who asks what changed since a time relies on it.
        self._now = max(self._now, self._clock())
        return Batch(
            now=self._now,
            rosters=self._rosters,
            messages=messages,
            sent=sent,
            is_reachable=self._is_reachable,
            publish=self._bus.publish,
            queue_max_members=self._queue_max_members,
        )

    async def _fetch_sent(self, operations: list[Operation]) -> dict[SentKey, MessageRecord]:
        return await self._messages.fetch_sent({op.sent_key for op in operations if op.sent_key is not None})

    async def _resolve(self, operations: list[Operation]) -> tuple[Batch, Refusals] | None:
        """Learn what became of a commit that got no answer, before anything else is written.

        Returned is the batch if it was stored and made of these operations. Otherwise those who asked for it were
        told ``unavailable`` and may ask again, or not; if it was stored, everybody must hear of it now, or they would
        miss it until they reconnect.
        """
        unresolved = self._unresolved
        if unresolved is None:
            return None
        stored = await self._commit.was_committed(unresolved.batch.writes)
        self._unresolved = None
        if not stored:
            return None
        if unresolved.operations is operations:
            return unresolved.batch, unresolved.refused
        _let_out(unresolved.batch, unresolved.batch.late_effects)
        return None


def _apply(operations: list[Operation], batch: Batch) -> Refusals:
    refused: Refusals = []
    for operation in operations:
        try:
            operation.apply(batch)
        except ChatError as error:
            refused.append((operation, error))
    return refused


def _let_out(batch: Batch, effects: Sequence[Effect]) -> None:
    for effect in effects:
        try:
            effect()
        except Exception:  # noqa: BLE001
            # What is stored is stored; one listener's fault must not keep it from the others.
            _LOG.exception("effect failed")
    # They hold the batch that holds them: such circles would keep the garbage collector busy all the time.
    batch.effects.clear()
    batch.late_effects.clear()


def _refuse(refused: Refusals) -> None:
    for operation, error in refused:
        operation.refuse(error)
