"""How much is read from one peer at a time, and when reading stops."""

import asyncio
import time
from typing import Protocol

from uvicorn.protocols.http.flow_control import FlowControl

from chat_mvp.limits import READ_BYTES

SMALL_BYTES = 1024
"""So few bytes cannot cost much, whatever they are."""
CHEAP_S = 0.002
PAUSE_FACTOR = 5
LONGEST_PAUSE_S = 0.5
"""What takes longer to parse than ``CHEAP_S`` of the processor is followed by a pause of so many times what it took.

So one connection that sends thousands of pings or chunks takes a sixth of the server's time, not all of it.
"""

YIELD = "others have their turn"
APPLICATION = "the application has enough to do"
UNREAD = "the peer does not read"
"""Reasons to read no more from a peer."""


class ReadBuffer:
    """The buffer into which every connection of one event loop reads. What is in it is handled before the next read."""

    __slots__ = ("view",)

    def __init__(self, size: int = READ_BYTES) -> None:
        """Allocate it."""
        self.view = memoryview(bytearray(size))


class Reading:
    """Stops and resumes reading from one transport; it is read from while there is no reason not to."""

    __slots__ = ("_loop", "_reasons", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Belong to a transport that is being read from."""
        self._transport = transport
        self._loop = loop
        self._reasons: tuple[str, ...] = ()

    def stop(self, reason: str) -> None:
        """Read no more until ``resume`` is called with the same reason."""
        if reason not in self._reasons:
            self._reasons = (*self._reasons, reason)
            if len(self._reasons) == 1 and not self._transport.is_closing():
                self._transport.pause_reading()

    def resume(self, reason: str) -> None:
        """Take this reason away."""
        if reason in self._reasons:
            self._reasons = tuple(other for other in self._reasons if other != reason)
            if not self._reasons and not self._transport.is_closing():
                self._transport.resume_reading()

    def let_others_read(self, pause_s: float = 0.0) -> None:
        """Read on after a pause, at the earliest in the next turn of the event loop."""
        if YIELD not in self._reasons:
            self.stop(YIELD)
            self._loop.call_later(pause_s, self.resume, YIELD)

    def release(self) -> None:
        """Take every reason away, because another protocol takes over."""
        for reason in self._reasons:
            self.resume(reason)

    @property
    def is_stopped(self) -> bool:
        """Whether the server itself keeps the peer waiting."""
        return bool(self._reasons)


class ApplicationFlow(FlowControl):
    """Uvicorn's flow control of one connection, which shares the decision whether to read with ``Reading``."""

    def __init__(self, transport: asyncio.Transport, reading: Reading) -> None:
        """Belong to one connection."""
        super().__init__(transport)
        self._reading = reading

    def pause_reading(self) -> None:
        """Read no more while the application is behind."""
        self.read_paused = True
        self._reading.stop(APPLICATION)

    def resume_reading(self) -> None:
        """Read on."""
        self.read_paused = False
        self._reading.resume(APPLICATION)


class Paced(Protocol):
    """A protocol that reads through a ``PacedReader``."""

    reading: Reading

    def data_received(self, data: bytes) -> None:
        """Handle what was read."""
        ...

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.BaseProtocol``, as for the others."""
        ...

    def eof_received(self) -> bool | None:
        """See ``asyncio.BaseProtocol``."""
        ...

    def pause_writing(self) -> None:
        """See ``asyncio.BaseProtocol``."""
        ...

    def resume_writing(self) -> None:
        """See ``asyncio.BaseProtocol``."""
        ...


class PacedReader(asyncio.BufferedProtocol):
    """Stands between a transport and its protocol: reads at most one ``ReadBuffer``, then lets others read.

    Event loops otherwise read up to 256 KB at once, which can be tens of thousands of frames or headers.
    """

    __slots__ = ("_buffer", "_protocol")

    def __init__(self, protocol: Paced, buffer: ReadBuffer) -> None:
        """Read for ``protocol`` into ``buffer``."""
        self._protocol = protocol
        self._buffer = buffer.view

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the size is ours
        """Return where to read into."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what was read."""
        data = bytes(self._buffer[:nbytes])
        if nbytes < SMALL_BYTES:
            self._protocol.data_received(data)
            return
        began = time.thread_time()
        self._protocol.data_received(data)
        spent_s = time.thread_time() - began
        if spent_s > CHEAP_S:
            self._protocol.reading.let_others_read(min(spent_s * PAUSE_FACTOR, LONGEST_PAUSE_S))
        elif nbytes == len(self._buffer):
            self._protocol.reading.let_others_read()

    def connection_lost(self, exc: Exception | None) -> None:
        """Hand it on."""
        self._protocol.connection_lost(exc)

    def eof_received(self) -> bool | None:
        """Hand it on."""
        return self._protocol.eof_received()

    def pause_writing(self) -> None:
        """Hand it on."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Hand it on."""
        self._protocol.resume_writing()
