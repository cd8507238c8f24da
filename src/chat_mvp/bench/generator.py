"""Starts the load generator, sends it an order and receives its events."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from chat_mvp.bench.orders import AnyEvent, Event, Failed, Moment, Order, Progress

_LINE_BYTES = 64 * 1024 * 1024

OnMoment = Callable[[str], Awaitable[None]]
OnProgress = Callable[[int], None]
Outcome = TypeVar("Outcome", bound=Event)


class BenchmarkError(Exception):
    """A run whose results are invalid: something was lost, or the load could not be created."""


async def carry_out(order: Order, expected: type[Outcome], *, on_moment: OnMoment, on_progress: OnProgress) -> Outcome:
    """Run a load generator with this order, and return the outcome.

    ``on_moment`` is awaited at each ``Moment`` while the generator waits. ``BenchmarkError`` when it failed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "chat_mvp.bench.load",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES,
    )
    assert process.stdin is not None  # noqa: S101 - asked for above
    assert process.stdout is not None  # noqa: S101
    try:
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        while line := await process.stdout.readline():
            event: Event = msgspec.json.decode(line, type=AnyEvent)
            if isinstance(event, Progress):
                on_progress(event.done)
            elif isinstance(event, Moment):
                await on_moment(event.name)
                process.stdin.write(b"\n")
            elif isinstance(event, Failed):
                raise BenchmarkError(event.reason)
            elif isinstance(event, expected):
                return event
        raise BenchmarkError("the load generator ended without a result; see its error above")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
