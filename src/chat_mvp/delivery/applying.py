"""Applying one operation to a batch: it is applied, it is refused and changed nothing, or the batch must be dropped."""

from chat_mvp.delivery.batch import Batch, Operation
from chat_mvp.errors import ChatError


class HalfDoneError(Exception):
    """An operation failed, or refused too late: it may have changed half of something. ``__cause__`` says why."""

    def __init__(self, operation: Operation) -> None:
        """``operation`` is the one that failed."""
        super().__init__()
        self.operation = operation


def apply_operation(operation: Operation, batch: Batch) -> ChatError | None:
    """Apply an operation, or return why it is refused; ``HalfDoneError`` when the batch must be dropped."""
    before = _extent(batch)
    try:
        operation.apply(batch)
    except ChatError as error:
        if _extent(batch) != before:
            raise HalfDoneError(operation) from error
        return error
    except Exception as error:
        raise HalfDoneError(operation) from error
    return None


def _extent(batch: Batch) -> tuple[int, int]:
    return batch.writes.size, len(batch.outcomes)
