"""One user writes while another is offline. Measures how long the second user takes to catch up."""

import asyncio
import time
from array import array
from collections.abc import Iterable

from msgspec import Struct

from chat_mvp.bench.latency import Histogram
from chat_mvp.bench.load import frames
from chat_mvp.bench.load.connection import BrokenPromiseError, Connection
from chat_mvp.bench.load.driver import Driver
from chat_mvp.bench.load.frames import ENCODINGS, Connect, Delivered, Edit, Frame, React, Send
from chat_mvp.bench.orders import CatchUpOutcome, Drain, Resume

UNDER_WAY = 64
"""Concurrent requests of the writer, while nothing is measured."""
ANSWERED_WITHIN_S = 60.0
_ANSWERS = frozenset({frames.MESSAGE_ACK, frames.MESSAGE_EDITED, frames.MESSAGE_REACTION})
_EMOJIS = "👍❤🎉😂😮😢🙏🔥👀✅⭐💡🎈🍀🌍🎵📌🚀☕🍰"


class Writer:
    """The user who is online. Makes changes, and waits for the answer to each."""

    def __init__(self, order: Drain | Resume) -> None:
        """Act as the first user of the order."""
        self.troubles: list[str] = []
        self.message_ids: list[str] = []
        """The ids of all messages, in the order of their sequence numbers."""
        self._order = order
        self._connection = Connection(
            order.people[0], ENCODINGS[order.subprotocol], on_frame=self._arrived, on_trouble=self.troubles.append
        )
        self._reader_id = order.people[1].user_id
        self._text = "x" * order.text_chars
        self._free = asyncio.Semaphore(UNDER_WAY)
        self._answered = 0
        self._sent = 0
        self._confirmed = 0
        self._something = asyncio.Event()

    async def open(self) -> None:
        """Connect."""
        await self._connection.open(self._order.url)

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close()

    async def write(self, count: int) -> None:
        """Send messages and return when all are acknowledged."""
        first = len(self.message_ids)
        await self._ask(
            Send(f"m-{number}", self._order.conversation_id, self._text) for number in range(first, first + count)
        )

    async def edit(self, message_ids: list[str], text: str) -> None:
        """Edit these messages, and return when all are changed."""
        await self._ask(Edit(message_id, text) for message_id in message_ids)

    async def react(self, message_ids: list[str], emoji: str) -> None:
        """React to these messages, and return when the reactions are stored."""
        await self._ask(React(message_id, emoji) for message_id in message_ids)

    async def confirmed(self, seq: int) -> None:
        """Return when the other user's ``delivered`` up to ``seq`` is stored."""
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            while self._confirmed < seq:
                self._something.clear()
                await self._something.wait()

    async def _ask(self, requests: Iterable[Struct]) -> None:
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            for request in requests:
                await self._free.acquire()
                self._connection.send(request)
                self._sent += 1
            while self._answered < self._sent:
                self._something.clear()
                await self._something.wait()

    def _arrived(self, frame: Frame) -> None:
        if frame.type in _ANSWERS:
            self._answered += 1
            self._free.release()
            if frame.type == frames.MESSAGE_ACK:
                self.message_ids.append(frame.message_id)
        elif frame.type == frames.RECEIPT and frame.user_id == self._reader_id:
            self._confirmed = max(self._confirmed, frame.delivered_seq)
        self._something.set()


class Return:
    """One reconnect of the other user, with the times at which frames arrived."""

    def __init__(self, order: Drain | Resume) -> None:
        """Act as the second user of the order."""
        self.new: list[tuple[int, str]] = []
        """The sequence number and id of every new message, in the order of arrival."""
        self.changed: list[str] = []
        """The ids of older messages that had changed, in the order of arrival."""
        self.epoch = ""
        self.rev = 0
        self.troubles: list[str] = []
        self.to_ready_ns = self.to_last_ns = self.to_drained_ns = 0
        self._order = order
        self._began_ns = 0
        self._connection = Connection(
            order.people[1],
            ENCODINGS[order.subprotocol],
            on_frame=lambda _: None,
            on_trouble=self.troubles.append,
            on_catching_up=self._arrived,
        )

    async def catch_up(self, known: dict[str, int] | None = None, epoch: str | None = None) -> None:
        """Connect with the known revisions, and return at ``drained``."""
        self._began_ns = time.monotonic_ns()
        connect = Connect(token=self._order.people[1].token, known=known, epoch=epoch)
        await self._connection.open(self._order.url, connect)

    def acknowledge(self, seq: int) -> None:
        """Acknowledge everything up to ``seq``."""
        self._connection.send(Delivered(self._order.conversation_id, seq))

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close()

    def _arrived(self, frame: Frame) -> None:
        elapsed_ns = time.monotonic_ns() - self._began_ns
        if frame.type == frames.READY:
            self.to_ready_ns = elapsed_ns
            self.epoch = frame.epoch
            self.rev = next((it.rev for it in frame.conversations if it.id == self._order.conversation_id), 0)
        elif frame.type == frames.DRAINED:
            self.to_drained_ns = elapsed_ns
        elif frame.message is not None:
            self.to_last_ns = elapsed_ns
            if frame.type == frames.MESSAGE_NEW:
                self.new.append((frame.message.seq, frame.message.id))
            elif frame.type == frames.MESSAGE_CHANGED:
                self.changed.append(frame.message.id)


class AwayLoad:
    """Carries out a ``Drain`` or a ``Resume`` order."""

    def __init__(self, order: Drain | Resume, driver: Driver) -> None:
        """Prepare the writer."""
        self._order = order
        self._driver = driver
        self._writer = Writer(order)
        self._returns: list[Return] = []
        self._changes = 0

    async def run(self) -> CatchUpOutcome:
        """Return the outcome. ``BrokenPromiseError`` when anything was missing, doubled or out of order."""
        await self._writer.open()
        cpu = time.process_time()
        if isinstance(self._order, Drain):
            await self._drain(self._order)
        else:
            await self._resume(self._order)
        cpu = time.process_time() - cpu
        await self._writer.close()
        return CatchUpOutcome(
            changes=self._changes,
            to_ready=self._distribution("to_ready_ns"),
            to_last=self._distribution("to_last_ns"),
            to_drained=self._distribution("to_drained_ns"),
            load_cpu_s=cpu,
        )

    async def _drain(self, order: Drain) -> None:
        for number in range(order.times):
            sent_before = len(self._writer.message_ids)
            await self._writer.write(order.count)
            reconnect = Return(order)
            await reconnect.catch_up()
            expected = list(enumerate(self._writer.message_ids[sent_before:], start=sent_before + 1))
            self._check(reconnect, new=expected, changed=set())
            await self._leave(reconnect, number)

    async def _resume(self, order: Resume) -> None:
        # Of a hundred changes sixty are new messages, twenty edits and twenty reactions.
        edits = reactions = order.count // 5
        new = order.count - edits - reactions
        await self._writer.write(edits + reactions)
        older = list(self._writer.message_ids)
        before = Return(order)
        await before.catch_up()
        await self._leave(before, 0, counts=False)
        known, epoch = {order.conversation_id: before.rev}, before.epoch
        for number in range(order.times):
            sent_before = len(self._writer.message_ids)
            await self._writer.edit(older[:edits], f"edit {number}")
            await self._writer.react(older[edits:], _EMOJIS[number % len(_EMOJIS)])
            await self._writer.write(new)
            reconnect = Return(order)
            await reconnect.catch_up(known, epoch)
            expected = list(enumerate(self._writer.message_ids[sent_before:], start=sent_before + 1))
            self._check(reconnect, new=expected, changed=set(older))
            known = {order.conversation_id: reconnect.rev}
            await self._leave(reconnect, number + 1)

    async def _leave(self, reconnect: Return, number: int, *, counts: bool = True) -> None:
        last = len(self._writer.message_ids)
        reconnect.acknowledge(last)
        await self._writer.confirmed(last)
        await reconnect.close()
        if counts:
            self._returns.append(reconnect)
            self._changes += len(reconnect.new) + len(reconnect.changed)
        self._driver.progress(number)

    def _check(self, reconnect: Return, *, new: list[tuple[int, str]], changed: set[str]) -> None:
        problems = self._writer.troubles + reconnect.troubles
        if reconnect.new != new:
            problems.append(f"{len(new)} messages were acknowledged and {len(reconnect.new)} came, or in another order")
        if len(reconnect.changed) != len(changed) or set(reconnect.changed) != changed:
            problems.append(f"{len(changed)} older messages had changed and {len(reconnect.changed)} came")
        if problems:
            raise BrokenPromiseError("; ".join(problems))

    def _distribution(self, name: str) -> str:
        return Histogram.of_ns(array("q", (getattr(it, name) for it in self._returns))).encode()
