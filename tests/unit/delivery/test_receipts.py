"""Receipts: merged, and sent only to users who may get them at the time of sending."""

import asyncio

from chat_mvp.delivery.blocks import Blocks
from chat_mvp.delivery.bus import MemoryBus, Publication
from chat_mvp.delivery.receipts import Receipts
from chat_mvp.errors import UnavailableError
from chat_mvp.protocol import Receipt
from chat_mvp.storage.contacts import BlockPair, Contacts
from tests.support.waiting import eventually

WITHIN_S = 10.0


class BlockLists(Contacts):
    """Block lists in memory, which cannot be read while they are ``away``."""

    def __init__(self, *pairs: BlockPair) -> None:
        self.pairs = set(pairs)
        self.reads = 0
        self.away = 0

    async def fetch_blocks(self, user_id: str) -> set[BlockPair]:
        self.reads += 1
        if self.away:
            self.away -= 1
            raise UnavailableError("The database is away.", retry_after_ms=1_000)
        return {pair for pair in self.pairs if user_id in pair}


class Harness:
    """Receipts of bob, and what is published of them."""

    def __init__(self, *pairs: BlockPair) -> None:
        self.contacts = BlockLists(*pairs)
        self.blocks = Blocks(self.contacts.fetch_blocks)
        self.bus = MemoryBus()
        self.receipts = Receipts(self.bus, self.blocks)
        self.sent: asyncio.Queue[Publication] = asyncio.Queue()
        self.bus.subscribe(self._note)

    def _note(self, publication: Publication) -> None:
        if isinstance(publication.frame, Receipt):
            self.sent.put_nowait(publication)

    def read(self, seq: int, *audience: str, device: str | None = None) -> None:
        receipt = Receipt(conversation_id="room", user_id="bob", delivered_seq=seq, read_seq=seq)
        self.receipts.tell(("bob", *audience), receipt, answered_connection=device)

    async def next(self) -> tuple[int, set[str], str | None]:
        async with asyncio.timeout(WITHIN_S):
            publication = await self.sent.get()
        assert isinstance(publication.frame, Receipt)
        return publication.frame.read_seq, set(publication.audience), publication.answered_connection

    async def nothing_waits(self) -> None:
        """Return when nothing is gathered any more, after checking that nothing else was sent."""

        async def is_idle() -> bool:
            return not self.receipts.is_busy

        await eventually(is_idle)
        assert self.sent.empty()


async def test_the_first_goes_at_once_and_the_others_together() -> None:
    harness = Harness()
    await harness.blocks.fetch("bob")
    for seq in (1, 2, 3):
        harness.read(seq, "ann", device="phone")
    assert harness.sent.qsize() == 1
    assert await harness.next() == (1, {"ann", "bob"}, "phone")
    assert await harness.next() == (3, {"ann", "bob"}, "phone")
    await harness.nothing_waits()


async def test_each_of_two_devices_hears_of_the_other() -> None:
    harness = Harness()
    await harness.blocks.fetch("bob")
    harness.read(1, "ann")
    await harness.next()
    harness.read(2, "ann", device="phone")
    harness.read(3, "ann", device="tablet")
    assert await harness.next() == (3, {"ann", "bob"}, None)


async def test_a_block_that_is_set_while_a_receipt_waits() -> None:
    harness = Harness()
    await harness.blocks.fetch("bob")
    harness.read(1, "ann", "cat")
    await harness.next()
    harness.read(2, "ann", "cat")
    harness.blocks.changed("ann", "bob", True)
    assert await harness.next() == (2, {"bob", "cat"}, None)
    harness.read(3, "ann", "cat")
    harness.blocks.changed("ann", "bob", False)
    assert await harness.next() == (3, {"ann", "bob", "cat"}, None)


async def test_a_removal_while_a_receipt_waits() -> None:
    harness = Harness()
    await harness.blocks.fetch("bob")
    harness.read(1, "ann", "cat")
    await harness.next()
    harness.read(2, "ann", "cat")
    harness.receipts.forget(("cat",), "room")
    harness.receipts.forget(("ann",), "another")
    assert await harness.next() == (2, {"ann", "bob"}, None)


async def test_what_waits_is_not_replaced_by_what_fewer_may_know() -> None:
    harness = Harness()
    await harness.blocks.fetch("bob")
    harness.read(1, "ann")
    await harness.next()
    harness.read(2, "ann")
    harness.read(3)
    assert await harness.next() == (2, {"ann", "bob"}, None)
    assert await harness.next() == (3, {"bob"}, None)


async def test_blocks_that_are_not_in_memory_are_read_first() -> None:
    harness = Harness(("cat", "bob"))
    harness.contacts.away = 2
    harness.read(1, "ann", "cat")
    assert harness.sent.empty()
    assert await harness.next() == (1, {"ann", "bob"}, None)
    assert harness.contacts.reads == 3, "asked again until the database answered"
    await harness.nothing_waits()


async def test_what_waits_is_sent_before_the_end() -> None:
    harness = Harness()
    await harness.blocks.fetch("bob")
    harness.read(1, "ann")
    harness.read(2, "ann")
    harness.receipts.close()
    assert [await harness.next(), await harness.next()] == [(1, {"ann", "bob"}, None), (2, {"ann", "bob"}, None)]
    assert not harness.receipts.is_busy
