"""Messages in rooms: pairs and groups, with closed and open loop."""

import asyncio
import time
from array import array

from chat_mvp.bench.latency import Histogram
from chat_mvp.bench.load import frames
from chat_mvp.bench.load.connection import BrokenPromiseError, Connection
from chat_mvp.bench.load.driver import Driver
from chat_mvp.bench.load.frames import ENCODINGS, Delivered, Encoding, Frame, Send
from chat_mvp.bench.load.ledger import Ledger
from chat_mvp.bench.orders import Person, Room, Traffic, TrafficOutcome

SETTLED_WITHIN_S = 20.0
CONNECTING_AT_ONCE = 50
_PROGRESS_S = 0.5
_SHOWN_PROBLEMS = 5


class Counters:
    """The counts of all rooms so far."""

    __slots__ = ("acked", "confirmed", "delivered", "sent")

    def __init__(self) -> None:
        """Start at zero."""
        self.sent = self.acked = self.delivered = self.confirmed = 0

    def copy(self) -> "Counters":
        """Return a copy of the current counts."""
        result = Counters()
        result.sent, result.acked, result.delivered, result.confirmed = (
            self.sent,
            self.acked,
            self.delivered,
            self.confirmed,
        )
        return result


class Record:
    """Latencies in nanoseconds, stored raw during the measurement, because storing must be fast."""

    __slots__ = ("lateness", "measuring_from", "to_ack", "to_recipient")

    def __init__(self) -> None:
        """Store nothing until ``measuring_from`` is set. Messages intended to be sent before that do not count."""
        self.measuring_from = 1 << 62
        self.to_ack = array("q")
        self.to_recipient = array("q")
        self.lateness = array("q")


class Member:
    """One connection in one room. It sends when it is a sender, and acknowledges what it receives."""

    def __init__(self, index: int, person: Person, room: "RoomUnderLoad", order: Traffic, encoding: Encoding) -> None:
        """Take part in ``room``."""
        self.index = index
        self.connection = Connection(person, encoding, on_frame=self._arrived, on_trouble=room.problems.append)
        self.sent_at = array("q")
        """The intended send time of each message, by its number among those of this member."""
        self.sending = False
        self.received = self.acknowledged = 0
        """The highest number received from another member, and the highest that was acknowledged."""
        self._room = room
        self._refill = order.rate is None
        self._text = ("The quick brown fox jumps over the lazy dog. " * order.text_chars)[: order.text_chars]
        self._acknowledge_s = order.acknowledge_s
        self._timer: asyncio.TimerHandle | None = None
        self._observes = False

    def observe(self) -> None:
        """Count the receipts on this connection."""
        self._observes = True

    def send(self, meant_for_ns: int) -> None:
        """Send the next message. ``meant_for_ns`` is its intended send time."""
        name = f"{self.index}-{len(self.sent_at)}-{self._room.suffix}"
        self.sent_at.append(meant_for_ns)
        self._room.counters.sent += 1
        self.connection.send(Send(name, self._room.conversation_id, self._text))

    def _arrived(self, frame: Frame) -> None:
        kind = frame.type
        if kind == frames.MESSAGE_NEW:
            self._received(frame)
        elif kind == frames.MESSAGE_ACK:
            self._acked(frame)
        elif kind == frames.RECEIPT and self._observes:
            self._room.confirm(frame.user_id, frame.delivered_seq)

    def _received(self, frame: Frame) -> None:
        now = time.monotonic_ns()
        room, message = self._room, frame.message
        assert message is not None  # noqa: S101 - this type always has one
        room.ledger.saw(self.index, message.seq, message.client_message_id)
        room.counters.delivered += 1
        self.received = message.seq
        sender, number, _ = message.client_message_id.split("-")
        meant_for = room.members[int(sender)].sent_at[int(number)]
        if meant_for >= room.record.measuring_from:
            room.record.to_recipient.append(now - meant_for)
        if not self._acknowledge_s:
            self._acknowledge()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._acknowledge_s, self._acknowledge)

    def _acked(self, frame: Frame) -> None:
        now = time.monotonic_ns()
        room = self._room
        room.ledger.saw_ack(self.index, frame.seq, frame.client_message_id, duplicate=frame.duplicate)
        room.counters.acked += 1
        meant_for = self.sent_at[int(frame.client_message_id.split("-")[1])]
        if meant_for >= room.record.measuring_from:
            room.record.to_ack.append(now - meant_for)
        if self.sending and self._refill:
            self.send(now)

    def _acknowledge(self) -> None:
        self._timer = None
        self.acknowledged = self._room.ledger.reached[self.index]
        self.connection.send(Delivered(self._room.conversation_id, self.acknowledged))


class RoomUnderLoad:
    """A conversation, its members' connections and the frames that they received."""

    def __init__(self, room: Room, order: Traffic, counters: Counters, record: Record) -> None:
        """Store the order. No user is connected yet."""
        encoding = ENCODINGS[order.subprotocol]
        self.conversation_id = room.conversation_id
        self.counters = counters
        self.record = record
        self.problems: list[str] = []
        self.suffix = order.suffix
        self.members = {i: Member(i, order.people[i], self, order, encoding) for i in room.members}
        self.senders = [self.members[i] for i in room.senders]
        self.ledger = Ledger({})
        self._by_user = {order.people[i].user_id: self.members[i] for i in room.members}
        self._confirmed: dict[str, int] = {}
        # Each member gets the receipts of everyone else. So two members together get all of them.
        for member in self.senders[:2]:
            member.observe()

    def begin(self) -> None:
        """Start the ledger, when everyone is connected."""
        reached = {i: it.connection.last_seqs.get(self.conversation_id, 0) for i, it in self.members.items()}
        # A member who does not see the conversation before its first message has no position. All start at the same
        # one.
        self.ledger = Ledger(dict.fromkeys(reached, max(reached.values())))
        self._confirmed = dict.fromkeys(self._by_user, self.ledger.last_seq)

    def confirm(self, user_id: str, seq: int) -> None:
        """Note that this user's ``delivered`` is stored."""
        before = self._confirmed[user_id]
        if seq > before:
            self._confirmed[user_id] = seq
            self.counters.confirmed += seq - before

    def settled(self) -> bool:
        """Return whether everything sent was acknowledged, received by everyone, and confirmed by everyone."""
        return self.ledger.everyone_has_everything() and all(
            self._confirmed[user_id] >= member.acknowledged >= member.received
            for user_id, member in self._by_user.items()
            if member.received
        )

    def verdict(self) -> list[str]:
        """Return every broken promise."""
        return self.problems + self.ledger.verdict()


class TrafficLoad:
    """Carries out a ``Traffic`` order."""

    def __init__(self, order: Traffic, driver: Driver) -> None:
        """Prepare the rooms. The event loop must run."""
        self._order = order
        self._driver = driver
        self._counters = Counters()
        self._record = Record()
        self._rooms = [RoomUnderLoad(room, order, self._counters, self._record) for room in order.rooms]

    async def run(self) -> TrafficOutcome:
        """Return the outcome. ``BrokenPromiseError`` when anything was lost, doubled or out of order."""
        order = self._order
        await self._connect()
        self._start()
        pacing = asyncio.create_task(self._pace()) if order.rate else None
        await self._pass(order.warmup_s)
        await self._driver.moment("measuring")
        before, began, cpu = self._counters.copy(), time.monotonic_ns(), time.process_time()
        self._record.measuring_from = began
        await self._pass(order.seconds)
        after, ended, cpu = self._counters.copy(), time.monotonic_ns(), time.process_time() - cpu
        await self._driver.moment("measured")
        if pacing is not None:
            pacing.cancel()
        for room in self._rooms:
            for member in room.senders:
                member.sending = False
        await self._settle()
        await self._close()
        record = self._record
        return TrafficOutcome(
            seconds=(ended - began) / 1e9,
            acked=after.acked - before.acked,
            delivered=after.delivered - before.delivered,
            confirmed=after.confirmed - before.confirmed,
            sent_total=self._counters.sent,
            delivered_total=self._counters.delivered,
            to_ack=Histogram.of_ns(record.to_ack).encode(),
            to_recipient=Histogram.of_ns(record.to_recipient).encode(),
            lateness=Histogram.of_ns(record.lateness).encode(),
            load_cpu_s=cpu,
        )

    async def _connect(self) -> None:
        semaphore = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def open_one(connection: Connection) -> None:
            async with semaphore:
                await connection.open(self._order.url)

        await asyncio.gather(*(open_one(it.connection) for room in self._rooms for it in room.members.values()))
        for room in self._rooms:
            room.begin()

    def _start(self) -> None:
        for room in self._rooms:
            for member in room.senders:
                member.sending = True
                if self._order.rate is None:
                    for _ in range(self._order.window):
                        member.send(time.monotonic_ns())

    async def _pace(self) -> None:
        """Send at the offered rate, whatever the server does, each sender in turn.

        The latency counts from the intended send time.
        """
        assert self._order.rate is not None  # noqa: S101 - asked before
        senders = [member for room in self._rooms for member in room.senders]
        gap_ns = 1e9 / self._order.rate
        began, number = time.monotonic_ns(), 0
        while True:
            now = time.monotonic_ns()
            while (meant_for := began + int(number * gap_ns)) <= now:
                senders[number % len(senders)].send(meant_for)
                if meant_for >= self._record.measuring_from:
                    self._record.lateness.append(now - meant_for)
                number += 1
            await asyncio.sleep(max(0, meant_for - now) / 1e9)

    async def _pass(self, seconds: float) -> None:
        """Wait, report the progress, and end at once when there is a problem."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            await asyncio.sleep(min(_PROGRESS_S, left))
            self._driver.progress(self._counters.delivered)
            self._check([problem for room in self._rooms for problem in room.problems + room.ledger.problems])

    async def _settle(self) -> None:
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while self._counters.acked < self._counters.sent or not all(room.settled() for room in self._rooms):
            if time.monotonic() > deadline:
                found = [problem for room in self._rooms for problem in room.verdict()]
                counted = f"{self._counters.sent} sent, {self._counters.acked} acknowledged to their senders"
                self._check([f"not settled after {SETTLED_WITHIN_S:.0f} s: {counted}", *found])
            await asyncio.sleep(0.02)
        self._check([problem for room in self._rooms for problem in room.verdict()])

    async def _close(self) -> None:
        await asyncio.gather(*(it.connection.close() for room in self._rooms for it in room.members.values()))

    @staticmethod
    def _check(problems: list[str]) -> None:
        if problems:
            more = f" (and {len(problems) - _SHOWN_PROBLEMS} more)" if len(problems) > _SHOWN_PROBLEMS else ""
            raise BrokenPromiseError("; ".join(problems[:_SHOWN_PROBLEMS]) + more)
