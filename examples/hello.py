"""Two people exchange a message: python examples/hello.py [address of the server]."""

import asyncio
import secrets
import sys

from chat_mvp.client import Client
from chat_mvp.protocol import MessageNew


async def main(url: str) -> None:
    """Let Ada write to Bob, and show what arrives."""
    async with Client(url) as ada, Client(url) as bob:
        name, password = secrets.token_hex(4), secrets.token_urlsafe()
        await ada.register(f"ada_{name}", f"ada_{name}@example.org", password)
        friend = await bob.register(f"bob_{name}", f"bob_{name}@example.org", password)
        async with ada.session() as writer, bob.session() as reader:
            await writer.send("Hello from Python!", to=friend.id)
            async for frame in reader:
                if isinstance(frame, MessageNew):
                    print(frame.message.text)
                    return


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"))
