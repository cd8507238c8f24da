"""The batch that gathers while another commits, planned as its operations arrive.

Planning is the processor's work and committing the database's, so the two go on side by side. What is planned here
stands on a batch that may still fail; then it is thrown away, and its operations wait to be planned again.
"""

from chat_mvp.delivery.batch import Batch, Operation
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.errors import ChatError

MAX_BATCH_OPERATIONS = 256
MAX_BATCH_BYTES = 1024 * 1024


class Ahead:
    """Operations that needed nothing but what is in memory, applied to a batch in the order in which they came."""

    def __init__(self, batch: Batch, rosters: Rosters) -> None:
        """Begin with an empty batch."""
        self.batch = batch
        self.operations: list[Operation] = []
        self._rosters = rosters
        self._size = 0
        self._closed = False

    def take(self, operation: Operation) -> bool:
        """Apply an operation, or return false: then it waits, and so does all that comes after it.

        Not taken: what must be looked up first, what would be refused (it may be a repetition, which only the
        database knows), and what would make the batch too large.
        """
        self._closed = self._closed or not self._apply(operation)
        return not self._closed

    def _apply(self, operation: Operation) -> bool:
        conversation_id = operation.conversation_id
        if operation.message_ids or conversation_id is None or self._rosters.get(conversation_id) is None:
            return False
        if len(self.operations) >= MAX_BATCH_OPERATIONS or self._size >= MAX_BATCH_BYTES:
            return False
        try:
            operation.apply(self.batch)
        except ChatError:
            return False
        self.operations.append(operation)
        self._size += operation.size
        return True
