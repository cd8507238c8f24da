"""One embedded replica set for a whole test session."""

import asyncio
import threading
from pathlib import Path
from typing import Any


class MongoThread:
    """Runs the program's own mongod in a thread with an event loop of its own.

    The supervisor of the embedded mongod belongs to one event loop for its whole life, while each test has a loop
    of its own; a thread keeps the two apart.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mongod", daemon=True)
        self._mongo: Any = None

    def start(self) -> str:
        """Start it and return its URI; the replica set has a primary by then."""
        from chat_mvp.mongod import start_embedded  # noqa: PLC0415 - only tests with a database need it

        self._thread.start()
        self._mongo = asyncio.run_coroutine_threadsafe(start_embedded(self._directory), self._loop).result(60)
        uri: str = self._mongo.uri
        return uri

    def stop(self) -> None:
        """Stop mongod, then the loop and the thread."""
        if self._mongo is not None:
            asyncio.run_coroutine_threadsafe(self._mongo.stop(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
