"""Starts and stops one mongod process, and ends one that a killed server left behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from chat_mvp.mongod import launch, logfile
from chat_mvp.mongod.layout import Layout

STOP_SECONDS = 10.0
"""A clean stop takes well under a second. After this time mongod is killed.

It then recovers at its next start, and loses nothing.
"""

_POLL_SECONDS = 0.02

if sys.platform == "linux":

    def _command_lines() -> Iterator[tuple[int, str]]:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):  # ended meanwhile, or of another user
                    line = (entry / "cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
                    yield int(entry.name), os.fsdecode(line)

    def _has_ended(pid: int) -> bool:
        process = Path(f"/proc/{pid}")
        try:
            state = (process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
            # A zombie waits for its parent. Until its last thread has ended too, its port and files are not free.
            return state in {"Z", "X"} and len(list((process / "task").iterdir())) == 1
        except OSError:
            return True

elif sys.platform == "win32":

    def _command_lines() -> Iterator[tuple[int, str]]:
        return iter(())  # not known on this system; a running mongod locks its files, and its log says so

    def _has_ended(pid: int) -> bool:
        del pid
        return True

else:

    def _command_lines() -> Iterator[tuple[int, str]]:
        command = ["/bin/ps", "-axww", "-o", "pid=,args="]
        shown = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        for line in shown.stdout.splitlines():
            pid, _, arguments = line.strip().partition(" ")
            yield int(pid), arguments.rstrip()

    def _has_ended(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False


class MongodProcess:
    """A running mongod of this server. On Linux it gets SIGTERM when the thread that started it ends for any reason."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take over a process that was just started."""
        self._process = process

    @classmethod
    async def start(cls, program: Path, layout: Layout) -> "MongodProcess":
        """Start ``program`` with the configuration in ``layout``. Raises OSError when its log cannot be opened."""
        command = [str(program), "--config", str(layout.config_file)]
        if sys.platform != "win32":
            command = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), *command]
        log = logfile.open_for_append(layout.log_file)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C goes to all processes of the terminal's group. mongod must still run while the server stops
                # cleanly.
                start_new_session=True,
            )
        finally:
            os.close(log)
        return cls(process)

    @property
    def pid(self) -> int:
        """The process id of mongod itself: the launcher replaces itself by mongod."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal, or ``None`` while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Return its exit code when it has ended."""
        return await self._process.wait()

    async def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """Stop it cleanly, or by force when it has not ended after ``seconds``."""
        if self.exit_code is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self.wait(), seconds)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self.wait()

    def reopen_log(self) -> None:
        """Make it open a new log file after the old one was moved aside."""
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGUSR1)


async def stop_leftover(layout: Layout, *, seconds: float = STOP_SECONDS) -> list[int]:
    """Stop every mongod that a killed server left on this directory, and return their process ids: none or one.

    Call it only while holding the directory's lock. Then no running server can be using that mongod.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    found = left = await asyncio.to_thread(_leftovers, layout)
    _signal(left, signal.SIGTERM)
    while left := [pid for pid in left if not _has_ended(pid)]:
        if loop.time() > deadline and sys.platform != "win32":
            _signal(left, signal.SIGKILL)
        await asyncio.sleep(_POLL_SECONDS)
    return found


def _leftovers(layout: Layout) -> list[int]:
    # Identify it by the command line, not by a process id in a file: ids are reused, and a file is written too late.
    ending = f" --config {layout.config_file}"
    return [pid for pid, line in _command_lines() if line.endswith(ending)]


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
