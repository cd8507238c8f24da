"""A server in a process of its own, for as long as it is needed: what the demo shows and the benchmark measures."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from chat_mvp.errors import StartupError

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 15.0
"""A clean stop takes less than ten seconds; who takes longer than this is killed."""


class ChildServer(Struct, frozen=True):
    """A server that is ready, and its web address."""

    process: asyncio.subprocess.Process
    url: str


@asynccontextmanager
async def child_server(data_dir: Path, settings: Mapping[str, str]) -> AsyncIterator[ChildServer]:
    """Run the program on ``data_dir`` and any free port until the end of the block.

    ``settings`` go by their names without the prefix; this machine's own do not count. ``StartupError`` when the server
    ends before it is ready, ``TimeoutError`` when it takes longer than ``READY_WITHIN_S``.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_MVP_")}
    environment = inherited | {f"CHAT_MVP_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "chat_mvp", "serve", "--port", "0", "--data-dir", str(data_dir)]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        async with asyncio.timeout(READY_WITHIN_S):
            line = (await process.stdout.readline()).decode().strip()
        if not line:
            raise StartupError("The server did not start.", remedy="Its reason stands above.")
        yield ChildServer(process, line.rpartition(" ")[2])
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
        except TimeoutError:
            process.kill()
            await process.wait()
