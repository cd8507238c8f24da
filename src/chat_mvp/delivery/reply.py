"""The answer to the caller of an operation: exactly one, a result or the error with which it is refused.

A reply is created where the request arrives (a frame or an HTTP request), and stays with the operation.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from chat_mvp.errors import ChatError

Result = TypeVar("Result")
_Result_contra = TypeVar("_Result_contra", contravariant=True)


class Reply(Protocol[_Result_contra]):
    """Answers one caller."""

    connection_id: str | None
    """The WebSocket connection that gets the answer. It needs no frame about the change that it requested."""

    def succeed(self, result: _Result_contra) -> None:
        """Answer that the operation succeeded, with its result."""
        ...

    def refuse(self, error: ChatError) -> None:
        """Answer that the operation was refused."""
        ...


class FutureReply(Generic[Result]):
    """The reply for a caller that waits, such as an HTTP request."""

    connection_id: str | None = None

    def __init__(self) -> None:
        """Create the future in the running event loop."""
        self._future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def succeed(self, result: Result) -> None:
        """Give the waiting caller the result, unless the caller is gone."""
        if not self._future.done():
            self._future.set_result(result)

    def refuse(self, error: ChatError) -> None:
        """Raise the error in the waiting caller, unless the caller is gone."""
        if not self._future.done():
            self._future.set_exception(error)

    async def wait(self) -> Result:
        """Return the result, or raise the error."""
        return await self._future


async def await_reply(begin: Callable[[FutureReply[Result]], Awaitable[None] | None]) -> Result:
    """Call ``begin`` with a reply, and wait for the answer."""
    reply = FutureReply[Result]()
    pending = begin(reply)
    if pending is not None:
        await pending
    return await reply.wait()
