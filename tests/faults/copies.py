"""Two processes that run the consumer of ``copier.py``, one of which has the lease; killed again and again."""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chat_mvp.storage.client import Database, open_database
from chat_mvp.storage.messages import to_record
from tests.faults.copier import URI_VARIABLE, copy_of, state

KILL_EVERY_S = (2.0, 8.0)
AWAY_S = (0.0, 3.0)
COMPLETE_WITHIN_S = 90.0
KILLS = "kill -9 of a consumer"


class Copies:
    """The processes, and what came of their work."""

    def __init__(self, address: Callable[[], str | None], database: str, directory: Path) -> None:
        """``address`` returns the URI of MongoDB as it is now, or ``None`` while there is none."""
        self._address = address
        self._database = database
        self._log = directory / "copier.log"
        self._processes: list[subprocess.Popen[bytes] | None] = [None, None]

    def keep_running(self) -> None:
        """Start those that do not run, as a supervisor would."""
        uri = self._address()
        for number, process in enumerate(self._processes):
            if uri is not None and (process is None or process.poll() is not None):
                with self._log.open("ab") as log:
                    self._processes[number] = subprocess.Popen(
                        [sys.executable, "-m", "tests.faults.copier", self._database],
                        env=os.environ | {URI_VARIABLE: uri},
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                    )

    async def break_until(self, ends_at: float, chance: random.Random, killed: Callable[[], None]) -> None:
        """Kill one of the two now and then, and start it again after a while."""
        while time.monotonic() < ends_at:
            self.keep_running()
            await asyncio.sleep(chance.uniform(*KILL_EVERY_S))
            process = chance.choice(self._processes)
            if process is not None and time.monotonic() < ends_at:
                process.kill()
                process.wait()
                killed()
                await asyncio.sleep(chance.uniform(*AWAY_S))

    async def complaints(self) -> list[str]:
        """Wait until the copy is complete; return what it lacks after a while, and whatever went wrong on the way."""
        self.kill()
        deadline = time.monotonic() + COMPLETE_WITHIN_S
        differences, noted = ["the consumers never ran"], list[str]()
        while differences and time.monotonic() < deadline:
            self.keep_running()
            await asyncio.sleep(1.0)
            uri = self._address()
            if uri is not None:
                database = await open_database(uri, self._database, queue_ttl_days=30)
                try:
                    differences = await _differences(database)
                    noted = await _noted(database)
                finally:
                    await database.close()
        # The first start rebuilds, also several times when it is killed meanwhile. Nothing else may.
        lost = self._log.read_text(encoding="utf-8", errors="replace").count("events_lost")
        return [*differences, *noted, *([f"a consumer lost its cursor {lost} times"] if lost else [])]

    def kill(self) -> None:
        """End both processes with SIGKILL."""
        for process in self._processes:
            if process is not None:
                process.kill()
                process.wait()


async def _differences(database: Database) -> list[str]:
    stored = {str(it["_id"]): state(to_record(it).message) async for it in database.collections["messages"].find()}
    copied: dict[str, Any] = {it["_id"]: it["state"] async for it in copy_of(database)["messages"].find()}
    wrong = sorted(key for key in stored.keys() | copied.keys() if stored.get(key) != copied.get(key))
    if not wrong:
        return []
    first = wrong[0]
    count = f"{len(wrong)} of {len(stored)} messages"
    return [f"a consumer's copy differs in {count}; copied {copied.get(first)}, stored {stored.get(first)}"]


async def _noted(database: Database) -> list[str]:
    noted = [f"a consumer missed events: {note['where']}" async for note in copy_of(database)["notes"].find()]
    set_aside = await database.collections["set_aside_events"].count_documents({})
    return [*noted, *([f"a consumer set {set_aside} events aside"] if set_aside else [])]
