"""The real program in a separate process, started as a user would start it."""

import asyncio
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

PROGRAM = "chat_mvp"
QUICK_HASHES = "tests.support.quick_hashes"
ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 15.0

_LOG_TAIL_LINES = 60
_TROUBLE = re.compile(r"Traceback \(most recent call last\)")


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that is not in use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Server:
    """``python -m chat_mvp serve`` on a free port, with a database and a data directory of its own.

    Without ``mongo_uri`` it brings its own mongod, as on a first run. ``settings`` are names as in the documentation
    without the prefix: ``Server(..., settings={"LOG_FORMAT": "json"})``. ``module=QUICK_HASHES`` makes its password
    hashes cheap.
    Nothing here is bound to an event loop, so a server may outlive the loop of the test that started it.
    """

    def __init__(
        self, *, mongo_uri: str | None, directory: Path, settings: dict[str, str] | None = None, module: str = PROGRAM
    ) -> None:
        self.port = free_port()
        self.mongo_uri = mongo_uri
        self.database = f"chat_{secrets.token_hex(6)}"
        self.data_dir = directory / "data"
        self.log_path = directory / "server.log"
        self._module = module
        self._settings = {"RATE_LIMITS": "off", "MONGO_DATABASE": self.database} | (settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was never started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    @property
    def log_tail(self) -> str:
        return "\n".join(self.log.splitlines()[-_LOG_TAIL_LINES:])

    async def start(self) -> None:
        """Start the program and return when it says it is ready."""
        assert not self.running, "the server runs already"
        self._spawn()
        await self._ready()

    async def stop(self) -> int:
        """Ask it to stop with SIGTERM and return its exit code; a server that does not obey is killed and an error."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return await self.exited()

    async def exited(self, within: float = STOP_WITHIN_S) -> int:
        """Wait until the process has ended and return its exit code."""
        assert self._process is not None
        deadline = time.monotonic() + within
        while (code := self._process.poll()) is None:
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the server did not exit within {within} s\n{self.log_tail}")
            await asyncio.sleep(0.02)
        return code

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> None:
        """Send SIGTERM and return at once."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    async def restart(self) -> None:
        """Start it again on the same port, database and data directory, after a stop or a kill."""
        if self.running:
            await self.stop()
        await self.start()

    async def crash_and_restart(self) -> None:
        """``kill -9``, then start again."""
        self.kill()
        await self.start()

    def check_log(self) -> None:
        """Fail when the program logged a traceback: whatever clients do, that is a fault of ours."""
        found = _TROUBLE.search(self.log)
        assert found is None, f"the server logged a traceback:\n{self.log[max(0, found.start() - 500) :][:6000]}"

    def mongod_pids(self) -> list[int]:
        """Return the process ids of the mongod that this server started in its data directory."""
        listing = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
        lines = [line.split(maxsplit=1) for line in listing.splitlines() if str(self.data_dir) in line]
        return [int(pid) for pid, command in lines if Path(command.split()[0]).name.startswith("mongod")]

    def _spawn(self) -> None:
        command = [sys.executable, "-m", self._module, "serve", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--data-dir", str(self.data_dir)]
        if self.mongo_uri is not None:
            command += ["--mongo-uri", self.mongo_uri]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment(self._settings), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    async def _ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
            while True:
                assert self.running, f"the server ended while it started\n{self.log_tail}"
                try:
                    if (await client.get(f"{self.origin}/health/ready")).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass
                if time.monotonic() > deadline:
                    self.kill()
                    raise AssertionError(f"the server was not ready after {READY_WITHIN_S} s\n{self.log_tail}")
                await asyncio.sleep(0.05)


def environment(settings: dict[str, str]) -> dict[str, str]:
    """Return this process's environment with the program's own settings replaced by ``settings``."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CHAT_MVP_")}
    return inherited | {f"CHAT_MVP_{name}": value for name, value in settings.items()}
