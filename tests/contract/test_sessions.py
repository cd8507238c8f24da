"""Sessions: refresh with rotation, logout, expiry (protocol.md section 1)."""

import asyncio
import time
from http.cookies import SimpleCookie
from typing import Any

import httpx
import jwt
import pytest

from tests.conftest import Launch
from tests.support.events import stored_events
from tests.support.http import API, expect_json, expect_nothing, expect_problem
from tests.support.people import Chat, Person

GRACE_S = 10.0
SECRET = "a secret of sixty-four characters, for tests and for nothing else"


async def refresh(chat: Chat, token: str, **options: Any) -> httpx.Response:
    return await chat.http.post(f"{API}/auth/refresh", json={"refresh_token": token}, **options)


async def me(chat: Chat, access_token: str) -> httpx.Response:
    return await chat.http.get(f"{API}/users/me", headers={"Authorization": f"Bearer {access_token}"})


def pair(answer: dict[str, Any]) -> tuple[str, str]:
    return answer["access_token"], answer["refresh_token"]


async def test_refresh_gives_a_new_pair(chat: Chat) -> None:
    person = await chat.person()
    answer = expect_json(await refresh(chat, person.refresh_token))
    assert answer.keys() == {"user", "access_token", "refresh_token", "expires_in"}
    assert answer["user"]["id"] == person.id
    assert answer["refresh_token"] != person.refresh_token
    assert expect_json(await me(chat, answer["access_token"]))["id"] == person.id


async def test_a_lost_answer_can_be_asked_for_again(chat: Chat) -> None:
    person = await chat.person()
    first = expect_json(await refresh(chat, person.refresh_token))
    again = expect_json(await refresh(chat, person.refresh_token))
    assert pair(again) == pair(first)
    expect_json(await refresh(chat, again["refresh_token"]))


async def test_two_tabs_that_refresh_at_once_get_the_same_pair(chat: Chat) -> None:
    person = await chat.person()
    responses = await asyncio.gather(*(refresh(chat, person.refresh_token) for _ in range(4)))
    assert len({pair(expect_json(response)) for response in responses}) == 1


async def test_a_spent_token_ends_its_session_once_its_successor_was_used(chat: Chat) -> None:
    person = await chat.person()
    elsewhere = await person.sign_in_again()
    second = expect_json(await refresh(chat, person.refresh_token))
    third = expect_json(await refresh(chat, second["refresh_token"]))
    expect_problem(await refresh(chat, person.refresh_token), 401, "unauthenticated")
    expect_problem(await refresh(chat, third["refresh_token"]), 401, "unauthenticated")
    expect_problem(await me(chat, third["access_token"]), 401, "unauthenticated")
    expect_json(await refresh(chat, elsewhere.refresh_token))


@pytest.mark.slow
async def test_a_spent_token_ends_its_session_after_ten_seconds(chat: Chat) -> None:
    person = await chat.person()
    second = expect_json(await refresh(chat, person.refresh_token))
    await asyncio.sleep(GRACE_S + 0.5)
    expect_problem(await refresh(chat, person.refresh_token), 401, "unauthenticated")
    expect_problem(await refresh(chat, second["refresh_token"]), 401, "unauthenticated")


async def test_nonsense_is_no_refresh_token(chat: Chat) -> None:
    person = await chat.person()
    for token in ("", "nonsense", person.access_token, person.refresh_token + "x", person.refresh_token[:-1]):
        expect_problem(await refresh(chat, token), 401, "unauthenticated")
    expect_problem(await chat.http.post(f"{API}/auth/refresh", json={"refresh_token": 5}), 422, "validation")
    expect_json(await refresh(chat, person.refresh_token))


async def test_the_refresh_token_is_no_access_token(chat: Chat) -> None:
    person = await chat.person()
    expect_problem(await me(chat, person.refresh_token), 401, "unauthenticated")


async def test_refresh_by_cookie(chat: Chat) -> None:
    person = await chat.person()
    login = {"login": person.username, "password": person.password}
    response = await chat.http.post(f"{API}/auth/login", json=login)
    morsel = SimpleCookie(response.headers.get_list("set-cookie")[0])["__Secure-chat_refresh"]
    assert morsel.value == expect_json(response)["refresh_token"]
    assert morsel["httponly"]
    assert morsel["secure"]
    assert morsel["samesite"].lower() == "strict"
    assert morsel["path"] == "/api/v1/auth"
    assert not morsel["domain"]

    cookie = {"Cookie": f"__Secure-chat_refresh={morsel.value}"}
    answer = expect_json(await chat.http.post(f"{API}/auth/refresh", headers=cookie))
    assert answer["refresh_token"] != morsel.value
    assert expect_json(await me(chat, answer["access_token"]))["id"] == person.id


async def test_the_body_wins_over_the_cookie(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    cookie = {"Cookie": f"__Secure-chat_refresh={bob.refresh_token}"}
    assert expect_json(await refresh(chat, ann.refresh_token, headers=cookie))["user"]["id"] == ann.id
    expect_json(await refresh(chat, bob.refresh_token))


async def test_logout_ends_this_session_only(chat: Chat) -> None:
    person = await chat.person()
    elsewhere = await person.sign_in_again()
    here_socket, elsewhere_socket = await person.connect(), await elsewhere.connect()

    expect_nothing(await person.request("POST", "/auth/logout"))
    bye = await here_socket.expect("bye")
    assert bye["code"] == 4401
    assert await here_socket.closed() == 4401
    expect_problem(await person.get("/users/me"), 401, "unauthenticated")
    expect_problem(await refresh(chat, person.refresh_token), 401, "unauthenticated")

    await elsewhere_socket.ask("ping")
    expect_json(await elsewhere.get("/users/me"))
    expect_json(await refresh(chat, elsewhere.refresh_token))


async def test_each_way_to_end_sessions_is_one_event(chat: Chat) -> None:
    person = await chat.person()
    devices = [await person.sign_in_again() for _ in range(3)]
    sockets = [await device.connect() for device in devices]
    ids = [jwt.decode(device.access_token, options={"verify_signature": False})["sid"] for device in devices]

    async def ended() -> list[set[str]]:
        stored = await stored_events(chat.server, "session.ended")
        own = [events for events in stored if events[0]["user_id"] == person.id]
        return [{event["session_id"] for event in events} for events in own]

    expect_nothing(await devices[0].post("/auth/logout"))
    assert await sockets[0].closed() == 4401
    assert await ended() == [{ids[0]}]

    second = expect_json(await refresh(chat, devices[1].refresh_token))
    expect_json(await refresh(chat, second["refresh_token"]))
    expect_problem(await refresh(chat, devices[1].refresh_token), 401, "unauthenticated")
    assert await sockets[1].closed() == 4401
    assert (await ended())[1:] == [{ids[1]}]

    expect_nothing(await devices[2].post("/auth/logout-all"))
    assert await sockets[2].closed() == 4401
    (others,) = (await ended())[2:]
    assert ids[2] in others
    assert len(others) == 2, "the first sign-in too"


async def test_logout_wants_a_token(chat: Chat) -> None:
    expect_problem(await chat.http.post(f"{API}/auth/logout"), 401, "unauthenticated")


async def test_sessions_outlive_a_restart(launch: Launch) -> None:
    chat = await launch()
    person = await chat.person()
    await chat.server.restart()
    expect_json(await person.get("/users/me"))
    expect_json(await refresh(chat, person.refresh_token))


def forged(token: str, *, key: str, algorithm: str = "HS256", **claims: Any) -> str:
    """Return the token with other claims, signed anew."""
    header = jwt.get_unverified_header(token)
    payload = jwt.decode(token, options={"verify_signature": False}) | claims
    return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": header["kid"]})


async def test_access_tokens_are_signed_and_expire(launch: Launch) -> None:
    chat = await launch(JWT_SECRET=SECRET)
    person = await chat.person()
    claims = jwt.decode(person.access_token, options={"verify_signature": False})
    assert claims.keys() >= {"iat", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert jwt.get_unverified_header(person.access_token)["alg"] == "HS256"

    past = int(time.time()) - 60
    expired = forged(person.access_token, key=SECRET, exp=past, iat=past - 900)
    expect_problem(await me(chat, expired), 401, "token_expired")
    for token in (
        forged(person.access_token, key="another secret of many characters, not the server's own"),
        forged(person.access_token, key="", algorithm="none"),
        forged(person.access_token, key=SECRET, algorithm="HS512"),
        person.access_token[:-3] + "AAA",
    ):
        expect_problem(await me(chat, token), 401, "unauthenticated")


async def test_a_connection_outlives_its_token_when_it_gets_a_fresh_one(launch: Launch) -> None:
    chat = await launch(ACCESS_TOKEN_MINUTES="1")
    ann, bob = await chat.people("ann", "bob")
    socket = await ann.connect()
    assert 50 < socket.ready["token_expires_in"] <= 60
    assert 50 < (await socket.expect("token.expiring"))["expires_in"] <= 60

    await ask_with_fresh_token(chat, ann, socket)
    await socket.refused("unauthenticated", "token", token="nonsense")
    await socket.refused("unauthenticated", "token", token=bob.access_token)
    await socket.ask("ping")


async def test_a_connection_does_not_outlive_its_session(launch: Launch) -> None:
    chat = await launch(REFRESH_TOKEN_DAYS=str(4 / (24 * 60 * 60)))
    person = await chat.person()
    socket = await person.connect()
    assert 0 < socket.ready["token_expires_in"] <= 4
    assert await socket.closed(within=8.0) == 4401
    # Tokens count whole seconds.
    await asyncio.sleep(1.1)
    expect_problem(await me(chat, person.access_token), 401, "token_expired")
    expect_problem(await refresh(chat, person.refresh_token), 401, "unauthenticated")


async def ask_with_fresh_token(chat: Chat, person: Person, socket: Any) -> None:
    answer = expect_json(await refresh(chat, person.refresh_token))
    accepted = await socket.ask("token", token=answer["access_token"])
    assert accepted["type"] == "token.accepted"
    assert 50 < accepted["expires_in"] <= 60
