"""Limits how much is read from one peer at a time, and decides when reading stops."""

import asyncio
import time
from typing import Protocol

from uvicorn.protocols.http.flow_control import FlowControl

from chat_mvp.limits import READ_BYTES

SMALL_BYTES = 1024
"""So few bytes are always cheap, whatever they contain."""
CHEAP_S = 0.002
PAUSE_FACTOR = 5
LONGEST_PAUSE_S = 0.5
"""After data that takes more than ``CHEAP_S`` of processor time to parse, reading pauses for a multiple of that time.

So one connection that sends thousands of pings or chunks takes a sixth of the server's time, not all of it.
"""

YIELD = "other connections are read first"
APPLICATION = "the application is busy"
UNREAD = "the peer does not read"
"""Reasons to stop reading from a peer."""


class ReadBuffer:
    """The buffer into which all connections of one event loop read. Its data is handled before the next read."""

    __slots__ = ("view",)

    def __init__(self, size: int = READ_BYTES) -> None:
        """Allocate it."""
        self.view = memoryview(bytearray(size))


class Reading:
    """Stops and resumes reading from one transport. It reads while there is no reason to stop."""

    __slots__ = ("_loop", "_reasons", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Control a transport that is being read from."""
        self._transport = transport
        self._loop = loop
        self._reasons: tuple[str, ...] = ()

    def stop(self, reason: str) -> None:
        """Stop reading until ``resume`` is called with the same reason."""
        if reason not in self._reasons:
            self._reasons = (*self._reasons, reason)
            if len(self._reasons) == 1 and not self._transport.is_closing():
                self._transport.pause_reading()

    def resume(self, reason: str) -> None:
        """Remove this reason. Resume reading if no other reason is left."""
        if reason in self._reasons:
            self._reasons = tuple(other for other in self._reasons if other != reason)
            if not self._reasons and not self._transport.is_closing():
                self._transport.resume_reading()

    def let_others_read(self, pause_s: float = 0.0) -> None:
        """Continue to read after a pause, at the earliest in the next iteration of the event loop."""
        if YIELD not in self._reasons:
            self.stop(YIELD)
            self._loop.call_later(pause_s, self.resume, YIELD)

    def release(self) -> None:
        """Remove all reasons, because another protocol takes over."""
        for reason in self._reasons:
            self.resume(reason)

    @property
    def is_stopped(self) -> bool:
        """Return whether the server itself makes the peer wait."""
        return bool(self._reasons)


class ApplicationFlow(FlowControl):
    """Uvicorn's flow control of one connection. ``Reading`` makes the final decision whether to read."""

    def __init__(self, transport: asyncio.Transport, reading: Reading) -> None:
        """Control one connection."""
        super().__init__(transport)
        self._reading = reading

    def pause_reading(self) -> None:
        """Stop reading while the application is behind."""
        self.read_paused = True
        self._reading.stop(APPLICATION)

    def resume_reading(self) -> None:
        """Continue to read."""
        self.read_paused = False
        self._reading.resume(APPLICATION)


class Paced(Protocol):
    """A protocol that reads through a ``PacedReader``."""

    reading: Reading

    def data_received(self, data: bytes) -> None:
        """Handle the data that was read."""
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
    """A protocol between a transport and the real protocol. It reads at most one ``ReadBuffer``, then lets others read.

    Event loops otherwise read up to 256 KB at once, which can be tens of thousands of frames or headers.
    """

    __slots__ = ("_buffer", "_protocol")

    def __init__(self, protocol: Paced, buffer: ReadBuffer) -> None:
        """Read for ``protocol`` into ``buffer``."""
        self._protocol = protocol
        self._buffer = buffer.view

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  (the buffer has a fixed size)
        """Return the buffer to read into."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on the data that was read."""
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
        """Pass the call on."""
        self._protocol.connection_lost(exc)

    def eof_received(self) -> bool | None:
        """Pass the call on."""
        return self._protocol.eof_received()

    def pause_writing(self) -> None:
        """Pass the call on."""
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass the call on."""
        self._protocol.resume_writing()
