"""Starting and stopping one mongod process, and ending one that a killed server left behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from chat_mvp.mongod import launch, logfile
from chat_mvp.mongod.layout import Layout

STOP_SECONDS = 10.0
"""A clean end takes well under a second; after this mongod is killed, which costs a recovery and loses nothing."""

_POLL_SECONDS = 0.02

if sys.platform == "linux":

    def _arguments(pid: int) -> list[str]:
        try:
            # Empty for one that has ended and whose parent has not noticed yet, which is what callers want to hear.
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "surrogateescape").split("\0")
        except OSError:
            return []

elif sys.platform == "win32":

    def _arguments(pid: int) -> list[str]:
        del pid  # nothing tells here; a mongod that still lives holds its own lock, and its log says so
        return []

else:

    def _arguments(pid: int) -> list[str]:
        command = ["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)]
        shown = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        return [shown.stdout.rstrip("\n").partition(" --config ")[2]]


class MongodProcess:
    """A running mongod of ours. On Linux it gets SIGTERM when the thread that started it ends, however it ends."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take over a process that has just been started."""
        self._process = process

    @classmethod
    async def start(cls, program: Path, layout: Layout) -> "MongodProcess":
        """Start ``program`` with the configuration in ``layout``. Raises OSError when it cannot be run."""
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
                # Ctrl-C goes to everything in the terminal's group; mongod must outlive the server's own clean end.
                start_new_session=True,
            )
        finally:
            os.close(log)
        return cls(process)

    @property
    def pid(self) -> int:
        """The process id, of mongod itself: what starts it replaces itself by it."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Return its exit code once it has ended."""
        return await self._process.wait()

    async def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """End it cleanly, and by force when it has not ended after ``seconds``."""
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
        """Make it go on in a new log file where the old one was moved aside."""
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGUSR1)


async def stop_leftover(layout: Layout, *, seconds: float = STOP_SECONDS) -> int | None:
    """End the mongod that a killed server left on this directory; return its process id, or None if there was none.

    Call it only while holding the directory's lock: then no living server can be using that mongod.
    """
    pid = _leftover(layout)
    if pid is None:
        return None
    deadline = asyncio.get_running_loop().time() + seconds
    _signal(pid, signal.SIGTERM)
    while _leftover(layout) == pid:
        if asyncio.get_running_loop().time() > deadline:
            _signal(pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        await asyncio.sleep(_POLL_SECONDS)
    return pid


def _leftover(layout: Layout) -> int | None:
    """Return the process id in mongod's own lock file when that process is a mongod with our configuration file."""
    try:
        text = (layout.db_dir / "mongod.lock").read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    # A process id is used again after a restart of the machine: only the command line tells whose it is.
    if text.isdigit() and str(layout.config_file) in _arguments(int(text)):
        return int(text)
    return None


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
