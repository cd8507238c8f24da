"""Translates the errors of the drivers into those of the program."""

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
)

from chat_mvp.errors import UnavailableError

RETRY_AFTER_MS = 1_000
"""Long enough for most elections, short enough for a user to wait."""

# Codes that mean "not now": unreachable (6, 7, 89, 9001), over a time limit (24, 50, 64, 262), no primary or a primary
# that is not ready yet (133, 134, 189, 211, 10107, 13435, 13436), shutting down (91, 11600), interrupted, with its
# cursors (43, 175, 237, 11601, 11602), out of disk (14031).
_PASSING_CODES = frozenset(
    {6, 7, 24, 43, 50, 64, 89, 91, 133, 134, 175, 189, 211, 237, 262}
    | {9001, 10107, 11600, 11601, 11602, 13435, 13436, 14031}
)


def unavailable() -> UnavailableError:
    """Return the error for a database that cannot answer now."""
    return UnavailableError("The database cannot answer now. Try again soon.", retry_after_ms=RETRY_AFTER_MS)


def is_passing(error: PyMongoError) -> bool:
    """Return whether a retry can help: the server was away, busy or changing, and the request was not the cause."""
    if isinstance(
        error,
        ConnectionFailure
        | AutoReconnect
        | NetworkTimeout
        | NotPrimaryError
        | ServerSelectionTimeoutError
        | ExecutionTimeout
        | WriteConcernError,
    ):
        return True
    if error.has_error_label("TransientTransactionError") or error.has_error_label("RetryableWriteError"):
        return True
    return isinstance(error, OperationFailure) and error.code in _PASSING_CODES


def is_passing_of_driver(error: Exception) -> bool:
    """Tell whether an error is a passing one of a driver, for code that does not know the drivers."""
    return isinstance(error, PyMongoError) and is_passing(error)


@contextmanager
def translated() -> Iterator[None]:
    """Turn a driver's temporary failure into ``UnavailableError``. Other errors are faults of ours and pass through."""
    try:
        yield
    except PyMongoError as error:
        if is_passing(error):
            raise unavailable() from error
        raise
