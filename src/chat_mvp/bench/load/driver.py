"""The load generator's connection to the driver."""

import asyncio
import sys

import msgspec

from chat_mvp.bench.orders import AnyOrder, Event, Moment, Progress


class Driver:
    """Sends events to the driver. The order is read before the event loop starts, the driver's answers afterwards."""

    def __init__(self) -> None:
        """Use standard input and output."""
        self._input = sys.stdin.buffer
        self._output = sys.stdout.buffer

    def read_order(self) -> AnyOrder:
        """Return the order."""
        order: AnyOrder = msgspec.json.decode(self._input.readline(), type=AnyOrder)
        return order

    def tell(self, event: Event) -> None:
        """Write one event."""
        self._output.write(msgspec.json.encode(event) + b"\n")
        self._output.flush()

    def progress(self, done: int) -> None:
        """Report the progress."""
        self.tell(Progress(done=done))

    async def moment(self, name: str) -> None:
        """Announce this moment, and return when the driver has read the clocks."""
        self.tell(Moment(name=name))
        await asyncio.to_thread(self._input.readline)
