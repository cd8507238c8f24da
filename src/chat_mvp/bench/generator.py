"""The driver's side of the line to the load generator."""

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
    """A run that counts for nothing: something was lost, or the load could not be made."""


async def carry_out(order: Order, expected: type[Outcome], *, on_moment: OnMoment, on_progress: OnProgress) -> Outcome:
    """Have the order carried out by a process of its own and return the outcome.

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
        raise BenchmarkError("the load generator ended without a result; its reason stands above")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
