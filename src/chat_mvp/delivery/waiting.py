"""Waiting for an operation of the writer, which answers by calling back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from chat_mvp.errors import ChatError

Result = TypeVar("Result")
Refuse = Callable[[ChatError], None]


async def outcome(
    begin: Callable[[Callable[[Result], None], Refuse], Awaitable[None] | None],
) -> Result:
    """Begin something that calls back when it is done or refused, and wait for that."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def done(result: Result) -> None:
        if not future.done():
            future.set_result(result)

    def refuse(error: ChatError) -> None:
        if not future.done():
            future.set_exception(error)

    pending = begin(done, refuse)
    if pending is not None:
        await pending
    result: Result = await future
    return result
