"""What one client may send before a request reaches the application: raw bytes against a real server."""

import asyncio
import time

import pytest

from tests.unit.transport.servers import Address, Raw, serving, shared

GET = b"GET / HTTP/1.1\r\nHost: chat\r\n"
POST = b"POST / HTTP/1.1\r\nHost: chat\r\n"
END = b"\r\n"


def header(size: int, name: bytes = b"X") -> bytes:
    return name + b": " + b"v" * size + b"\r\n"


# -------------------------------------------------------------------------------------------------- lines and headers


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"GET /" + b"a" * 8_000 + b" HTTP/1.1\r\nHost: chat\r\n\r\n", 414, "url_too_long"),
        (b"GET /?q=" + b"a" * 30_000, 414, "url_too_long"),
        (GET + header(17_000) + END, 431, "headers_too_large"),
        (GET + header(9_000, b"A") + header(9_000, b"B") + END, 431, "headers_too_large"),
        (GET + b"n" * 40_000, 431, "headers_too_large"),
        (GET + b"X: " + b"v" * 40_000, 431, "headers_too_large"),
        (GET + b"X: a\r\n" * 101 + END, 431, "headers_too_large"),
        (GET + b"Upgrade: websocket\r\nConnection: Upgrade\r\n" + header(17_000) + END, 431, "headers_too_large"),
        (b"\r\n" * 20_000, 431, "headers_too_large"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n5;" + b"x" * 40_000, 431, "headers_too_large"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + header(17_000) + END, 431, "headers_too_large"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: " + b"v" * 40_000, 431, "headers_too_large"),
        (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400, "bad_request"),
        (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, "bad_request"),
        (POST + b"Content-Length: -1\r\n\r\n", 400, "bad_request"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nZ\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (GET + b"Host: other\r\n\r\n", 400, "bad_request"),
        (GET + b"HOST: chat\r\n\r\n", 400, "bad_request"),
        (GET + b"Host: other\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad_request"),
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 501, "unsupported_transfer_coding"),
        (POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", 501, "unsupported_transfer_coding"),
        (b"GET / HTTP/2.0\r\nHost: chat\r\n\r\n", 505, "unsupported_http_version"),
        (b"GET / HTTP/0.9\r\nHost: chat\r\n\r\n", 505, "unsupported_http_version"),
        (b"GET / HTTP/9.9\r\n\r\n", 400, "bad_request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "bad_request"),
        (b"CONNECT chat:443 HTTP/1.1\r\nHost: chat\r\n\r\n", 400, "bad_request"),
    ],
)
async def test_what_is_refused(request_: bytes, status: int, code: str) -> None:
    async with serving(shared()) as server:
        answer = await server.ask(request_)
        assert (answer.status, answer.code) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["connection"] == "close"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert (await server.ask(GET + END)).status == 200


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /" + b"a" * 7_900 + b" HTTP/1.1\r\nHost: chat\r\n\r\n",
        GET + header(16_000) + END,
        GET + b"X: a\r\n" * 99 + END,
        b"\r\n\r\n" + GET + END,
        b"GET / HTTP/1.0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
    ],
)
async def test_what_is_within_the_limits(request_: bytes) -> None:
    async with serving(shared()) as server:
        assert (await server.ask(request_)).status == 200


async def test_a_body_in_chunks_of_one_byte() -> None:
    async with serving(shared()) as server:
        answer = await server.ask(POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n")
        assert answer.body == b"50000"


async def test_an_endless_header_that_trickles() -> None:
    async with serving(shared(head_s=60.0)) as server:
        raw = await server.open()
        raw.send(GET + b"X: ")
        dripping = asyncio.create_task(dripped(raw, b"v" * 2_000))
        assert (await raw.answer()).status == 431
        dripping.cancel()
        raw.close()


# --------------------------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize(
    ("begun", "drip"),
    [(GET, b""), (GET, b"X: a\r\n"), (GET + b"X: ", b"a"), (b"G", b""), (b"GET /", b"a"), (b"\r\n", b"\r\n")],
)
async def test_headers_that_do_not_end(begun: bytes, drip: bytes) -> None:
    async with serving(shared(head_s=0.3)) as server:
        raw = await server.open()
        raw.send(begun)
        dripping = asyncio.create_task(dripped(raw, drip))
        answer = await raw.answer()
        dripping.cancel()
        raw.close()
        assert answer.status in {400, 408}
        assert answer.code in {"bad_request", "request_timeout"}


async def dripped(raw: Raw, data: bytes) -> None:
    while True:
        raw.send(data)
        await asyncio.sleep(0.05)


async def test_a_connection_that_asks_nothing_is_closed_without_a_word() -> None:
    async with serving(shared(head_s=0.3)) as server:
        raw = await server.open()
        assert await raw.ended() == b""


@pytest.mark.parametrize("head", [b"Content-Length: 1000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
async def test_a_body_that_does_not_end(head: bytes) -> None:
    async with serving(shared(body_s=0.2)) as server:
        answer = await server.ask(POST + head)
        assert (answer.status, answer.code) == (408, "request_timeout")


async def test_a_body_that_trickles() -> None:
    async with serving(shared(body_s=0.2)) as server:
        raw = await server.open()
        raw.send(POST + b"Content-Length: 100000\r\n\r\n")
        dripping = asyncio.create_task(dripped(raw, b"x"))
        assert (await raw.answer()).status == 408
        dripping.cancel()
        raw.close()


async def test_a_chunk_extension_that_trickles() -> None:
    async with serving(shared(body_s=0.2)) as server:
        raw = await server.open()
        raw.send(POST + b"Transfer-Encoding: chunked\r\n\r\n5;")
        dripping = asyncio.create_task(dripped(raw, b"x"))
        assert (await raw.answer()).status == 408
        dripping.cancel()
        raw.close()


async def test_a_slow_body_at_the_rate_that_is_asked_for() -> None:
    async with serving(shared(body_s=0.2, body_bytes_per_s=1_000)) as server:
        raw = await server.open()
        raw.send(POST + b"Content-Length: 800\r\n\r\n")
        for _ in range(8):
            raw.send(b"x" * 100)
            await asyncio.sleep(0.08)
        assert (await raw.answer()).body == b"800"
        raw.close()


async def test_the_server_has_as_much_time_as_it_needs() -> None:
    async with serving(shared(body_s=0.2, head_s=0.2)) as server:
        whole = await server.ask(b"POST /slow HTTP/1.1\r\nHost: chat\r\nContent-Length: 1\r\n\r\nx")
        assert whole.status == 200


async def test_a_client_that_waits_to_be_asked_for_its_body_is_not_late() -> None:
    async with serving(shared(body_s=0.2)) as server:
        raw = await server.open()
        raw.send(b"POST /slow HTTP/1.1\r\nHost: chat\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert (await raw.answer()).status == 100
        raw.send(b"abc")
        assert (await raw.answer()).body == b"3"
        raw.close()


async def test_a_body_after_the_answer_has_an_end() -> None:
    async with serving(shared(body_s=0.2)) as server:
        raw = await server.open()
        raw.send(b"POST /deaf HTTP/1.1\r\nHost: chat\r\nContent-Length: 100000\r\n\r\n")
        assert (await raw.answer()).status == 401
        dripping = asyncio.create_task(dripped(raw, b"x"))
        assert await raw.ended() == b""
        dripping.cancel()


async def test_a_long_body_after_the_answer_is_cut_off() -> None:
    async with serving(shared(body_bytes=10_000)) as server:
        raw = await server.open()
        raw.send(b"POST /deaf HTTP/1.1\r\nHost: chat\r\nContent-Length: 100000000\r\n\r\n")
        assert (await raw.answer()).status == 401
        flood = asyncio.create_task(flooded(raw))
        assert await raw.ended() == b""
        flood.cancel()


async def flooded(raw: Raw) -> None:
    while not raw.writer.is_closing():
        raw.send(b"x" * 10_000)
        await asyncio.sleep(0)


async def test_a_client_that_does_not_read_its_answer() -> None:
    async with serving(shared(read_s=0.2)) as server:
        raw = await server.open()
        raw.writer.transport.pause_reading()
        raw.send(b"GET /long HTTP/1.1\r\nHost: chat\r\n\r\n")
        await asyncio.sleep(0.8)
        raw.writer.transport.resume_reading()
        assert len(await raw.ended()) < 8_000_000


async def test_a_slow_client_gets_all_of_an_answer_behind_which_the_connection_ends() -> None:
    async with serving(shared(read_s=2.0, linger_s=0.05)) as server:
        raw = await server.open()
        raw.writer.transport.pause_reading()
        raw.send(b"GET /long HTTP/1.1\r\nHost: chat\r\nConnection: close\r\n\r\n")
        await asyncio.sleep(0.5)
        raw.writer.transport.resume_reading()
        assert len(await raw.ended()) > 8_000_000


async def test_clients_that_do_not_read_their_answers_hold_so_much_in_all() -> None:
    limited = shared(read_s=60.0, unread_bytes=15_000_000)
    long = b"GET /long HTTP/1.1\r\nHost: chat\r\nConnection: close\r\n\r\n"
    async with serving(limited) as server:
        raws = []
        for _ in range(8):
            raws.append(await server.open())
            raws[-1].writer.transport.pause_reading()
            raws[-1].send(long)
            await asyncio.sleep(0.1)
        assert 0 < limited.unread.used <= 15_000_000
        for raw in raws:
            raw.writer.transport.resume_reading()
        sizes = [len(answer) for answer in await asyncio.gather(*(raw.ended() for raw in raws))]
        assert sizes[0] < 8_000_000, "the one that waits longest is cut"
        assert sizes[-1] > 8_000_000, "the one that came last is not"
        assert len((await server.ask(long)).body) == 8_000_000
        await asyncio.sleep(0.1)
        assert limited.unread.used == 0


# ---------------------------------------------------------------------------------------------------------- pipelining


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with serving(shared(pipelined=16)) as server:
        raw = await server.open()
        raw.send(b"".join(POST + b"Content-Length: %d\r\n\r\n" % size + b"x" * size for size in range(10)))
        assert [int((await raw.answer()).body) for _ in range(10)] == list(range(10))
        raw.close()


async def test_too_many_pipelined_requests_end_the_connection() -> None:
    async with serving(shared(pipelined=4)) as server:
        raw = await server.open()
        raw.send(b"POST /slow HTTP/1.1\r\nHost: chat\r\n\r\n" + (GET + END) * 500)
        assert (await raw.ended()).count(b"HTTP/1.1 200") < 10


async def test_pipelined_requests_of_a_client_that_goes_away_are_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(shared()) as server:
        raw = await server.open()
        raw.send(b"POST /slow HTTP/1.1\r\nHost: chat\r\n\r\n" * 3 + GET + b"\r\n")
        await asyncio.sleep(0.1)
        raw.close()
        await asyncio.sleep(1.0)
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []


async def test_no_refusal_is_taken_for_the_answer_to_an_earlier_request() -> None:
    async with serving(shared()) as server:
        raw = await server.open()
        raw.send(b"GET /slow HTTP/1.1\r\nHost: chat\r\n\r\n" + b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n")
        assert b" 414 " not in await raw.ended()


async def test_no_websocket_opens_behind_an_unanswered_request() -> None:
    upgrade = (
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    async with serving(shared()) as server:
        raw = await server.open()
        raw.send(b"GET /slow HTTP/1.1\r\nHost: chat\r\n\r\n" + GET + upgrade)
        assert b" 101 " not in await raw.ended()


# -------------------------------------------------------------------------------------------------------------- memory


async def test_of_many_unfinished_bodies_the_oldest_are_given_up() -> None:
    limits = shared(intake_bytes=50_000, body_s=60.0)
    async with serving(limits) as server:
        raws = [await half_body(server, 8_000) for _ in range(10)]
        for raw in raws[:4]:
            answer = await raw.answer()
            assert (answer.status, answer.code) == (503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
        assert limits.intake.used <= 50_000
        assert (await server.ask(POST + b"Content-Length: 4000\r\n\r\n" + b"x" * 4_000)).body == b"4000"
        for raw in raws:
            raw.close()
        await until_zero(limits.intake)


async def half_body(server: Address, size: int) -> Raw:
    raw = await server.open()
    raw.send(POST + b"Content-Length: 100000\r\n\r\n" + b"x" * size)
    await asyncio.sleep(0.02)
    return raw


async def until_zero(budget: object) -> None:
    deadline = time.monotonic() + 5
    while budget.used:  # type: ignore[attr-defined]
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


async def test_answered_requests_hold_nothing() -> None:
    limits = shared()
    async with serving(limits) as server:
        raw = await server.open()
        for _ in range(3):
            raw.send(POST + b"Content-Length: 5000\r\n\r\n" + b"x" * 5_000)
            assert (await raw.answer()).body == b"5000"
        assert limits.intake.used == 0
        raw.close()


# --------------------------------------------------------------------------------------------------------- connections


async def test_connections_in_total() -> None:
    limits = shared(connections=3)
    async with serving(limits) as server:
        raws = [await server.open() for _ in range(3)]
        await asyncio.sleep(0.05)
        answer = await server.ask(GET + END)
        assert (answer.status, answer.code) == (503, "unavailable")
        assert "retry-after" in answer.headers
        for raw in raws:
            raw.close()
        await asyncio.sleep(0.05)
        assert limits.counts.total == 0
        assert (await server.ask(GET + END)).status == 200


async def test_a_websocket_keeps_the_place_of_its_connection_until_it_ends() -> None:
    import websockets  # noqa: PLC0415 - only here

    limits = shared()
    async with serving(limits) as server:
        url = f"ws://{server.host}:{server.port}/"
        async with websockets.connect(url, proxy=None) as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"
            assert limits.counts.total == 1
        await asyncio.sleep(0.05)
        assert limits.counts.total == 0


async def test_websockets_behind_a_proxy_count_for_the_address_that_it_names() -> None:
    import websockets  # noqa: PLC0415 - only here
    from websockets.exceptions import InvalidStatus  # noqa: PLC0415 - the same

    async with serving(shared(per_address=2, trusted_proxies=1)) as server:
        url = f"ws://{server.host}:{server.port}/"

        def connect(address: str) -> websockets.connect:
            return websockets.connect(url, proxy=None, additional_headers={"X-Forwarded-For": address})

        async with connect("198.51.100.1"), connect("198.51.100.1"), connect("198.51.100.2"):
            with pytest.raises(InvalidStatus) as refusal:
                await connect("6.6.6.6, 198.51.100.1")
            assert refusal.value.response.status_code == 429
        await asyncio.sleep(0.05)
        async with connect("198.51.100.1"):
            pass
