"""Wait until something becomes true, with a time limit."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any


async def eventually(
    probe: Callable[[], Awaitable[Any]],
    until: Callable[[Any], bool] = bool,
    *,
    within: float = 20.0,
) -> Any:
    """Call ``probe`` every 50 ms until ``until`` holds for its result, and return that result."""
    deadline = time.monotonic() + within
    while True:
        result = await probe()
        if until(result):
            return result
        assert time.monotonic() < deadline, f"still not so after {within} s: {result!r}"
        await asyncio.sleep(0.05)
