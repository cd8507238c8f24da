"""The reply to a request that came as a frame: a frame with the request's ``ref``."""

from collections.abc import Callable
from typing import Generic, TypeVar

from chat_mvp.errors import ChatError
from chat_mvp.protocol import AnswerFrame, Ref
from chat_mvp.realtime.connection import Connection

Result = TypeVar("Result")


class FrameReply(Generic[Result]):
    """The reply to one frame of one connection."""

    __slots__ = ("_connection", "_frame_of", "_ref", "connection_id")

    def __init__(
        self, connection: Connection, ref: Ref | None, frame_of: Callable[[Result], AnswerFrame] | None = None
    ) -> None:
        """Answer with the frame that ``frame_of`` makes of the result. Without ``frame_of``, send no frame."""
        self.connection_id: str | None = connection.id
        self._connection = connection
        self._ref = ref
        self._frame_of = frame_of

    def succeed(self, result: Result) -> None:
        """Send the frame for a result."""
        if self._frame_of is not None:
            self._connection.answer(self._frame_of(result), self._ref)

    def refuse(self, error: ChatError) -> None:
        """Send an ``error`` frame."""
        self._connection.answer_error(error, self._ref)
