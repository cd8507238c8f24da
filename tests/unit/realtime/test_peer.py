"""Work for a peer ends when the peer disconnects."""

import asyncio
from collections.abc import Callable

import pytest

from chat_mvp.codec import JSON
from chat_mvp.realtime.peer import Peer
from chat_mvp.realtime.wire import WIRE


class Transport:
    """The end of the connection that the server sees."""

    def __init__(self) -> None:
        self.is_gone = False
        self._callback: Callable[[], object] | None = None

    def when_gone(self, callback: Callable[[], object] | None) -> None:
        self._callback = callback

    def lose(self) -> None:
        self.is_gone = True
        if self._callback is not None:
            self._callback()

    def peer(self) -> Peer:
        wire = {"is_gone": lambda: self.is_gone, "when_gone": self.when_gone}
        return Peer({"extensions": {WIRE: wire}}, _nothing, _nothing, JSON)


async def _nothing(*_: object) -> None:
    raise AssertionError("nothing is received or sent")


async def answer(after_s: float = 0.0) -> str:
    await asyncio.sleep(after_s)
    return "done"


async def test_work_is_done_while_the_peer_is_there() -> None:
    transport = Transport()
    assert await transport.peer().unless_gone(answer()) == "done"
    transport.lose()


async def test_work_ends_when_the_peer_disconnects() -> None:
    transport = Transport()
    working = asyncio.create_task(transport.peer().unless_gone(answer(after_s=60)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    transport.lose()
    async with asyncio.timeout(5):
        assert await working is None


async def test_no_work_begins_for_a_peer_that_is_gone() -> None:
    transport = Transport()
    transport.lose()
    assert await transport.peer().unless_gone(answer(after_s=60)) is None


async def test_a_cancellation_of_the_caller_stays_one() -> None:
    working = asyncio.create_task(Transport().peer().unless_gone(answer(after_s=60)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def test_a_server_that_does_not_tell_is_fine() -> None:
    assert await Peer({}, _nothing, _nothing, JSON).unless_gone(answer()) == "done"
