"""Reads lines while other tasks run."""

import asyncio
import os
import sys
import threading
from contextlib import suppress

_CHUNK = 65_536


class Keyboard:
    """Standard input, line by line, for a program that must be able to end while it waits for a line.

    It bypasses Python's own buffer from the first line on: a thread that waits inside that buffer would block the end
    of the program.
    """

    def __init__(self, descriptor: int = 0) -> None:
        """Read from an open file; 0 is standard input."""
        self._descriptor = descriptor
        self._rest = b""
        self._lines: asyncio.Queue[str] | None = None

    @property
    def is_terminal(self) -> bool:
        """Return whether the input is a terminal."""
        return os.isatty(self._descriptor)

    def line(self) -> str:
        """Wait for a line and return it with its line end. Return an empty text at the end of input."""
        while b"\n" not in self._rest:
            chunk = os.read(self._descriptor, _CHUNK)
            if not chunk:
                line, self._rest = self._rest, b""
                return line.decode(errors="replace")
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace") + "\n"

    async def next_line(self) -> str:
        """Return the same as ``line`` without blocking other tasks. From then on do not use ``line``."""
        if self._lines is None:
            self._lines = asyncio.Queue()
            pump = threading.Thread(
                target=self._pump, args=(asyncio.get_running_loop(), self._lines), name="keyboard", daemon=True
            )
            pump.start()
        return await self._lines.get()

    def _pump(self, loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str]) -> None:
        with suppress(RuntimeError):  # the loop has ended, so no one waits for a line
            while line := self.line():
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, "")


def show_above(line: str, prompt: str) -> None:
    """Print a line. At a terminal, print it above the prompt and show the prompt again."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\x1b[K{line}\n{prompt}")
    else:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
