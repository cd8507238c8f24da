"""The embedded replica set as the rest of the program sees it: started, supervised, stopped."""

import asyncio
import contextlib
import logging
from pathlib import Path

from chat_mvp.errors import StartupError
from chat_mvp.mongod import credentials, logfile, ports
from chat_mvp.mongod.config import HOST
from chat_mvp.mongod.discover import find_mongod
from chat_mvp.mongod.layout import Layout, check_free_space, prepare
from chat_mvp.mongod.lock import DirectoryLock
from chat_mvp.mongod.process import MongodProcess, stop_leftover
from chat_mvp.mongod.starter import PortTakenError, Starter
from chat_mvp.supervision import cancel

_LOG = logging.getLogger(__name__)

_FIRST_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 5.0
_STEADY_SECONDS = 30.0
"""A mongod that ran this long was healthy. When it ends, the back-off starts again from the beginning."""
_LOG_CHECK_SECONDS = 30.0
_PORT_ATTEMPTS = 5


class EmbeddedMongo:
    """A replica set of one member, on loopback. It is restarted whenever it ends before ``stop`` is called.

    It belongs to the event loop that started it. ``uri`` contains the password and is for drivers only. ``repr`` does
    not show it.
    """

    def __init__(
        self,
        *,
        starter: Starter,
        process: MongodProcess,
        port: int,
        lock: DirectoryLock,
        log_limit: int,
        log_check_seconds: float,
    ) -> None:
        """Take over a mongod that accepts writes, and supervise it from now on."""
        self.port = port
        self.restarts = 0
        self._starter = starter
        self._process = process
        self._lock = lock
        self._log_limit = log_limit
        self._log_check_seconds = log_check_seconds
        self._supervision = asyncio.create_task(self._supervise(), name="mongod supervision")
        self._stopped: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<EmbeddedMongo {HOST}:{self.port} pid={self.pid}>"

    @property
    def uri(self) -> str:
        """The URI for drivers, with credentials. It is the same at every start unless the port was taken."""
        return self._starter.credentials.uri(self.port)

    @property
    def pid(self) -> int:
        """The process id of the mongod that runs now, or that ran last."""
        return self._process.pid

    @property
    def log_file(self) -> Path:
        """Where mongod writes its log."""
        return self._starter.layout.log_file

    async def stop(self) -> None:
        """Stop the supervision, then mongod, then release the data directory. Later calls wait for the first one."""
        if self._stopped is None:
            self._stopped = asyncio.create_task(self._stop(), name="mongod stop")
        await asyncio.shield(self._stopped)

    async def wait(self) -> None:
        """Return when the replica set has been stopped and will not be restarted."""
        await asyncio.wait({self._supervision})
        if self._stopped is not None:
            await asyncio.shield(self._stopped)

    async def _stop(self) -> None:
        await cancel([self._supervision])
        try:
            await self._process.stop()
        finally:
            self._lock.release()

    async def _supervise(self) -> None:
        loop = asyncio.get_running_loop()
        backoff = _FIRST_BACKOFF_SECONDS
        while True:
            since = loop.time()
            code = await self._watch()
            if loop.time() - since >= _STEADY_SECONDS:
                backoff = _FIRST_BACKOFF_SECONDS
            _LOG.warning("The database process %d ended with code %d. Starting it again.", self.pid, code)
            while True:
                try:
                    # Always use the same port: every client in this process has this address.
                    self._process = await self._starter.start(self.port)
                    break
                except PortTakenError:
                    _LOG.error("Port %d of the database was taken while it was down. Trying again.", self.port)
                except (StartupError, OSError) as error:
                    _LOG.error("The database could not be restarted. Trying again. %s", error)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF_SECONDS)
            self.restarts += 1
            _LOG.warning("The database runs again as process %d.", self.pid)

    async def _watch(self) -> int:
        """Return mongod's exit code when it has ended. Until then keep its log within its limit."""
        while True:
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(self._process.wait(), self._log_check_seconds)
            try:
                if logfile.rotate(self.log_file, self._log_limit):
                    self._process.reopen_log()
            except OSError as error:
                _LOG.warning("The database's log could not be rotated: %s", error)


async def start_embedded(
    data_dir: Path,
    *,
    cache_gb: float = 0.25,
    log_limit: int = logfile.LOG_LIMIT_BYTES,
    log_check_seconds: float = _LOG_CHECK_SECONDS,
) -> EmbeddedMongo:
    """Start the replica set in ``data_dir``, created there if there is none, and return it ready for writes.

    ``cache_gb`` limits the database's own cache, in GiB. ``log_limit`` limits its log, in bytes, checked every
    ``log_check_seconds``. On Linux mongod ends when the thread that called this ends, so call it in a thread that
    lasts. Raises StartupError, and leaves nothing running, when the directory cannot be used or belongs to another
    running server, or when no mongod can be found or started.
    """
    layout = await asyncio.to_thread(prepare, data_dir)
    check_free_space(layout.db_dir)
    lock = DirectoryLock.acquire(layout.lock_file)
    try:
        starter = Starter(
            program=(await find_mongod()).program,
            layout=layout,
            credentials=await asyncio.to_thread(credentials.load_or_create, layout),
            cache_gb=cache_gb,
        )
        port, process = await _start_on_some_port(starter, layout)
    except OSError as error:
        lock.release()
        reason = f"{error.filename or layout.data_dir}: {(error.strerror or type(error).__name__).lower()}"
        raise StartupError(
            f"A file of the database cannot be read or written: {reason}.",
            remedy="Check that it belongs to you and that its disk has space, or choose another --data-dir.",
        ) from error
    except BaseException:
        lock.release()
        raise
    return EmbeddedMongo(
        starter=starter,
        process=process,
        port=port,
        lock=lock,
        log_limit=log_limit,
        log_check_seconds=log_check_seconds,
    )


async def _start_on_some_port(starter: Starter, layout: Layout) -> tuple[int, MongodProcess]:
    # Do this first, because the mongod of a killed server still has the port.
    for pid in await stop_leftover(layout):
        _LOG.warning("Stopped the database process %d that a killed server had left behind.", pid)
    port = ports.choose(ports.remembered(layout.port_file))
    for _ in range(_PORT_ATTEMPTS):
        # Store the port before it is used. Otherwise a first start that is interrupted would be repeated on another
        # port.
        ports.remember(layout.port_file, port)
        try:
            return port, await starter.start(port)
        except PortTakenError:
            # Another program took the port between the check and mongod's own attempt.
            port = ports.choose(None, avoid=port)
    raise StartupError(
        f"Other programs took every port that was tried for the database on {HOST}.",
        remedy="Try again, or give a running MongoDB with --mongo-uri.",
    )
