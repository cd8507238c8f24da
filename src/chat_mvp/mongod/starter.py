"""From files on disk to a mongod that takes writes, once; whoever wants it alive for longer calls this again."""

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

START_SECONDS = 60.0
"""A clean start takes under a second; recovery from a long journal on a slow disk is what the rest is for."""

_LISTENING = "Waiting for connections"
_LAST_WORDS_SECONDS = 0.5
_POLL_SECONDS = 0.01


class PortTakenError(Exception):
    """Another program listens on the port."""


@dataclass(frozen=True)
class Starter:
    """All that is needed to start the mongod of one data directory, on whatever port."""

    program: Path
    layout: Layout
    credentials: Credentials
    cache_gb: float
    start_seconds: float = START_SECONDS

    async def start(self, port: int) -> MongodProcess:
        """Start mongod on ``port`` and return it once it takes writes; on any failure nothing is left running.

        Raises PortTakenError, StartupError that says what mongod's log says, or OSError when a file of its own is in
        the way.
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
                # A mongod that ended breaks the conversation with it first; its end is the better explanation.
                await asyncio.wait({ended}, timeout=_LAST_WORDS_SECONDS)
            if ended.done():
                raise self._early_end(offset, ended.result())
            if not primary.done():
                raise self._refused(f"it was not ready after {self.start_seconds:g} s")
            primary.result()
        finally:
            for task in (primary, ended):
                task.cancel()
            await asyncio.wait({primary, ended})

    async def _make_primary(self, port: int, offset: int) -> None:
        # Only its own log tells that it is ours that listens: on a port taken in the last moment, it would be a
        # stranger that is made primary and given our password.
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
        said = logfile.failure(log, offset)
        return self._refused(f"{said} ({ending})" if said else ending)

    def _refused(self, reason: str) -> StartupError:
        return StartupError(
            f"The database ({self.program}) did not start: {reason.rstrip('.')}.",
            remedy=f"Its log is {self.layout.log_file}; a MongoDB of your own can be given with --mongo-uri.",
        )
