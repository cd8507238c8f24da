"""Reading for many callers with one query: the reading twin of committing in groups.

While one query is under way, the keys of those who ask gather for the next one. There is no timer: a lone caller is
served at once, and under load batches grow by themselves.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class _Batch(Generic[_Value]):
    """The keys of one query, and its result."""

    def __init__(self) -> None:
        """Begin without keys."""
        self.keys: set[str] = set()
        self.found: asyncio.Future[Mapping[str, _Value]] = asyncio.get_running_loop().create_future()
        # Every caller may have gone away meanwhile.
        self.found.add_done_callback(lambda found: found.cancelled() or found.exception())


class SharedReads(Generic[_Value]):
    """Gathers keys and reads them together, at most ``most`` at once and one query at a time.

    A caller gets nothing that was read before it asked: it never joins a query that is under way. Who has subscribed
    to events before may therefore take the result for a snapshot.
    """

    def __init__(self, read: Callable[[Sequence[str]], Awaitable[Mapping[str, _Value]]], *, most: int) -> None:
        """Read with ``read``, which returns what it found by key."""
        self._read = read
        self._most = most
        self._waiting: deque[_Batch[_Value]] = deque()
        self._reader: asyncio.Task[None] | None = None

    async def fetch(self, keys: Collection[str]) -> dict[str, _Value]:
        """Return what is found, by key; what the query raises, for each of its callers."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, _Value] = {}
        for start in range(0, len(wanted), self._most):
            found |= await self._fetch(wanted[start : start + self._most])
        return found

    async def fetch_one(self, key: str) -> _Value | None:
        """Return what is found for one key."""
        return (await self._fetch([key])).get(key)

    async def _fetch(self, keys: Sequence[str]) -> dict[str, _Value]:
        batch = self._waiting[-1] if self._waiting else None
        if batch is None or len(batch.keys) + len(keys) > self._most:
            batch = _Batch()
            self._waiting.append(batch)
        batch.keys.update(keys)
        if self._reader is None:
            self._reader = asyncio.get_running_loop().create_task(self._read_on(), name="shared reads")
        # Shielded: a caller that is cancelled must not take the result from the others.
        found = await asyncio.shield(batch.found)
        return {key: found[key] for key in keys if key in found}

    async def _read_on(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting.popleft()
                try:
                    batch.found.set_result(await self._read(list(batch.keys)))
                except Exception as error:  # noqa: BLE001 - each of the callers must hear of it
                    batch.found.set_exception(error)
        finally:
            self._reader = None
            for batch in self._waiting:
                # Only where the program ends.
                batch.found.cancel()
