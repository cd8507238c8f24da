"""Group commit: one writer for each process takes what waits, commits it in one transaction, and lets out the effects.

While one batch commits, the next gathers. There is no timer: a lone operation is taken at once. The writer is the only
one that publishes stored things, and it does so after the commit: once the next batch is on its way to the database
where one is ready, so that the two work side by side.

Two batches are on their way at once where they have no document in common, the second one beginning when nothing is
left of the first but to make it durable. So each conversation's changes are stored, and told, in their order.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from chat_mvp.delivery.ahead import MAX_BATCH_BYTES, MAX_BATCH_OPERATIONS, Ahead
from chat_mvp.delivery.batch import IsReachable, Operation
from chat_mvp.delivery.bus import Bus
from chat_mvp.delivery.lane import Lane
from chat_mvp.delivery.planning import Planner
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.delivery.turn import Turn
from chat_mvp.errors import InternalError, UnavailableError
from chat_mvp.storage.commit import Commit
from chat_mvp.storage.errors import unavailable
from chat_mvp.storage.messages import Messages
from chat_mvp.times import utc_now

MAX_WAITING_OPERATIONS = 16_384
MAX_WAITING_BYTES = 64 * 1024 * 1024
FULL_RETRY_AFTER_MS = 500
DEADLINE_S = 10.0
HOLD_BACK_S = 0.02
"""How long at most a stored batch waits to be let out until the next one is on its way, which may find no database."""

_LOG = structlog.get_logger(__name__)


class Writer:
    """Takes operations, stores them in batches, answers each exactly once."""

    def __init__(
        self,
        *,
        commits: Sequence[Commit],
        messages: Messages,
        rosters: Rosters,
        bus: Bus,
        is_reachable: IsReachable,
        queue_max_members: int,
        has_room: Callable[[], bool] = lambda: True,
        deadline_s: float = DEADLINE_S,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Write through ``commits``, so many batches at once; ``is_reachable`` decides between ``sent`` and ``queued``.

        ``deadline_s`` is how long a batch is tried before its operations are answered ``unavailable``.
        """
        self._rosters = rosters
        self._has_room = has_room
        self._deadline_s = deadline_s
        self._planner = Planner(
            messages=messages,
            rosters=rosters,
            bus=bus,
            is_reachable=is_reachable,
            queue_max_members=queue_max_members,
            clock=clock,
        )
        self._lanes: list[Lane] = []
        self._lanes.extend(Lane(commit, self._planner, self._lanes) for commit in commits)
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._waiting: deque[Operation] = deque()
        self._waiting_bytes = 0
        self._ahead: Ahead | None = None
        """Open while a batch is on its way; what it has taken comes before everything that waits."""
        self._under_way: list[Turn] = []
        self._stored: Turn | None = None
        """Stored, and held back until the next one is on its way."""
        self._held_back: asyncio.TimerHandle | None = None
        self._untold: set[asyncio.Future[None]] = set()
        self._failing = False
        self._isolating = False
        self.batches = 0
        self.operations = 0

    def start(self) -> None:
        """Begin to write."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._run(lane), name="writer") for lane in self._lanes]

    async def stop(self) -> None:
        """Take nothing more, finish what was accepted, and end."""
        self._stopping = True
        self._wake.set()
        await asyncio.gather(*self._tasks)

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
        if not self._under_way or self._under_way[0].is_carried_out:
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
        if self._untold:
            await asyncio.wait(set(self._untold))

    async def _run(self, lane: Lane) -> None:
        while True:
            self._wake.clear()
            turn = self._next()
            if turn is not None:
                await self._take(turn, lane)
            elif self._stopping and not self._under_way:
                break
            else:
                await self._wake.wait()
        self._let_out_stored()
        if lane.doubt is not None:
            lane.doubt.end()
        # The other lane may wait for this one.
        self._wake.set()

    def _next(self) -> Turn | None:
        """Return what may begin now."""
        ahead = self._ahead if self._ahead is not None and self._ahead.operations else None
        if self._under_way:
            if ahead is None or not all(self._may_go_beside(turn, ahead) for turn in self._under_way):
                return None
            self._ahead = None
            return Turn(ahead.operations, ahead.batch)
        # What comes later is not to be dated back to when an empty one was opened.
        self._ahead = None
        if ahead is not None:
            return Turn(ahead.operations, ahead.batch)
        if not self._waiting:
            # First of all: what is let out may bring something new.
            self._let_out_stored()
        in_doubt = any(lane.doubt is not None for lane in self._lanes)
        if not self._waiting and (self._stopping or not in_doubt):
            return None
        return Turn(self._take_waiting())

    def _may_go_beside(self, turn: Turn, ahead: Ahead) -> bool:
        return turn.is_carried_out and turn.batch is not None and ahead.batch.writes.is_apart_from(turn.batch.writes)

    def _take_waiting(self) -> list[Operation]:
        operations: list[Operation] = []
        size = 0
        while self._waiting and len(operations) < MAX_BATCH_OPERATIONS and size < MAX_BATCH_BYTES:
            operation = self._waiting.popleft()
            size += operation.size
            operations.append(operation)
        self._waiting_bytes -= size
        return operations

    async def _take(self, turn: Turn, lane: Lane) -> None:
        self._under_way.append(turn)
        try:
            is_stored = await self._store(turn, lane)
        except Exception:  # noqa: BLE001
            # Nothing may end the writer: what went wrong is answered, and the next batch is another matter.
            _LOG.exception("batch failed", operations=len(turn.operations))
            await self._isolate(turn, lane)
            is_stored = False
        self._under_way.remove(turn)
        if turn.is_shaken:
            self._drop(turn)
        self._let_out_stored()
        if not is_stored:
            return
        if self._under_way:
            turn.let_out()
        else:
            self._stored = turn

    async def _store(self, turn: Turn, lane: Lane) -> bool:
        """Return true when the batch is stored and to be let out, and false when its operations were refused."""
        self._untold.add(turn.told)
        turn.told.add_done_callback(self._untold.discard)
        # Once a batch has waited in vain, those behind it are tried once each until one succeeds: their senders have
        # waited already.
        is_stored = await lane.take(turn, self, for_s=0 if self._failing else self._deadline_s)
        self._failing = not is_stored
        if is_stored:
            self.batches += 1
            self.operations += len(turn.operations)
            return True
        turn.refuse_all(unavailable())
        if lane.doubt is not turn:
            turn.end()
        return False

    async def _isolate(self, turn: Turn, lane: Lane) -> None:
        """Give each operation of a batch that failed for no known reason a transaction of its own."""
        failure = InternalError("The server could not store this.")
        turn.end()
        if len(turn.operations) == 1:
            turn.refuse_all(failure)
            return
        self._isolating = True
        for operation in turn.operations:
            alone = Turn([operation])
            try:
                if await self._store(alone, lane):
                    alone.let_out()
            except Exception:  # noqa: BLE001  (one poisonous operation must not take its neighbours along)
                _LOG.exception("operation failed", operation=type(operation).__name__)
                alone.refuse_all(failure)
                alone.end()
        self._isolating = False

    # ------------------------------------------------------------------------------------ how far a batch has come

    def asking(self) -> None:
        """Let out the batch before, which has no part in what is asked now and waited for."""
        self._let_out_stored()

    def sending(self) -> None:
        """Hold the batch before back until this one is on its way, but not for long."""
        if self._stored is not None:
            self._held_back = asyncio.get_running_loop().call_later(HOLD_BACK_S, self._let_out_stored)

    def sent(self) -> None:
        """While the database works: let out the batch before, and plan the next one."""
        self._let_out_stored()
        if not self._isolating and self._ahead is None:
            self._ahead = Ahead(self._planner.begin(), self._rosters)
            while self._waiting and self._ahead.take(self._waiting[0]):
                self._waiting_bytes -= self._waiting.popleft().size

    def carried_out(self) -> None:
        """Let the next batch begin, if it may."""
        if self._ahead is not None and self._ahead.operations:
            self._wake.set()

    def failed(self, turn: Turn) -> None:
        """Believe nothing of what the batch touched, nor what stood on that."""
        self._let_out_stored()
        self._drop(turn)
        for other in self._under_way:
            if other is not turn:
                other.is_shaken = True

    def _drop(self, turn: Turn) -> None:
        if turn.batch is not None:
            self._rosters.forget(turn.batch.writes.touched())
        # What was planned on it waits again, in its place.
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            self._rosters.forget(ahead.batch.writes.touched())
            self._waiting.extendleft(reversed(ahead.operations))
            self._waiting_bytes += sum(operation.size for operation in ahead.operations)

    def _let_out_stored(self) -> None:
        if self._held_back is not None:
            self._held_back.cancel()
            self._held_back = None
        turn, self._stored = self._stored, None
        if turn is not None:
            turn.let_out()
