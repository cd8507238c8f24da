"""A batch while it is stored, and its states."""

import asyncio
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Protocol

import structlog

from chat_mvp.delivery.batch import Batch, Operation, Outcome
from chat_mvp.delivery.planning import Plan, Refusals
from chat_mvp.errors import ChatError

_LOG = structlog.get_logger(__name__)


class BatchState(Enum):
    """The state of a batch."""

    WAITING = "waiting"
    """It has operations but no plan, or its plan was dropped and must be made again."""
    PLANNED = "planned"
    """Its operations were applied to rosters in memory. Nothing was sent to the database."""
    SENT = "sent"
    """All its commands were sent to the database."""
    EXECUTED = "executed"
    """The database executed all its commands. Only the commit is left."""
    COMMITTED = "committed"
    """It is stored durably."""
    PUBLISHED = "published"
    """It is stored, its frames were published and its callers were answered. Final."""
    UNKNOWN = "unknown"
    """The commit was sent, but no answer came. The batch may be stored or not."""
    ABANDONED = "abandoned"
    """As ``UNKNOWN``, but its callers got ``unavailable``. They cannot be answered again."""
    FAILED = "failed"
    """It is not stored. Its callers were refused, or its operations are stored one by one. Final."""


TRANSITIONS: Mapping[BatchState, frozenset[BatchState]] = {
    BatchState.WAITING: frozenset({BatchState.PLANNED, BatchState.FAILED}),
    # A batch whose changes are all stored already has nothing to send.
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
"""The states that may follow each state."""

_FINAL = frozenset({BatchState.PUBLISHED, BatchState.FAILED})


class Deliver(Protocol):
    """Delivers the outcomes of a stored batch. Raises nothing. ``chat_mvp.delivery.local`` implements it."""

    def __call__(self, outcomes: Sequence[Outcome], *, callers_refused: bool = False) -> None:
        """Send the events and the answers. Send only the events if the callers were refused before."""
        ...


class InFlightBatch:
    """Operations that are stored together, until all of them have an answer."""

    def __init__(
        self,
        operations: Sequence[Operation],
        plan: Batch | None = None,
        *,
        deliver: Deliver,
        is_isolated: bool = False,
    ) -> None:
        """Start with ``plan`` if the operations were planned while another batch was in flight.

        ``is_isolated`` says that its only operation comes from a batch that failed for an unknown reason.
        """
        self.operations = list(operations)
        self._deliver = deliver
        self.plan = plan
        """The last plan. It is kept in ``WAITING`` until the next one replaces it."""
        self.refused: Refusals = []
        """Operations that the plan refuses, each with the error."""
        self.is_isolated = is_isolated
        self.state = BatchState.WAITING if plan is None else BatchState.PLANNED
        self.published: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done in a final state. After that, everything that the database returns of this batch has been published."""

    def move_to(self, state: BatchState) -> None:
        """Enter a state. Raises ``ValueError`` if it may not follow the current one (see ``TRANSITIONS``)."""
        if state not in TRANSITIONS[self.state]:
            raise ValueError(f"a batch cannot go from {self.state.value} to {state.value}")
        self.state = state
        if state in _FINAL and not self.published.done():
            self.published.set_result(None)

    def planned(self, plan: Plan) -> None:
        """Replace the plan, and remove the operations that do not fit into the new one."""
        self.plan, self.refused = plan.batch, plan.refused
        postponed = set(map(id, plan.postponed))
        self.operations = [operation for operation in self.operations if id(operation) not in postponed]
        self.move_to(BatchState.PLANNED)

    def publish(self) -> None:
        """Send the events and answer the callers. The state becomes ``PUBLISHED``."""
        if self.plan is not None:
            self._deliver(self.plan.outcomes)
        for operation, error in self.refused:
            _refuse(operation, error)
        self.move_to(BatchState.PUBLISHED)

    def publish_after_refusal(self) -> None:
        """Send the events of an abandoned batch that turned out to be stored. Its callers get them too."""
        if self.plan is not None:
            self._deliver(self.plan.outcomes, callers_refused=True)
        self.move_to(BatchState.PUBLISHED)

    def refuse(self, error: ChatError) -> None:
        """Answer all callers with ``error``. The batch becomes ``ABANDONED`` if it was ``UNKNOWN``, else ``FAILED``."""
        for operation in self.operations:
            _refuse(operation, error)
        self.move_to(BatchState.ABANDONED if self.state is BatchState.UNKNOWN else BatchState.FAILED)


def _refuse(operation: Operation, error: ChatError) -> None:
    try:
        operation.reply.refuse(error)
    except Exception:  # noqa: BLE001  (one caller that cannot be answered must not keep the others waiting)
        _LOG.exception("answer failed", operation=type(operation).__name__)
