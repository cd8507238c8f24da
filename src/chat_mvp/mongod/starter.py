"""Starts mongod from the files on disk until it accepts writes. It does not restart it: callers do that."""

import asyncio
import signal
from dataclasses import dataclass
from pathlib import Path

from chat_mvp.errors import StartupError
from chat_mvp.mongod import config, logfile
from chat_mvp.mongod.credentials import Credentials, write_private
from chat_mvp.mongod.initiate import ensure_primary
from chat_mvp.mongod.layout import Layout
from chat_mvp.mongod.process import MongodProcess
from chat_mvp.supervision import cancel

START_SECONDS = 60.0
"""A clean start takes under a second. The rest is for recovery from a long journal on a slow disk."""

_LISTENING = "Waiting for connections"
_LAST_WORDS_SECONDS = 0.5
_POLL_SECONDS = 0.01


class PortTakenError(Exception):
    """Another program listens on the port."""


@dataclass(frozen=True)
class Starter:
    """Everything that is needed to start the mongod of one data directory, on any port."""

    program: Path
    layout: Layout
    credentials: Credentials
    cache_gb: float
    start_seconds: float = START_SECONDS

    async def start(self, port: int) -> MongodProcess:
        """Start mongod on ``port`` and return it when it accepts writes. After a failure nothing is left running.

        Raises PortTakenError, StartupError with the reason from mongod's log, or OSError when one of its own files
        cannot be used.
        """
        layout = self.layout
        write_private(layout.config_file, config.render(layout, port=port, cache_gb=self.cache_gb))
        logfile.rotate(layout.log_file)
        offset = logfile.size(layout.log_file)
        process = await MongodProcess.start(self.program, layout)
        try:
            await self._until_primary(process, port, offset)
        except BaseException:
            await process.stop()
            raise
        return process

    async def _until_primary(self, process: MongodProcess, port: int, offset: int) -> None:
        primary = asyncio.create_task(self._make_primary(port, offset))
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({primary, ended}, timeout=self.start_seconds, return_when=asyncio.FIRST_COMPLETED)
            if primary.done() and primary.exception() is not None:
                # A mongod that ended first breaks the connection. Its end is the better explanation.
                await asyncio.wait({ended}, timeout=_LAST_WORDS_SECONDS)
            if ended.done():
                raise self._early_end(offset, ended.result())
            if not primary.done():
                raise self._refused(f"it was not ready after {self.start_seconds:g} s")
            primary.result()
        finally:
            await cancel((primary, ended))

    async def _make_primary(self, port: int, offset: int) -> None:
        # Only its own log proves that our mongod listens on the port. If another program had just taken the port, it
        # would be made primary and get our password.
        while not logfile.contains(self.layout.log_file, offset, _LISTENING):  # noqa: ASYNC110  (another process writes it)
            await asyncio.sleep(_POLL_SECONDS)
        await ensure_primary(port, self.credentials)

    def _early_end(self, offset: int, code: int) -> Exception:
        log = self.layout.log_file
        if logfile.contains(log, offset, "Address already in use"):
            return PortTakenError()
        if code == -signal.SIGILL:
            return self._refused("this processor lacks instructions (AVX) that MongoDB 5.0 and later need")
        ending = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        reason = logfile.failure(log, offset)
        return self._refused(f"{reason} ({ending})" if reason else ending)

    def _refused(self, reason: str) -> StartupError:
        return StartupError(
            f"The database ({self.program}) did not start: {reason.rstrip('.')}.",
            remedy=f"See its log {self.layout.log_file}, or give a MongoDB of your own with --mongo-uri.",
        )
