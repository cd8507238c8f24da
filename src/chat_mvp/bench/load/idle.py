"""Many connections that do nothing."""

import asyncio
import functools
import time

from chat_mvp.bench.latency import Histogram
from chat_mvp.bench.load import frames
from chat_mvp.bench.load.connection import BrokenPromiseError, Connection
from chat_mvp.bench.load.driver import Driver
from chat_mvp.bench.load.frames import ENCODINGS, Frame, Ping
from chat_mvp.bench.orders import Idle, IdleOutcome, Person

CONNECTING_AT_ONCE = 64
ASKED = 200
"""How many connections are asked at the end whether they are alive."""
ANSWERED_WITHIN_S = 10.0


class IdleLoad:
    """Carries out an ``Idle`` order."""

    def __init__(self, order: Idle, driver: Driver) -> None:
        """Store the order. No user is connected yet."""
        self._order = order
        self._driver = driver
        self._troubles: list[str] = []

    async def run(self) -> IdleOutcome:
        """Return the outcome. ``BrokenPromiseError`` when a connection was lost or did not answer."""
        warm = await self._connect(self._order.people[: self._order.warmup])
        await self._close(warm)
        await self._driver.moment("alone")
        cpu, began = time.process_time(), time.monotonic()
        connections = await self._connect(self._order.people)
        connecting_s = time.monotonic() - began
        await self._driver.moment("connected")
        await asyncio.sleep(self._order.seconds)
        await self._driver.moment("held")
        cpu = time.process_time() - cpu
        to_pong = await self._ask(connections[:: max(1, len(connections) // ASKED)])
        if self._troubles:
            raise BrokenPromiseError(f"{len(self._troubles)} connections failed: {self._troubles[0]}")
        await self._close(connections)
        return IdleOutcome(
            connected=len(connections),
            connecting_s=connecting_s,
            to_pong=Histogram.of_ns(to_pong).encode(),
            load_cpu_s=cpu,
        )

    async def _connect(self, people: list[Person]) -> list[Connection]:
        semaphore = asyncio.Semaphore(CONNECTING_AT_ONCE)
        encoding = ENCODINGS[self._order.subprotocol]
        connections: list[Connection] = []

        async def open_one(person: Person) -> None:
            async with semaphore:
                connection = Connection(person, encoding, on_frame=_ignore, on_trouble=self._troubles.append)
                await connection.open(self._order.url)
                connections.append(connection)
                if len(connections) % ASKED == 0:
                    self._driver.progress(len(connections))

        await asyncio.gather(*(open_one(person) for person in people))
        return connections

    async def _ask(self, connections: list[Connection]) -> list[int]:
        latencies: list[int] = []
        for connection in connections:
            answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            connection.on_frame = functools.partial(_settle, answered)
            began = time.monotonic_ns()
            connection.send(Ping())
            try:
                await asyncio.wait_for(answered, ANSWERED_WITHIN_S)
            except TimeoutError:
                self._troubles.append("a ping was not answered")
            latencies.append(time.monotonic_ns() - began)
        return latencies

    @staticmethod
    async def _close(connections: list[Connection]) -> None:
        await asyncio.gather(*(connection.close() for connection in connections))


def _ignore(_: Frame) -> None:
    """Ignore frames on an idle connection."""


def _settle(done: asyncio.Future[None], frame: Frame) -> None:
    if frame.type == frames.PONG and not done.done():
        done.set_result(None)
