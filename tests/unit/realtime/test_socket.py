"""From the handshake to the end of a connection, without a server: which are accepted, and which are closed."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from chat_mvp.limits import FRAMES_BURST, MAX_CONNECTIONS_PER_ACCOUNT
from chat_mvp.protocol import CLOSE_TOO_MANY, CLOSE_UNAUTHENTICATED, Connect, Pong
from chat_mvp.realtime.admission import Admission, Slot
from chat_mvp.realtime.connect_flow import CatchingUp, ConnectFlow
from chat_mvp.realtime.connection import Connection
from chat_mvp.realtime.connection_closer import ConnectionCloser
from chat_mvp.realtime.heartbeat import ConnectionLog
from chat_mvp.realtime.presence import PresenceTracker
from chat_mvp.realtime.registry import Registry
from chat_mvp.realtime.socket import SocketEndpoint
from chat_mvp.security.authentication import Authenticator
from chat_mvp.security.budgets import RateLimits
from chat_mvp.security.tokens import Tokens

CONNECT = msgspec.json.encode(Connect(token="a token")).decode()


class Client:
    """One WebSocket as an ASGI server drives it."""

    def __init__(self, endpoint: SocketEndpoint, *texts: str) -> None:
        self.sent: list[dict[str, Any]] = []
        self._endpoint = endpoint
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._events.put_nowait({"type": "websocket.connect"})
        self.say(*texts)

    def say(self, *texts: str) -> None:
        """Send these frames."""
        for text in texts:
            self._events.put_nowait({"type": "websocket.receive", "text": text})

    async def serve(self) -> None:
        """Be served until the connection ends."""
        await self._endpoint({"headers": []}, self._events.get, self._send)

    def leave(self) -> None:
        """Go away."""
        self._events.put_nowait({"type": "websocket.disconnect"})

    @property
    def code(self) -> int | None:
        """The code that the server closed with."""
        return next((event["code"] for event in self.sent if event["type"] == "websocket.close"), None)

    async def _send(self, event: dict[str, Any]) -> None:
        self.sent.append(event)
        if event["type"] == "websocket.close":
            self._events.put_nowait({"type": "websocket.disconnect"})


class House:
    """An endpoint with fake accounts, greetings and storage. ``arriving`` runs while a user signs in."""

    def __init__(self) -> None:
        claims = SimpleNamespace(sub="ann", sid="her session", exp=time.time() + 900)
        tokens = cast("Tokens", SimpleNamespace(verify=lambda _: claims))
        self.authenticator = Authenticator(tokens, self._owner)
        self.registry = Registry(lambda _: None)
        self.arriving: Callable[[], Awaitable[None]] = self._nothing
        self.endpoint = SocketEndpoint(
            authenticator=self.authenticator,
            admission=Admission(),
            registry=self.registry,
            connect_flow=cast("ConnectFlow", SimpleNamespace(start=self._start)),
            dispatcher=cast("Any", SimpleNamespace(dispatch=_answer)),
            presence=cast("PresenceTracker", SimpleNamespace(arrive=self._arrive, unwatch=lambda _: None)),
            connection_log=cast("ConnectionLog", SimpleNamespace(began=lambda _: None, ended=lambda _: None)),
            closer=ConnectionCloser(),
            allowed_origins=(),
            has_limits=True,
            rate_limits=RateLimits(),
        )

    async def _owner(self, _session_id: str) -> str:
        return "ann"

    async def _nothing(self) -> None:
        await asyncio.sleep(0)

    async def _arrive(self, _user_id: str) -> None:
        await self.arriving()

    async def _start(self, _connection: Connection, _frame: Connect, _slot: Slot) -> CatchingUp:
        return self._nothing


def _answer(connection: Connection, _frame: object) -> None:
    connection.answer(Pong(server_time=""))


async def test_a_sign_out_while_one_signs_in_is_noticed() -> None:
    house = House()

    async def sign_out() -> None:
        house.authenticator.end_session("her session")

    house.arriving = sign_out
    client = Client(house.endpoint, CONNECT)
    async with asyncio.timeout(5):
        await client.serve()
    assert client.code == CLOSE_UNAUTHENTICATED
    assert len(house.registry) == 0


async def test_of_many_concurrent_handshakes_no_more_than_allowed_succeed() -> None:
    house = House()
    clients = [Client(house.endpoint, CONNECT) for _ in range(MAX_CONNECTIONS_PER_ACCOUNT + 5)]
    tasks = [asyncio.create_task(client.serve()) for client in clients]
    done, waiting = await asyncio.wait(tasks, timeout=0.5)
    assert (len(done), len(waiting)) == (5, MAX_CONNECTIONS_PER_ACCOUNT)
    assert [client.code for client in clients].count(CLOSE_TOO_MANY) == len(done)
    for task in waiting:
        task.cancel()


@pytest.mark.parametrize("text", ['{"type": "ping"}', '{"type": "ping", "ref": []}'], ids=["good", "refused"])
async def test_a_flood_of_frames_ends_the_connection(text: str) -> None:
    house = House()
    client = Client(house.endpoint, CONNECT)
    serving = asyncio.create_task(client.serve())
    async with asyncio.timeout(10):
        for _ in range(FRAMES_BURST // 100 + 30):
            client.say(*[text] * 100)
            await asyncio.sleep(0.001)
        await serving
    assert client.code == CLOSE_TOO_MANY


async def test_a_connection_that_ended_leaves_nothing_for_the_garbage_collector() -> None:
    house = House()
    gc.collect()
    gc.disable()
    before = len(connections())
    try:
        client = Client(house.endpoint, CONNECT)
        serving = asyncio.create_task(client.serve())
        await asyncio.sleep(0.05)
        assert len(connections()) == before + 1
        client.leave()
        async with asyncio.timeout(5):
            await serving
        await asyncio.sleep(0)
        assert len(connections()) == before
    finally:
        gc.enable()


def connections() -> list[Connection]:
    # Not isinstance: it asks proxies, whose objects may be gone.
    return [it for it in gc.get_objects() if type(it) is Connection]
