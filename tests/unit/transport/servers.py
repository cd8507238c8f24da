"""A real server on a free port, in this process, with an application of a few lines."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from chat_mvp.cli.serving import ChatServer


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
async def listening(config: uvicorn.Config) -> AsyncIterator[str]:
    """Serve until the block ends; gives host and port."""
    ready = asyncio.Event()
    server = ChatServer(config, on_ready=ready.set)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        await asyncio.wait([serving, asyncio.ensure_future(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
        try:
            yield "{}:{}".format(*listener.getsockname())
        finally:
            server.should_exit = True
            await serving
