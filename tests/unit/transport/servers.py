"""A real server on a free port, in this process, with an application of a few lines."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import uvicorn

from chat_mvp.cli.serving import ChatServer, configured
from chat_mvp.settings import Settings
from chat_mvp.transport.connections import ConnectionCounts
from chat_mvp.transport.intake import IntakeBudget
from chat_mvp.transport.reading import ReadBuffer
from chat_mvp.transport.shared import HttpLimits, Shared
from chat_mvp.transport.watch import Watch


async def say_client(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the address that the request or the WebSocket came from."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    address = scope["client"][0]
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": address})
        await receive()
        return
    await answer(send, address.encode())


async def answer(send: Any, body: bytes, status: int = 200) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def lifespan(receive: Any, send: Any) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def listening(config: uvicorn.Config) -> AsyncIterator["Address"]:
    """Serve until the block ends, and then cut what the test has opened."""
    ready = asyncio.Event()
    server = ChatServer(config, on_ready=ready.set)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        await asyncio.wait([serving, asyncio.ensure_future(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
        host, port = listener.getsockname()
        address = Address(host, port, server.server_state.connections, [])
        try:
            yield address
        finally:
            for raw in address.opened:
                raw.close()
            server.should_exit = True
            await serving


def shared(
    *,
    connections: int = 1_000,
    per_address: int = 1_000,
    intake_bytes: int = 1_000_000,
    unread_bytes: int = 100_000_000,
    trusted_proxies: int = 0,
    **limits: Any,
) -> Shared:
    """Return what connections share, with short times; ``limits`` are those of ``HttpLimits``."""
    return Shared(
        counts=ConnectionCounts(max_total=connections, max_per_address=per_address),
        intake=IntakeBudget(intake_bytes),
        unread=IntakeBudget(unread_bytes),
        watch=Watch(0.02),
        buffer=ReadBuffer(),
        trusted_proxies=trusted_proxies,
        limits=HttpLimits(
            **{"head_s": 0.4, "body_s": 0.4, "read_s": 0.4, "linger_s": 0.2, "pings_per_s": 1_000_000} | limits
        ),
    )


async def read_body(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the number of bytes in the body; ``/deaf`` answers without reading, ``/slow`` only later.

    ``/long`` answers with 8 MB.
    """
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    if scope["type"] == "websocket":
        await echo(receive, send)
        return
    if scope["path"] == "/deaf":
        await answer(send, b"deaf", 401)
        return
    if scope["path"] == "/slow":
        await asyncio.sleep(0.8)
    if scope["path"] == "/long":
        await answer(send, bytes(8_000_000))
        return
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        more = message["more_body"]
    await answer(send, str(size).encode())


async def echo(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


@asynccontextmanager
async def serving(shared: Shared, app: Any = read_body) -> AsyncIterator["Address"]:
    """Serve ``app`` with these limits until the block ends."""
    async with listening(configured(app, Settings(), shared)) as address:
        yield address


class Address(NamedTuple):
    """Where a server listens, its open connections, and what the test has opened."""

    host: str
    port: int
    connections: Collection[object]
    opened: list["Raw"]

    def __str__(self) -> str:
        """Return host and port."""
        return f"{self.host}:{self.port}"

    async def open(self) -> "Raw":
        reader, writer = await asyncio.open_connection(self.host, self.port)
        raw = Raw(reader, writer)
        self.opened.append(raw)
        return raw

    async def ask(self, *parts: bytes) -> "Answer":
        """Send bytes on a connection of their own and return the first answer."""
        raw = await self.open()
        try:
            for part in parts:
                raw.send(part)
            return await raw.answer()
        finally:
            raw.close()


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


class Raw:
    """A client that may send what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        if not self.writer.is_closing():
            self.writer.write(data)

    async def answer(self, within_s: float = 5.0) -> Answer:
        async with asyncio.timeout(within_s):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
            return Answer(int(head[0].split()[1]), headers, body)

    async def ended(self, within_s: float = 5.0) -> bytes:
        """Return what still comes until the server closes the connection."""
        async with asyncio.timeout(within_s):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""
            finally:
                self.close()

    def close(self) -> None:
        self.writer.transport.abort()
