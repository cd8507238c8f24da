"""Signals and the order of stopping, in a process of its own."""

import asyncio
import signal
import subprocess
import sys
import time

import httpx
import pytest
import uvicorn
import websockets

from chat_mvp.cli.serving import ChatServer, configured, shared_by_connections, stop_cleanly
from chat_mvp.settings import Settings
from tests.unit.transport.servers import listening, say_client

PROGRAM = """
import asyncio
from chat_mvp.cli.serving import StopSignals

async def stop():
    print("stopping", flush=True)
    {stop}
    over.set()

async def main():
    global over
    over = asyncio.Event()
    signals = StopSignals(stop_within_s=1.0)
    try:
        {start}
        print("running", flush=True)
        await over.wait()
    except asyncio.CancelledError:
        print("cancelled", signals.received, flush=True)

asyncio.run(main())
"""


class Process:
    def __init__(self, *, start: str = "signals.then(stop)", stop: str = "pass") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(start=start, stop=stop)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def ended(self) -> int:
        code = self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_for_a_clean_stop(number: int) -> None:
    process = Process()
    assert process.line() == "running"
    process.signal(number)
    assert process.line() == "stopping"
    assert process.ended() == 0


def test_a_start_that_swallowed_the_cancellation_ends_at_the_next_step() -> None:
    swallow = """
        print("starting", flush=True)
        try:
            await asyncio.sleep(9)
        except asyncio.CancelledError:
            pass
        signals.then(stop)"""
    process = Process(start=swallow)
    assert process.line() == "starting"
    process.signal(signal.SIGTERM)
    assert process.line() == "cancelled True"
    assert process.ended() == 0


def test_a_second_sigterm_changes_nothing() -> None:
    process = Process(stop="await asyncio.sleep(0.3)")
    assert process.line() == "running"
    process.signal(signal.SIGTERM)
    assert process.line() == "stopping"
    process.signal(signal.SIGTERM)
    assert process.ended() == 0


def test_a_second_ctrl_c_ends_it_at_once() -> None:
    process = Process(stop="await asyncio.sleep(60)")
    assert process.line() == "running"
    process.signal(signal.SIGINT)
    assert process.line() == "stopping"
    began = time.monotonic()
    process.signal(signal.SIGINT)
    assert process.ended() == 130
    assert time.monotonic() - began < 0.9


@pytest.mark.parametrize("hanging", ["await asyncio.sleep(60)", "__import__('time').sleep(60)"])
def test_a_stop_that_hangs_is_ended_by_force(hanging: str) -> None:
    process = Process(stop=hanging)
    assert process.line() == "running"
    process.signal(signal.SIGTERM)
    assert process.line() == "stopping"
    assert process.ended() == 1


def test_a_signal_while_it_starts_cancels_the_start() -> None:
    process = Process(start="print('starting', flush=True); await asyncio.sleep(60)")
    assert process.line() == "starting"
    process.signal(signal.SIGTERM)
    assert process.line() == "cancelled True"
    assert process.ended() == 0


class Server(ChatServer):
    """One that listens nowhere."""

    def __init__(self) -> None:
        super().__init__(uvicorn.Config(app="none:none", log_config=None), on_ready=lambda: None)
        self.servers = []
        self._listens.set()


async def test_the_server_ends_after_the_goodbye() -> None:
    server, order = Server(), []

    async def goodbye() -> None:
        order.append(server.should_exit)

    await stop_cleanly(server, goodbye)
    assert order == [False]
    assert server.should_exit


@pytest.mark.parametrize("trouble", [RuntimeError("surprise"), TimeoutError(), OSError("no database")])
async def test_the_server_ends_though_the_goodbye_fails(trouble: Exception) -> None:
    server = Server()

    async def goodbye() -> None:
        await asyncio.sleep(0)
        raise trouble

    await stop_cleanly(server, goodbye)
    assert server.should_exit


@pytest.mark.parametrize(("trust", "expected"), [(False, "127.0.0.1"), (True, "198.51.100.1")])
async def test_proxies_are_believed_only_when_asked_for(trust: bool, expected: str) -> None:
    settings = Settings(trust_proxy=trust)
    config = configured(say_client, settings, shared_by_connections(settings))
    async with listening(config) as url:
        headers = {"X-Forwarded-For": "6.6.6.6, 198.51.100.1"}
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://{url}/", headers=headers)).text == expected
        async with websockets.connect(f"ws://{url}/", additional_headers=headers, proxy=None) as socket:
            assert await socket.recv() == expected
