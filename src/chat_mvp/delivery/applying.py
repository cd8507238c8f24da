"""Apply one operation to a batch. It is applied, or refused without any change, or the batch must be dropped."""

from chat_mvp.delivery.batch import Batch, Operation
from chat_mvp.errors import ChatError


class HalfDoneError(Exception):
    """An operation failed, or it refused after it changed something. ``__cause__`` is the error."""

    def __init__(self, operation: Operation) -> None:
        """``operation`` is the one that failed."""
        super().__init__()
        self.operation = operation


def apply_operation(operation: Operation, batch: Batch) -> ChatError | None:
    """Apply an operation. Return ``None``, or the error with which the operation is refused.

    Raises ``HalfDoneError`` when the batch must be dropped.
    """
    before = _size_of(batch)
    try:
        operation.apply(batch)
    except ChatError as error:
        if _size_of(batch) != before:
            raise HalfDoneError(operation) from error
        return error
    except Exception as error:
        raise HalfDoneError(operation) from error
    return None


def _size_of(batch: Batch) -> tuple[int, int]:
    return batch.writes.size, len(batch.outcomes)
