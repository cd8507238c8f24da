"""A typed, asynchronous client: ``Client`` for HTTP, ``Session`` for live events.

    async with Client("http://127.0.0.1:8080") as client:
        await client.login("ada", password)
        async with client.session() as session:
            await session.send("Hello!", to=user_id)
            async for frame in session:
                ...

It uses the types of ``chat_mvp.protocol`` and imports nothing else of the server.
"""

from chat_mvp.client.api import Client
from chat_mvp.client.errors import ClientError, ConnectionLostError, RefusedError, SignedOutError
from chat_mvp.client.session import Session
from chat_mvp.client.tokens import Tokens, TokenStore

__all__ = [
    "Client",
    "ClientError",
    "ConnectionLostError",
    "RefusedError",
    "Session",
    "SignedOutError",
    "TokenStore",
    "Tokens",
]
