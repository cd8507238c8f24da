"""Reads for many callers with one query, as the writer commits for many callers with one transaction.

While one query is running, the keys of new callers gather for the next one. There is no timer: a single caller gets its
result at once, and under load batches grow automatically.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class _Batch(Generic[_Key, _Value]):
    """The keys of one query, and the callers who wait for its result."""

    def __init__(self) -> None:
        """Start without keys."""
        self.keys: set[_Key] = set()
        self.waiting: list[asyncio.Future[Mapping[_Key, _Value]]] = []

    def join(self, keys: Sequence[_Key]) -> asyncio.Future[Mapping[_Key, _Value]]:
        """Return the future result of the query, which contains these keys. A caller may cancel it: it is its own."""
        self.keys.update(keys)
        result: asyncio.Future[Mapping[_Key, _Value]] = asyncio.get_running_loop().create_future()
        self.waiting.append(result)
        return result

    def is_awaited(self) -> bool:
        """Return whether a caller still waits. The clients of all of them may have disconnected meanwhile."""
        return any(not result.done() for result in self.waiting)

    def succeed(self, found: Mapping[_Key, _Value]) -> None:
        """Give the result to all callers who still wait."""
        for result in self.waiting:
            if not result.done():
                result.set_result(found)

    def fail(self, error: Exception) -> None:
        """Give the error to all callers who still wait."""
        for result in self.waiting:
            if not result.done():
                result.set_exception(error)

    def cancel(self) -> None:
        """Cancel all callers who still wait."""
        for result in self.waiting:
            result.cancel()


class SharedReads(Generic[_Key, _Value]):
    """Gathers keys and reads them together, at most ``max_keys`` at once and one query at a time.

    A caller gets nothing that was read before it called: it never joins a query that is already running. So a caller
    that has subscribed to events before may use the result as a snapshot.
    """

    def __init__(self, read: Callable[[Sequence[_Key]], Awaitable[Mapping[_Key, _Value]]], *, max_keys: int) -> None:
        """Read with ``read``, which returns the values by key."""
        self._read = read
        self._most = max_keys
        self._waiting: deque[_Batch[_Key, _Value]] = deque()
        self._reader: asyncio.Task[None] | None = None

    async def fetch(self, keys: Collection[_Key]) -> dict[_Key, _Value]:
        """Return the values that exist, by key. Raises the error of the query for each of its callers."""
        wanted = list(dict.fromkeys(keys))
        found: dict[_Key, _Value] = {}
        for start in range(0, len(wanted), self._most):
            found |= await self._fetch(wanted[start : start + self._most])
        return found

    async def fetch_one(self, key: _Key) -> _Value | None:
        """Return the value of one key, or ``None``."""
        return (await self._fetch([key])).get(key)

    async def _fetch(self, keys: Sequence[_Key]) -> dict[_Key, _Value]:
        batch = self._waiting[-1] if self._waiting else None
        if batch is None or len(batch.keys) + len(keys) > self._most:
            batch = _Batch()
            self._waiting.append(batch)
        result = batch.join(keys)
        if self._reader is None:
            self._reader = asyncio.get_running_loop().create_task(self._read_all(), name="shared reads")
        found = await result
        return {key: found[key] for key in keys if key in found}

    async def _read_all(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting.popleft()
                if not batch.is_awaited():
                    continue
                try:
                    batch.succeed(await self._read(list(batch.keys)))
                except Exception as error:  # noqa: BLE001  (each caller must get the error)
                    batch.fail(error)
        finally:
            self._reader = None
            for batch in self._waiting:
                # Only happens when the program ends.
                batch.cancel()
