"""Frames are written in order, together, without waiting if possible, and at the reader's pace if necessary."""

import asyncio
from collections.abc import Sequence

from chat_mvp.realtime.outbox import Outbox


class Socket:
    """A socket that may be full; it keeps what it was handed, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[list[bytes]] = []
        self.has_room = asyncio.Event()
        self.has_room.set()
        self.is_gone = False

    def send_now(self, frames: Sequence[bytes]) -> bool:
        if self.is_gone:
            raise ConnectionResetError
        if not self.has_room.is_set():
            return False
        self.pieces.append(list(frames))
        return True

    async def send(self, frames: Sequence[bytes]) -> None:
        await self.has_room.wait()
        if self.is_gone:
            raise ConnectionResetError
        self.pieces.append(list(frames))

    @property
    def frames(self) -> list[bytes]:
        return [frame for piece in self.pieces for frame in piece]


def outbox(socket: Socket, *, waits: bool = False) -> tuple[Outbox, list[str]]:
    overflows: list[str] = []
    box = Outbox(
        socket.send,
        send_now=None if waits else socket.send_now,
        max_frames=4,
        max_bytes=1_000,
        on_overflow=lambda: overflows.append("overflow"),
    )
    return box, overflows


async def test_what_is_pushed_in_one_turn_leaves_together_in_the_next() -> None:
    socket = Socket()
    box, _ = outbox(socket)
    for frame in (b"1", b"2", b"3"):
        box.push(frame)
    assert socket.pieces == []
    await asyncio.sleep(0)
    assert socket.pieces == [[b"1", b"2", b"3"]]
    assert box.waiting == 0


async def test_a_full_socket_is_waited_for_and_nothing_is_lost_or_moved() -> None:
    socket = Socket()
    box, overflows = outbox(socket)
    socket.has_room.clear()
    box.push(b"1")
    await asyncio.sleep(0)
    box.push(b"2")
    await asyncio.sleep(0)
    assert (socket.pieces, box.waiting) == ([], 2)
    socket.has_room.set()
    await box.flush()
    box.push(b"3")
    await box.flush()
    assert socket.frames == [b"1", b"2", b"3"]
    assert overflows == []


async def test_too_much_for_a_full_socket_is_reported_once() -> None:
    socket = Socket()
    box, overflows = outbox(socket)
    socket.has_room.clear()
    for _ in range(8):
        box.push(b"x")
        await asyncio.sleep(0)
    assert overflows == ["overflow"]


async def test_much_in_one_turn_is_no_fault_of_a_peer_that_reads() -> None:
    socket = Socket()
    box, overflows = outbox(socket)
    frames = [bytes([number]) * 300 for number in range(20)]
    for frame in frames:
        box.push(frame)
    await asyncio.sleep(0)
    assert (socket.frames, box.waiting, overflows) == (frames, 0, [])


async def test_a_peer_that_dies_while_much_is_pushed_is_not_too_slow() -> None:
    socket = Socket()
    box, overflows = outbox(socket)
    socket.is_gone = True
    for _ in range(20):
        box.push(b"x")
    assert (socket.pieces, overflows) == ([], [])


async def test_a_dead_peer_closes_it() -> None:
    socket = Socket()
    box, _ = outbox(socket)
    socket.is_gone = True
    box.push(b"1")
    await asyncio.sleep(0)
    box.push(b"2")
    assert (socket.pieces, box.waiting <= 1) == ([], True)


async def test_a_server_that_can_only_wait_serves_as_well() -> None:
    socket = Socket()
    box, _ = outbox(socket, waits=True)
    box.push(b"1")
    box.push(b"2")
    await box.flush()
    assert socket.frames == [b"1", b"2"]
