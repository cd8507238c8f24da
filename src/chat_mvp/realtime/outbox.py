"""The frames that wait to be sent on one connection: one queue, one writer, two limits, nothing silently dropped."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

Send = Callable[[Sequence[bytes]], Awaitable[None]]
SendNow = Callable[[Sequence[bytes]], bool]

_CHUNK_BYTES = 64 * 1024
"""How many bytes are passed to the socket at once. Small frames that wait together are sent together."""


class Outbox:
    """Frames for one connection, in the order in which they were pushed.

    Live frames count against the limits. When either limit is passed, ``on_overflow`` is called once and no more frames
    are accepted. The catch-up uses ``push_paced``, which waits for the reader instead. Frames pushed in one iteration
    of the event loop are sent together in the next, or earlier if they pass a limit. A task exists only while the
    outbox waits for a reader.
    """

    __slots__ = (
        "_bytes",
        "_closed",
        "_frames",
        "_max_bytes",
        "_max_frames",
        "_on_overflow",
        "_room",
        "_scheduled",
        "_send",
        "_send_now",
        "_task",
        "_waiting",
    )

    def __init__(
        self,
        send: Send,
        *,
        send_now: SendNow | None = None,
        max_frames: int,
        max_bytes: int,
        on_overflow: Callable[[], None],
    ) -> None:
        """Write through ``send``, which takes several frames at once and may wait for a slow reader.

        ``send_now`` does the same without waiting. When it returns false it has sent nothing, and ``send`` is used
        instead.
        """
        self._send = send
        self._send_now = send_now
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._on_overflow = on_overflow
        # A list, because an empty list is small and most connections have nothing waiting most of the time.
        self._frames: list[bytes] = []
        self._waiting = 0
        self._bytes = 0
        self._closed = False
        self._scheduled = False
        self._task: asyncio.Task[None] | None = None
        self._room: asyncio.Future[None] | None = None

    def push(self, data: bytes) -> None:
        """Queue a live frame. Give the connection up if it reads too slowly."""
        if self._is_full(len(data)):
            # A batch may push this much in one turn. Whether the peer reads too slowly, only the socket knows.
            self._write_now()
        if self._closed:
            return
        if self._is_full(len(data)):
            self.close()
            self._on_overflow()
            return
        self._queue(data)

    async def push_paced(self, data: bytes) -> None:
        """Queue a frame of the catch-up. Wait while the queue is half full. Return at once when closed."""
        while not self._closed and not self.has_room(len(data)):
            if not self._waiting:
                break
            self._room = asyncio.get_running_loop().create_future()
            await self._room
        if not self._closed:
            self._queue(data)

    async def flush(self) -> None:
        """Wait until everything queued has been passed to the socket."""
        self._write_now()
        if self._task is not None:
            await asyncio.wait([self._task])

    def close(self) -> None:
        """Drop the waiting frames and accept no more."""
        self._closed = True
        self._frames.clear()
        self._bytes = 0
        self._make_room()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    def detach(self) -> None:
        """Close the outbox, and drop its references to the connection."""
        self.close()
        self._on_overflow = _overflow_nothing

    @property
    def waiting(self) -> int:
        """Return how many frames wait."""
        return self._waiting

    def has_room(self, size: int) -> bool:
        """Return whether a frame of the catch-up with this many bytes need not wait."""
        return self._waiting * 2 < self._max_frames and (self._bytes + size) * 2 <= self._max_bytes

    def _is_full(self, size: int) -> bool:
        return self._waiting >= self._max_frames or self._bytes + size > self._max_bytes

    def _queue(self, data: bytes) -> None:
        self._frames.append(data)
        self._waiting += 1
        self._bytes += len(data)
        if self._task is None and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._write_now)

    def _write_now(self) -> None:
        self._scheduled = False
        try:
            while self._frames and self._task is None:
                chunk, size = self._take()
                if self._send_now is not None and self._send_now(chunk):
                    self._sent(chunk, size)
                else:
                    self._frames[:0] = chunk
                    self._task = asyncio.get_running_loop().create_task(self._write())
        except OSError:
            # The peer is gone. The task that reads from it notices this too.
            self.close()

    async def _write(self) -> None:
        try:
            while self._frames:
                chunk, size = self._take()
                await self._send(chunk)
                self._sent(chunk, size)
        except OSError:
            # The peer is gone. The task that reads from it notices this too.
            self.close()
        finally:
            self._task = None

    def _sent(self, chunk: list[bytes], size: int) -> None:
        self._waiting -= len(chunk)
        self._bytes -= size
        self._make_room()

    def _take(self) -> tuple[list[bytes], int]:
        size = count = 0
        while count < len(self._frames) and size < _CHUNK_BYTES:
            size += len(self._frames[count])
            count += 1
        chunk, self._frames = self._frames[:count], self._frames[count:]
        return chunk, size

    def _make_room(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None


def _overflow_nothing() -> None:
    """Do nothing, because the connection has ended."""
