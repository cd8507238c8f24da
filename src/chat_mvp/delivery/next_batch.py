"""The batch that gathers operations while another one is committed. Each is planned on arrival.

Planning uses the processor and committing uses the database, so the two run at the same time. The plan relies on a
batch that may still fail. If it fails, the plan is dropped and its operations wait to be planned again.
"""

import structlog

from chat_mvp.delivery.applying import HalfDoneError, apply_operation
from chat_mvp.delivery.batch import MAX_BATCH_BYTES, MAX_BATCH_OPERATIONS, Batch, Operation
from chat_mvp.delivery.rosters import Rosters

_LOG = structlog.get_logger(__name__)


class NextBatch:
    """Operations that need only what is in memory, applied to a batch in the order in which they arrive."""

    def __init__(self, plan: Batch, rosters: Rosters) -> None:
        """Start with an empty plan."""
        self.plan = plan
        self.operations: list[Operation] = []
        self.is_damaged = False
        """An operation failed unexpectedly and may have changed part of the data. The plan must be dropped."""
        self._rosters = rosters
        self._is_closed = False

    def take(self, operation: Operation) -> bool:
        """Apply an operation and return true. Return false if it, and all operations after it, must wait.

        These must wait: an operation that needs something from the database; one that would be refused, because it may
        repeat an earlier send that only the database has; one that fails; and all operations once the plan is full.
        """
        self._is_closed = self._is_closed or not self._apply(operation)
        return not self._is_closed

    def _apply(self, operation: Operation) -> bool:
        conversation_id = operation.conversation_id
        if operation.message_ids or conversation_id is None or self._rosters.get(conversation_id) is None:
            return False
        if len(self.operations) >= MAX_BATCH_OPERATIONS or self.plan.writes.size >= MAX_BATCH_BYTES:
            return False
        try:
            if apply_operation(operation, self.plan) is not None:
                return False
        except HalfDoneError:
            # The planner gets the operation again and isolates it.
            _LOG.warning("operation failed while planned ahead", operation=type(operation).__name__)
            self.is_damaged = True
            return False
        self.operations.append(operation)
        return True
