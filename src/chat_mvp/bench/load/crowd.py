"""Many users who connect at the same moment, as after a restart of the server."""

import asyncio
import time
from array import array

from chat_mvp.bench.latency import Histogram
from chat_mvp.bench.load import frames
from chat_mvp.bench.load.connection import BrokenPromiseError, Connection
from chat_mvp.bench.load.driver import Driver
from chat_mvp.bench.load.frames import ENCODINGS, Connect, Frame
from chat_mvp.bench.orders import Crowd, CrowdOutcome, Person, Returning

_PROGRESS_EVERY = 100


class Arrival:
    """One user who connects with what they know."""

    def __init__(self, order: Crowd, person: Person, returning: Returning) -> None:
        """Prepare the connection."""
        self.troubles: list[str] = []
        self.to_ready_ns = self.to_drained_ns = 0
        self.conversations = 0
        self.missed: list[tuple[str, int]] = []
        """The conversation and sequence number of every message that arrived."""
        self._order = order
        self._returning = returning
        self._recovered = False
        self._connection = Connection(
            person,
            ENCODINGS[order.subprotocol],
            on_frame=lambda _: None,
            on_trouble=self.troubles.append,
            on_catching_up=self._arrived,
        )
        self._began_ns = 0

    async def connect(self) -> None:
        """Connect, and return at ``drained``."""
        self._began_ns = time.monotonic_ns()
        connect = Connect(token=self._connection.person.token, known=self._returning.known, epoch=self._order.epoch)
        await self._connection.open(self._order.url, connect)

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close()

    def problems(self) -> list[str]:
        """Return what was wrong."""
        expected = self._returning
        problems = list(self.troubles)
        if not self._recovered:
            problems.append("the server did not accept what the client knows")
        if self.conversations != len(expected.known):
            problems.append(f"{len(expected.known)} conversations exist, and {self.conversations} came")
        if sorted(self.missed) != sorted(expected.missed):
            problems.append(f"{len(expected.missed)} messages are owed, and {len(self.missed)} came, or others")
        return problems

    def _arrived(self, frame: Frame) -> None:
        if frame.type == frames.READY:
            self.to_ready_ns = time.monotonic_ns() - self._began_ns
            self.conversations = len(frame.conversations)
            self._recovered = frame.recovered
        elif frame.type == frames.DRAINED:
            self.to_drained_ns = time.monotonic_ns() - self._began_ns
        elif frame.message is not None:
            self.missed.append((frame.message.conversation_id, frame.message.seq))


class CrowdLoad:
    """Carries out a ``Crowd`` order."""

    def __init__(self, order: Crowd, driver: Driver) -> None:
        """Prepare the connections. The event loop must run."""
        self._driver = driver
        self._done = 0
        people = zip(order.people, order.returning, strict=True)
        self._arrivals = [Arrival(order, person, returning) for person, returning in people]

    async def run(self) -> CrowdOutcome:
        """Return the outcome. ``BrokenPromiseError`` when anything was missing, doubled or refused."""
        await self._driver.moment("alone")
        cpu, began = time.process_time(), time.monotonic()
        await asyncio.gather(*(self._connect(arrival) for arrival in self._arrivals))
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        await self._driver.moment("connected")
        problems = [problem for arrival in self._arrivals for problem in arrival.problems()]
        if problems:
            raise BrokenPromiseError(f"{len(problems)} problems: {problems[0]}")
        await asyncio.gather(*(arrival.close() for arrival in self._arrivals))
        return CrowdOutcome(
            connected=len(self._arrivals),
            conversations=sum(arrival.conversations for arrival in self._arrivals),
            missed=sum(len(arrival.missed) for arrival in self._arrivals),
            seconds=seconds,
            to_ready=Histogram.of_ns(array("q", (it.to_ready_ns for it in self._arrivals))).encode(),
            to_drained=Histogram.of_ns(array("q", (it.to_drained_ns for it in self._arrivals))).encode(),
            load_cpu_s=cpu,
        )

    async def _connect(self, arrival: Arrival) -> None:
        await arrival.connect()
        self._done += 1
        if self._done % _PROGRESS_EVERY == 0:
            self._driver.progress(self._done)
