"""What an event stream makes of errors of the database."""

from typing import Any, cast

import pytest
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from chat_mvp.errors import UnavailableError
from chat_mvp.storage.client import RawDocument
from chat_mvp.storage.event_stream import CursorLostError, EventStream


class Failing:
    """Changes that cannot be read."""

    def __init__(self, error: PyMongoError) -> None:
        self._error = error

    async def try_next(self) -> None:
        raise self._error

    async def close(self) -> None:
        return


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (AutoReconnect("away"), UnavailableError),
        (OperationFailure("the cursor was removed", 43), UnavailableError),
        # A reader that is so slow that the log was cut off behind it. What it has in hand may still be enough.
        (OperationFailure("CollectionScan died", 136), UnavailableError),
        (OperationFailure("the log does not go back to it", 286), CursorLostError),
        (OperationFailure("nobody expected this", 2), OperationFailure),
    ],
)
async def test_an_error_says_what_to_do(error: PyMongoError, becomes: type[Exception]) -> None:
    stream = EventStream(cast("AsyncChangeStream[RawDocument]", cast("Any", Failing(error))), None)
    with pytest.raises(becomes):
        await stream.fetch(limit=1, within_s=1)
    await stream.close()
