"""A batch on its way to the database, and the states that it passes through."""

import asyncio
from collections.abc import Mapping, Sequence
from enum import Enum

import structlog

from chat_mvp.delivery.batch import Batch, Effect, Operation
from chat_mvp.delivery.planning import Plan, Refusals
from chat_mvp.errors import ChatError

_LOG = structlog.get_logger(__name__)


class BatchState(Enum):
    """How far a batch has come."""

    WAITING = "waiting"
    """Its operations were taken. Nothing is planned, or the plan was dropped and must be made again."""
    PLANNED = "planned"
    """Its operations were applied to rosters in memory. The database knows nothing of it."""
    SENT = "sent"
    """All its commands are on their way to the database."""
    EXECUTED = "executed"
    """The database executed all its commands. Only the commit is left."""
    COMMITTED = "committed"
    """It is stored durably."""
    PUBLISHED = "published"
    """It is stored, and everyone concerned was notified. Final."""
    UNKNOWN = "unknown"
    """The commit was sent and no answer came. It may be stored or not."""
    ABANDONED = "abandoned"
    """As ``UNKNOWN``, and its callers were answered ``unavailable``: they cannot be answered again."""
    FAILED = "failed"
    """It is not stored as this batch: its callers were refused, or its operations continue one by one. Final."""


TRANSITIONS: Mapping[BatchState, frozenset[BatchState]] = {
    BatchState.WAITING: frozenset({BatchState.PLANNED, BatchState.FAILED}),
    # A batch that stores nothing, because all it asks for is stored already, has nothing to send.
    BatchState.PLANNED: frozenset({BatchState.SENT, BatchState.COMMITTED, BatchState.WAITING, BatchState.FAILED}),
    BatchState.SENT: frozenset({BatchState.EXECUTED, BatchState.WAITING, BatchState.FAILED}),
    BatchState.EXECUTED: frozenset(
        {BatchState.COMMITTED, BatchState.UNKNOWN, BatchState.WAITING, BatchState.FAILED},
    ),
    BatchState.COMMITTED: frozenset({BatchState.PUBLISHED}),
    BatchState.UNKNOWN: frozenset({BatchState.COMMITTED, BatchState.WAITING, BatchState.ABANDONED}),
    BatchState.ABANDONED: frozenset({BatchState.PUBLISHED, BatchState.FAILED}),
    BatchState.PUBLISHED: frozenset(),
    BatchState.FAILED: frozenset(),
}
"""From each state to those that may follow it."""

_FINAL = frozenset({BatchState.PUBLISHED, BatchState.FAILED})


class InFlightBatch:
    """Operations that are stored together, from the moment they are taken until all of them are answered."""

    def __init__(
        self, operations: Sequence[Operation], plan: Batch | None = None, *, is_isolated: bool = False
    ) -> None:
        """Begin with ``plan`` where the operations were planned while another batch was committed.

        ``is_isolated``: its only operation was taken out of a batch that failed for an unknown reason.
        """
        self.operations = list(operations)
        self.plan = plan
        """What is stored or was tried last; kept in ``WAITING`` until the next plan replaces it."""
        self.refused: Refusals = []
        """Operations that the plan refuses, each with its reason."""
        self.is_isolated = is_isolated
        self.rosters_invalidated = False
        """Another batch dropped rosters that this one changed: they may have been read again before it was stored."""
        self.state = BatchState.WAITING if plan is None else BatchState.PLANNED
        self.published: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done in a final state: what the database returns of this batch from then on has been published."""

    def move_to(self, state: BatchState) -> None:
        """Enter a state; ``ValueError`` when it does not follow the present one (see ``TRANSITIONS``)."""
        if state not in TRANSITIONS[self.state]:
            raise ValueError(f"a batch cannot go from {self.state.value} to {state.value}")
        self.state = state
        if state in _FINAL and not self.published.done():
            self.published.set_result(None)

    def planned(self, plan: Plan) -> None:
        """Take a plan in place of the one before, and leave out the operations for which it has no room."""
        self.plan, self.refused = plan.batch, plan.refused
        postponed = set(map(id, plan.postponed))
        self.operations = [operation for operation in self.operations if id(operation) not in postponed]
        self.move_to(BatchState.PLANNED)

    def publish(self) -> None:
        """Notify everyone of what is stored, and answer the callers. It becomes ``PUBLISHED``, whatever goes wrong."""
        if self.plan is not None:
            _run(self.plan, self.plan.effects)
        for operation, error in self.refused:
            _refuse(operation, error)
        self.move_to(BatchState.PUBLISHED)

    def publish_after_refusal(self) -> None:
        """Notify everyone, the callers included, of an abandoned batch that turned out to be stored."""
        if self.plan is not None:
            _run(self.plan, self.plan.late_effects)
        self.move_to(BatchState.PUBLISHED)

    def refuse(self, error: ChatError) -> None:
        """Answer every caller that nothing was stored, or that this is unknown."""
        for operation in self.operations:
            _refuse(operation, error)
        self.move_to(BatchState.ABANDONED if self.state is BatchState.UNKNOWN else BatchState.FAILED)


def _run(plan: Batch, effects: Sequence[Effect]) -> None:
    for effect in effects:
        try:
            effect()
        except Exception:  # noqa: BLE001  (what is stored is stored: the fault of one listener must not stop the others)
            _LOG.exception("effect failed")
    # The effects refer to the batch and the batch to them; without this only the garbage collector would free both.
    plan.effects.clear()
    plan.late_effects.clear()


def _refuse(operation: Operation, error: ChatError) -> None:
    try:
        operation.reply.refuse(error)
    except Exception:  # noqa: BLE001  (one caller that cannot be answered must not keep the others waiting)
        _LOG.exception("answer failed", operation=type(operation).__name__)
