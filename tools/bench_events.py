"""Measure how fast consumers get committed events, on a MongoDB of its own: ``python tools/bench_events.py``.

Writer and consumer share one process and one event loop, as in a server.
"""

import argparse
import asyncio
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from chat_mvp.bench.messages import stored_message
from chat_mvp.consumers.runner import ConsumerRunner
from chat_mvp.events.types import Event, MessageAdded
from chat_mvp.mongod import start_embedded
from chat_mvp.ops.logs import configure_logs
from chat_mvp.storage.client import Database, RawDocument, open_database
from chat_mvp.storage.consumers import Consumers
from chat_mvp.storage.events import event_document
from chat_mvp.storage.ids import new_id
from chat_mvp.supervision import Supervisor
from chat_mvp.times import format_time, utc_now

TRANSACTION_EVERY_S = 0.005
TEXT_CHARS = 64
STORED_AT_ONCE = 1_000


class Stopwatch:
    """A consumer that notes when it is given each message."""

    event_types: tuple[type[Event], ...] = (MessageAdded,)

    def __init__(self, name: str) -> None:
        """Begin with nothing noted."""
        self.name = name
        self.given_at: dict[str, float] = {}
        self.is_rebuilt = asyncio.Event()
        self._has_new = asyncio.Event()

    async def handle(self, events: Sequence[Event]) -> None:
        """Note the time."""
        now = time.monotonic()
        for event in events:
            if isinstance(event, MessageAdded):
                self.given_at.setdefault(event.message.id, now)
        self._has_new.set()

    async def until(self, count: int) -> None:
        """Wait until it was given so many messages."""
        while len(self.given_at) < count:
            self._has_new.clear()
            await self._has_new.wait()

    async def rebuild(self) -> None:
        """Note that it begins."""
        self.is_rebuilt.set()


def added() -> MessageAdded:
    """Return the event of a new message."""
    message = stored_message(
        id=new_id(),
        client_message_id=new_id(),
        conversation_id=new_id(),
        sender_id=new_id(),
        text=secrets.token_hex(TEXT_CHARS // 2),
        created_at=format_time(utc_now()),
    )
    return MessageAdded(message=message)


def documents(count: int, events_each: int) -> tuple[list[RawDocument], list[str]]:
    """Return documents of ``count`` messages together, and the ids of the messages."""
    events = [added() for _ in range(count)]
    starts = range(0, count, events_each)
    stored = [event_document(events[at : at + events_each], now=utc_now(), process=new_id()) for at in starts]
    return stored, [event.message.id for event in events]


def runner(database: Database, consumer: Stopwatch) -> ConsumerRunner:
    """Return what feeds the consumer, as a server makes it."""
    return ConsumerRunner([consumer], store=Consumers(database.collections), streams=database.streams, now=utc_now)


async def measure_live(database: Database, name: str, *, rate: int, seconds: float) -> list[float]:
    """Return how many ms after the answer to its commit each message was given to the consumer."""
    consumer = Stopwatch(name)
    feeding = runner(database, consumer)
    feeding.start(Supervisor())
    await consumer.is_rebuilt.wait()
    committed_at: dict[str, float] = {}
    begun = time.monotonic()
    stored = 0
    while (now := time.monotonic()) - begun < seconds:
        due = round((now - begun) * rate) - stored
        if due > 0:
            (document,), ids = documents(due, due)
            # As the writer stores it: in a transaction with a majority.
            async with database.client.start_session() as session, await session.start_transaction():
                await database.collections["events"].insert_one(document, session=session)
            committed_at |= dict.fromkeys(ids, time.monotonic())
            stored += due
        await asyncio.sleep(TRANSACTION_EVERY_S)
    await consumer.until(stored)
    await feeding.stop()
    return sorted(max(0.0, consumer.given_at[message_id] - at) * 1_000 for message_id, at in committed_at.items())


async def measure_catching_up(database: Database, name: str, *, count: int, events_each: int) -> float:
    """Return how many seconds a consumer that was stopped needs for so many messages, from its start."""
    stored, ids = documents(count, events_each)
    for start in range(0, len(stored), STORED_AT_ONCE):
        await database.collections["events"].insert_many(stored[start : start + STORED_AT_ONCE])
    consumer = Stopwatch(name)
    feeding = runner(database, consumer)
    begun = time.monotonic()
    feeding.start(Supervisor())
    await consumer.until(count)
    await feeding.stop()
    if consumer.given_at.keys() != set(ids):
        raise RuntimeError("The consumer was given other messages than those that were stored.")
    return max(consumer.given_at.values()) - begun


async def main(options: argparse.Namespace) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory:
        mongo = await start_embedded(Path(directory))
        database = await open_database(mongo.uri, "bench", queue_ttl_days=1)
        try:
            for run in range(1, options.runs + 1):
                waits = await measure_live(database, f"stopwatch-{run}", rate=options.rate, seconds=options.seconds)
                percentiles = statistics.quantiles(waits, n=100)
                line = (
                    f"run {run}: {options.rate} messages/s: p50 {percentiles[49]:.1f} ms, p99 {percentiles[98]:.1f} ms"
                )
                for events_each in (1, 10):
                    took = await measure_catching_up(
                        database, f"stopwatch-{run}", count=options.count, events_each=events_each
                    )
                    line += f"; {options.count} messages, {events_each} in a transaction: {options.count / took:,.0f}/s"
                sys.stdout.write(line + "\n")
        finally:
            await database.close()
            await mongo.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often to measure")
    parser.add_argument("--rate", type=int, default=1_000, help="messages a second")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each run stores messages")
    parser.add_argument("--count", type=int, default=10_000, help="messages to catch up on")
    configure_logs(shape="console", level="error")
    asyncio.run(main(parser.parse_args()))
