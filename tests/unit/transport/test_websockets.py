"""What one WebSocket may hold: raw frames against a real server."""

import asyncio
import gc
import weakref
from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from chat_mvp.errors import ForbiddenError
from chat_mvp.realtime.wire import ChatWebSocketProtocol
from chat_mvp.transport.problem import whole_problem
from tests.unit.transport.servers import Address, Raw, lifespan, serving, shared

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: chat\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


async def opened(server: Address) -> Raw:
    raw = await server.open()
    raw.send(HANDSHAKE)
    assert (await raw.answer()).status == 101
    return raw


async def opened_with(server: Address, extra: bytes) -> Raw:
    raw = await server.open()
    raw.send(HANDSHAKE[:-2] + extra + b"\r\n")
    return raw


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin=fin).serialize(mask=True)


async def deaf(scope: Any, receive: Any, send: Any) -> None:
    """Accept and never ask for a message."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    await asyncio.Event().wait()


def protocols(server: Address) -> list[ChatWebSocketProtocol]:
    """Return those of this server's open connections."""
    return [it for it in server.connections if isinstance(it, ChatWebSocketProtocol)]


async def test_pings_of_a_peer_that_does_not_read_are_not_answered_without_end() -> None:
    async with serving(shared()) as server:
        raw = await opened(server)
        raw.writer.transport.pause_reading()
        ping = frame(Opcode.PING, b"x" * 125) * 500
        sent = 0
        try:
            async with asyncio.timeout(2):
                while True:
                    raw.send(ping)
                    await raw.writer.drain()
                    sent += len(ping)
                    await asyncio.sleep(0)
        except TimeoutError:
            pass
        protocol = protocols(server)[-1]
        assert protocol.transport.get_write_buffer_size() < 200_000
        assert protocol.reading.is_stopped
        # Once it reads again, everything goes on.
        raw.writer.transport.resume_reading()
        read = asyncio.create_task(raw.reader.read(-1))
        raw.send(frame(Opcode.CLOSE, b"\x03\xe8"))
        async with asyncio.timeout(10):
            assert len(await read) > 100_000
        raw.close()


async def test_too_many_pings_end_the_connection() -> None:
    async with serving(shared(pings_per_s=50)) as server:
        raw = await opened(server)
        raw.send(frame(Opcode.PING, b"") * 60)
        said = await raw.ended()
        assert said.count(b"\x8a\x00") <= 60
        assert said.endswith(b"\x11\x4dtoo many pings")


@pytest.mark.parametrize(
    "violation",
    [
        # Not masked; a reserved opcode; reserved bits.
        Frame(Opcode.TEXT, b"{}").serialize(mask=False),
        b"\x83\x80" + bytes(4),
        b"\xf1\x80" + bytes(4),
    ],
)
async def test_a_peer_that_violates_the_protocol_while_it_sends_gets_the_reason(violation: bytes) -> None:
    async with serving(shared()) as server:
        raw = await opened(server)
        raw.send(violation)
        for _ in range(20):
            raw.send(bytes(100_000))
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            said = await raw.reader.read()
        assert said[:1] == b"\x88"
        assert said[2:4] == b"\x03\xea", "1002"


async def test_a_peer_that_violates_the_protocol_and_stays_is_cut_off() -> None:
    async with serving(shared(linger_s=0.1)) as server:
        raw = await opened(server)
        raw.send(Frame(Opcode.TEXT, b"{}").serialize(mask=False))
        async with asyncio.timeout(5):
            while protocols(server):
                raw.send(b"x")
                await asyncio.sleep(0.02)


async def test_small_unread_messages_do_not_pile_up() -> None:
    async with serving(shared(), deaf) as server:
        raw = await opened(server)
        flood = frame(Opcode.TEXT, b"{}") * 10_000
        for _ in range(20):
            raw.send(flood)
        await asyncio.sleep(0.5)
        (protocol,) = protocols(server)
        assert len(protocol.queue) < 1_500
        raw.close()
        await asyncio.sleep(0.05)


async def test_messages_are_all_handled_in_their_order() -> None:
    async with serving(shared()) as server:
        raw = await opened(server)
        count = 3_000
        raw.send(b"".join(frame(Opcode.TEXT, b"%d" % number) for number in range(count)))
        expected = b"".join(Frame(Opcode.TEXT, b"%d" % number).serialize(mask=False) for number in range(count))
        async with asyncio.timeout(10):
            assert await raw.reader.readexactly(len(expected)) == expected
        raw.close()


@pytest.mark.parametrize(
    "parts", [[frame(Opcode.TEXT, b"x" * 9_000)[:-1]], [frame(Opcode.TEXT, b"x" * 8_990, fin=False)]]
)
async def test_unfinished_first_messages_count_towards_the_memory(parts: list[bytes]) -> None:
    limits = shared(intake_bytes=50_000)
    async with serving(limits) as server:
        raws = []
        for _ in range(8):
            raws.append(await opened(server))
            for part in parts:
                raws[-1].send(part)
            await asyncio.sleep(0.02)
        assert 0 < limits.intake.used <= 50_000
        assert await raws[0].ended() == b""
        for raw in raws:
            raw.close()
        await asyncio.sleep(0.1)
        assert limits.intake.used == 0


async def test_a_whole_first_message_holds_nothing() -> None:
    limits = shared()
    async with serving(limits) as server:
        raw = await opened(server)
        raw.send(frame(Opcode.TEXT, b"hello"))
        assert await raw.reader.readexactly(7) == b"\x81\x05hello"
        assert limits.intake.used == 0
        raw.close()


@pytest.mark.parametrize("data", [b"", b"x"])
async def test_too_many_fragments_of_one_message_end_the_connection(data: bytes) -> None:
    async with serving(shared(fragments=100)) as server:
        raw = await opened(server)
        raw.send(frame(Opcode.TEXT, b"x", fin=False) + frame(Opcode.CONT, data, fin=False) * 99)
        await asyncio.sleep(0.1)
        (protocol,) = protocols(server)
        assert len(protocol.frames) == 100
        raw.send(frame(Opcode.CONT, data, fin=False) * 100)
        assert (await raw.ended()).endswith(b"\x03\xf1too many fragments")
        assert protocol.frames == []


async def test_a_message_in_many_fragments_is_one_message() -> None:
    async with serving(shared(fragments=100)) as server:
        raw = await opened(server)
        for _ in range(3):
            parts = frame(Opcode.TEXT, b"x", fin=False) + frame(Opcode.CONT, b"y", fin=False) * 98
            raw.send(parts + frame(Opcode.CONT, b"z"))
            assert await raw.reader.readexactly(102) == b"\x81\x64x" + b"y" * 98 + b"z"


@pytest.mark.parametrize(
    ("extra", "status", "code"),
    [
        (b"X: " + b"v" * 9_000 + b"\r\n", 431, "headers_too_large"),
        (b"Sec-WebSocket-Protocol: " + b"a," * 5_000 + b"\r\n", 431, "headers_too_large"),
        (b"Content-Length: 5\r\n", 400, "bad_request"),
        (b"Transfer-Encoding: chunked\r\n", 400, "bad_request"),
    ],
)
async def test_what_the_websocket_library_takes_for_no_handshake_ends_the_connection(
    extra: bytes, status: int, code: str
) -> None:
    limits = shared()
    async with serving(limits) as server:
        raw = await opened_with(server, extra)
        answer = await raw.answer()
        assert (answer.status, answer.code) == (status, code)
        raw.send(b"hello" * 100)
        assert await raw.ended() == b""
        await asyncio.sleep(0.05)
        assert limits.counts.total == 0
        assert not server.connections


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.PING])
async def test_one_busy_connection_does_not_starve_the_others(opcode: Opcode) -> None:
    async with serving(shared(), deaf) as server:
        busy = await opened(server)
        other = await opened(server)
        busy.send(frame(opcode, b"") * 100_000)
        worst = 0.0
        loop = asyncio.get_running_loop()
        for _ in range(20):
            asked = loop.time()
            other.send(frame(Opcode.PING, b"a"))
            async with asyncio.timeout(5):
                assert await other.reader.readexactly(3) == b"\x8a\x01a"
            worst = max(worst, loop.time() - asked)
        assert worst < 1.0
        busy.close()
        other.close()
        await asyncio.sleep(0.05)


async def test_a_connection_that_ended_leaves_nothing_for_the_garbage_collector() -> None:
    async with serving(shared()) as server:
        gc.collect()
        gc.disable()
        try:
            for ending in (frame(Opcode.CLOSE, b"\x03\xe8"), b""):
                raw = await opened(server)
                (protocol,) = protocols(server)
                gone = asyncio.Event()
                watched = weakref.ref(protocol, lambda _, gone=gone: gone.set())  # type: ignore[misc]
                del protocol
                raw.send(ending)
                if ending:
                    await raw.ended()
                raw.close()
                async with asyncio.timeout(5):
                    await gone.wait()
                assert watched() is None
        finally:
            gc.enable()


async def refusing(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    await receive()
    headers, body = whole_problem(ForbiddenError("No."))
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "websocket.http.response.start", "status": 403, "headers": raw})
    await send({"type": "websocket.http.response.body", "body": body})


async def test_a_refused_handshake_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(shared(), refusing) as server:
        answer = await server.ask(HANDSHAKE)
        assert (answer.status, answer.code) == (403, "forbidden")
        await asyncio.sleep(0.05)
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []
