"""The embedded replica set as the rest of the program sees it: started, watched, stopped."""

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

_LOG = logging.getLogger(__name__)

_FIRST_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 5.0
_STEADY_SECONDS = 30.0
"""A mongod that lived this long was well; its end is a first one, not one of a series."""
_LOG_CHECK_SECONDS = 30.0
_PORT_ATTEMPTS = 5


class EmbeddedMongo:
    """A replica set of one, on loopback, that is started again whenever it ends before ``stop`` was called.

    It belongs to the event loop that started it. ``uri`` carries the password and is for drivers only; the object's
    own representation does not show it.
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
        """Take over a mongod that takes writes, and watch it from now on."""
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
        """The address for drivers, with credentials. The same from start to start unless the port was taken."""
        return self._starter.credentials.uri(self.port)

    @property
    def pid(self) -> int:
        """The process id of the mongod that runs now, or ran last."""
        return self._process.pid

    @property
    def log_file(self) -> Path:
        """Where mongod writes its log."""
        return self._starter.layout.log_file

    async def stop(self) -> None:
        """End supervision, then mongod, then give the data directory free. Calling it again waits for the same end."""
        if self._stopped is None:
            self._stopped = asyncio.create_task(self._stop(), name="mongod stop")
        await asyncio.shield(self._stopped)

    async def wait(self) -> None:
        """Return once the replica set has been stopped for good."""
        await asyncio.wait({self._supervision})
        if self._stopped is not None:
            await asyncio.shield(self._stopped)

    async def _stop(self) -> None:
        self._supervision.cancel()
        await asyncio.wait({self._supervision})
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
            _LOG.warning("The database process %d ended with code %d; starting it again.", self.pid, code)
            while True:
                try:
                    # On the same port whatever happens: every client in this process knows it by that address.
                    self._process = await self._starter.start(self.port)
                    break
                except PortTakenError:
                    _LOG.error("Port %d of the database was taken while it was down; trying again.", self.port)
                except (StartupError, OSError) as error:
                    _LOG.error("The database could not be started again; trying again. %s", error)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF_SECONDS)
            self.restarts += 1
            _LOG.warning("The database runs again as process %d.", self.pid)

    async def _watch(self) -> int:
        """Return mongod's exit code once it has ended; until then keep its log within bounds."""
        while True:
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(self._process.wait(), self._log_check_seconds)
            try:
                if logfile.rotate(self.log_file, self._log_limit):
                    self._process.reopen_log()
            except OSError as error:
                _LOG.warning("The database's log could not be moved aside: %s", error)


async def start_embedded(
    data_dir: Path,
    *,
    cache_gb: float = 0.25,
    log_limit: int = logfile.LOG_LIMIT_BYTES,
    log_check_seconds: float = _LOG_CHECK_SECONDS,
) -> EmbeddedMongo:
    """Start the replica set that lives in ``data_dir``, made there when there is none, and return it ready for writes.

    ``cache_gb`` bounds the database's own cache, in GiB; ``log_limit`` its log, in bytes, looked at every
    ``log_check_seconds``. On Linux mongod is told to end when the thread that called this ends, so call it in one that
    lasts. Raises StartupError, and leaves nothing running, when the directory cannot be used or belongs to another
    living server, or no mongod can be found or started.
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
            remedy="See to it that it belongs to you and that its disk has space, or choose another --data-dir.",
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
    # First, since what is left from a killed server still has the port.
    for pid in await stop_leftover(layout):
        _LOG.warning("Ended the database process %d that a killed server had left behind.", pid)
    port = ports.choose(ports.remembered(layout.port_file))
    for _ in range(_PORT_ATTEMPTS):
        # Before it is used: a first start that is cut off would otherwise be repeated under another address.
        ports.remember(layout.port_file, port)
        try:
            return port, await starter.start(port)
        except PortTakenError:
            # Taken between the look and mongod's own attempt.
            port = ports.choose(None, avoid=port)
    raise StartupError(
        f"Every port tried for the database on {HOST} was taken in the moment it was started.",
        remedy="Try again, or give a running MongoDB with --mongo-uri.",
    )
