"""Guessing passwords is stopped, and the owner of the account still signs in."""

import asyncio
from http.cookies import SimpleCookie

import httpx
import pytest

from tests.conftest import Launch
from tests.support.http import API, expect_json, expect_problem
from tests.support.people import PASSWORD, Chat, unique
from tests.support.server import PROGRAM

ATTACKERS = 20
"""Addresses of this machine's loopback network that guess."""


def from_address(chat: Chat, address: str) -> httpx.AsyncClient:
    """Return a client that connects from another address of the loopback network."""
    transport = httpx.AsyncHTTPTransport(local_address=address, verify=False)
    return httpx.AsyncClient(base_url=chat.server.origin, transport=transport, timeout=60.0)


async def sign_in(http: httpx.AsyncClient, login: str, password: str) -> httpx.Response:
    return await http.post(f"{API}/auth/login", json={"login": login, "password": password})


async def test_an_attack_from_many_addresses_leaves_the_owner_in(launch: Launch) -> None:
    chat = await launch(module=PROGRAM, RATE_LIMITS="on")
    ann = await chat.person("ann")
    codes: list[int] = []
    under_way, over = asyncio.Event(), asyncio.Event()

    async def attack(number: int) -> None:
        async with from_address(chat, f"127.0.1.{number + 1}") as http:
            while not over.is_set():
                codes.append((await sign_in(http, ann.username, "a wrong guess")).status_code)
                if len(codes) >= ATTACKERS:
                    under_way.set()

    attackers = [asyncio.create_task(attack(number)) for number in range(ATTACKERS)]
    await under_way.wait()
    for address in ("127.0.0.1", "127.0.2.1"):
        async with from_address(chat, address) as http:
            expect_json(await sign_in(http, ann.username, PASSWORD))
    over.set()
    await asyncio.gather(*attackers)
    assert set(codes) <= {401, 429}
    assert codes.count(401) <= 100 + 3 * ATTACKERS + 10


@pytest.mark.parametrize("known", [True, False])
async def test_known_and_unknown_accounts_are_refused_alike(launch: Launch, known: bool) -> None:
    chat = await launch(module=PROGRAM, RATE_LIMITS="on")
    login = (await chat.person("ann")).username if known else unique("ann")
    async with from_address(chat, "127.0.3.1") as http:
        answers = [await sign_in(http, login, f"wrong {number}") for number in range(14)]
    for answer in answers[:10]:
        assert (
            expect_problem(answer, 401, "unauthenticated")["detail"]
            == "The username, e-mail address or password is wrong."
        )
    for answer in answers[10:]:
        refused = expect_problem(answer, 429, "rate_limited")
        assert 0 < refused["retry_after_ms"] <= 30_000
        assert 1 <= int(answer.headers["retry-after"]) <= 30


async def test_failures_leave_a_line_and_a_count(launch: Launch) -> None:
    chat = await launch(module=PROGRAM, RATE_LIMITS="on")
    async with from_address(chat, "127.0.3.2") as http:
        await sign_in(http, "someone\nforged", "my secret guess")
    metrics = (await chat.http.get("/metrics")).text
    assert 'chat_mvp_sign_ins_total{result="wrong"} 1.0' in metrics
    (line,) = [line for line in chat.server.log.splitlines() if "sign-in failed" in line]
    assert "someone\\nforged" in line
    assert "127.0.3.2" in line
    assert "no such account" in line
    assert "my secret guess" not in chat.server.log


async def test_a_browser_that_signed_in_before_is_not_kept_out_by_others_at_its_address(launch: Launch) -> None:
    chat = await launch(module=PROGRAM, RATE_LIMITS="on")
    ann = await chat.person("ann")
    async with from_address(chat, "127.0.0.1") as http:
        answer = await sign_in(http, ann.username, PASSWORD)
        cookies = [SimpleCookie(value) for value in answer.headers.get_list("set-cookie")]
        (device,) = [cookie["__Secure-chat_device"] for cookie in cookies if "__Secure-chat_device" in cookie]
        assert (device["path"], device["httponly"], device["secure"]) == ("/api/v1/auth", True, True)
        http.cookies.clear()
        while (await sign_in(http, ann.username, "a wrong guess")).status_code == 401:
            pass
        expect_problem(await sign_in(http, ann.username, PASSWORD), 429, "rate_limited")
        body = {"login": ann.username, "password": PASSWORD}
        # A browser sends what stands in the header, with quotes if there are any.
        with_cookie = {"Cookie": f"__Secure-chat_device={device.coded_value}"}
        expect_json(await http.post(f"{API}/auth/login", json=body, headers=with_cookie))
