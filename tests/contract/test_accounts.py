"""Registering and signing in: protocol.md section 1, /auth/register and /auth/login."""

import asyncio
import json
from typing import Any

import pytest

from tests.support.http import API, expect_json, expect_problem, refused_fields
from tests.support.people import PASSWORD, Chat, unique
from tests.support.shapes import USER, check_id, check_time

ACCESS_TOKEN_SECONDS = 15 * 60


def account(name: str = "new", **fields: Any) -> dict[str, Any]:
    username = unique(name)
    return {"username": username, "email": f"{username}@example.org", "password": PASSWORD} | fields


async def register(chat: Chat, **fields: Any) -> Any:
    return await chat.http.post(f"{API}/auth/register", json=account(**fields))


async def test_registering_signs_in(chat: Chat) -> None:
    body = account("Ann", display_name="Ann Example")
    answer = expect_json(await chat.http.post(f"{API}/auth/register", json=body), 201)
    assert answer.keys() == {"user", "access_token", "refresh_token", "expires_in"}
    assert answer["user"].keys() >= USER
    check_id(answer["user"]["id"])
    check_time(answer["user"]["created_at"])
    assert answer["user"]["username"] == body["username"]
    assert answer["user"]["display_name"] == "Ann Example"
    assert 0 < answer["expires_in"] <= ACCESS_TOKEN_SECONDS
    assert "password" not in json.dumps(answer)

    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    me = expect_json(await chat.http.get(f"{API}/users/me", headers=headers))
    assert me["id"] == answer["user"]["id"]
    assert me["email"] == body["email"]
    assert me["email_verified"] is False, "nothing has verified it"


async def test_a_username_is_taken_in_other_capitals(chat: Chat) -> None:
    first = await chat.person("Capital")
    expect_problem(await register(chat, username=first.username.swapcase()), 409, "username_taken")


async def test_an_address_is_taken_in_other_capitals(chat: Chat) -> None:
    first = await chat.person("mail")
    expect_problem(await register(chat, email=first.email.upper()), 409, "email_taken")


async def test_of_many_registrations_of_one_name_at_once_one_wins(chat: Chat) -> None:
    username = unique("race")
    bodies = [account(username=username, email=f"{number}{username}@example.org") for number in range(5)]
    responses = await asyncio.gather(*(chat.http.post(f"{API}/auth/register", json=body) for body in bodies))
    statuses = sorted(response.status_code for response in responses)
    assert statuses == [201, 409, 409, 409, 409]
    for response in responses:
        if response.status_code != 201:
            expect_problem(response, 409, "username_taken")


@pytest.mark.parametrize(
    "username", ["ab", "x" * 33, "", "two words", "ünïcode", "a/b/c", "@someone", "a\x00b", "a\nb"]
)
async def test_usernames_that_are_refused(chat: Chat, username: str) -> None:
    problem = expect_problem(await register(chat, username=username), 422, "validation")
    assert refused_fields(problem) == {"username"}


async def test_usernames_at_the_limits(chat: Chat) -> None:
    suffix = unique("")[1:]
    shortest, longest, marks = suffix[:3], (suffix * 4)[:32], f"A.b-c_{suffix}"
    responses = await asyncio.gather(*(register(chat, username=name) for name in (shortest, longest, marks)))
    assert [expect_json(response, 201)["user"]["username"] for response in responses] == [shortest, longest, marks]


@pytest.mark.parametrize("password", ["nine char", "x" * 257, "", "1234567890", "qwertyuiop"])
async def test_passwords_that_are_refused(chat: Chat, password: str) -> None:
    response = await register(chat, password=password)
    assert refused_fields(expect_problem(response, 422, "validation")) == {"password"}
    if password:
        assert password not in response.text


async def test_passwords_at_the_limits(chat: Chat) -> None:
    for password in ("ten chars!", "päß😀 and more" + "é" * 243):
        body = account(password=password)
        expect_json(await chat.http.post(f"{API}/auth/register", json=body), 201)
        login = {"login": body["username"], "password": password}
        expect_json(await chat.http.post(f"{API}/auth/login", json=login))


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@", "@example.org", "a b@example.org", "a@example.org\nBcc: b@x.org"]
)
async def test_addresses_that_are_refused(chat: Chat, email: str) -> None:
    problem = expect_problem(await register(chat, email=email), 422, "validation")
    assert refused_fields(problem) == {"email"}


async def test_a_display_name_has_at_most_100_characters(chat: Chat) -> None:
    expect_json(await register(chat, display_name="n" * 100), 201)
    problem = expect_problem(await register(chat, display_name="n" * 101), 422, "validation")
    assert refused_fields(problem) == {"display_name"}


@pytest.mark.parametrize(
    "fields",
    [
        {"username": 12345},
        {"username": None},
        {"username": ["ann"]},
        {"username": {"$ne": ""}},
        {"email": {"$gt": ""}},
        {"password": 1234567890},
        {"display_name": {"a": 1}},
    ],
    ids=str,
)
async def test_wrong_types_are_refused(chat: Chat, fields: dict[str, Any]) -> None:
    expect_problem(await register(chat, **fields), 422, "validation")


@pytest.mark.parametrize("missing", ["username", "email", "password"])
async def test_missing_fields_are_refused(chat: Chat, missing: str) -> None:
    body = account()
    del body[missing]
    expect_problem(await chat.http.post(f"{API}/auth/register", json=body), 422, "validation")


async def test_unknown_fields_are_ignored(chat: Chat) -> None:
    answer = expect_json(await register(chat, role="admin", id="0" * 24, shoe_size=43), 201)
    assert answer["user"]["id"] != "0" * 24
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert expect_json(await chat.http.get(f"{API}/users/me", headers=headers))["role"] != "admin"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"no json", b"\xff\xfe", b'{"username": "a"} trailing', b'{"username": NaN}', b"[" * 10_000],
    ids=["empty", "cut", "words", "no UTF-8", "trailing", "NaN", "nested too deeply"],
)
async def test_a_body_that_is_no_json(chat: Chat, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = await chat.http.post(f"{API}/auth/register", content=content, headers=headers)
    expect_problem(response, 400, "bad_request")


@pytest.mark.parametrize("content", [b"[]", b"null", b"5", b'"text"'])
async def test_a_body_that_is_no_object(chat: Chat, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    response = await chat.http.post(f"{API}/auth/register", content=content, headers=headers)
    expect_problem(response, 422, "validation")


async def test_a_body_over_one_mebibyte(chat: Chat) -> None:
    response = await chat.http.post(f"{API}/auth/register", json=account(display_name="n" * (1 << 17)))
    expect_problem(response, 413, "too_large")


async def test_login_by_name_or_address_in_any_capitals(chat: Chat) -> None:
    person = await chat.person("Login")
    logins = [person.username, person.username.upper(), person.email, person.email.upper()]
    bodies = [{"login": login, "password": person.password} for login in logins]
    responses = await asyncio.gather(*(chat.http.post(f"{API}/auth/login", json=body) for body in bodies))
    answers = [expect_json(response) for response in responses]
    assert {answer["user"]["id"] for answer in answers} == {person.id}
    assert len({answer["refresh_token"] for answer in answers}) == len(logins)
    for answer in answers:
        assert answer.keys() == {"user", "access_token", "refresh_token", "expires_in"}


async def test_a_wrong_login_tells_nothing(chat: Chat) -> None:
    person = await chat.person("secret")
    attempts = [
        {"login": person.username, "password": "not the right one"},
        {"login": person.email, "password": "not the right one"},
        {"login": unique("nobody"), "password": "not the right one"},
        {"login": f"{unique('nobody')}@example.org", "password": "not the right one"},
        {"login": person.username, "password": ""},
        {"login": "", "password": "not the right one"},
        {"login": person.username, "password": person.password + " "},
    ]
    responses = await asyncio.gather(*(chat.http.post(f"{API}/auth/login", json=body) for body in attempts))
    problems = [expect_problem(response, 401, "unauthenticated") for response in responses]
    assert len({problem["detail"] for problem in problems}) == 1


async def test_login_wants_the_right_types(chat: Chat) -> None:
    person = await chat.person("types")
    for body in (
        {"login": person.username},
        {"login": person.username, "password": {"$ne": ""}},
        {"login": {"$ne": ""}, "password": person.password},
    ):
        expect_problem(await chat.http.post(f"{API}/auth/login", json=body), 422, "validation")


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer nonsense", "Bearer a.b.c", "Basic YTpi", "bearer\tx"],
)
async def test_without_a_valid_token(chat: Chat, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    expect_problem(await chat.http.get(f"{API}/users/me", headers=headers), 401, "unauthenticated")


async def test_a_token_in_the_address_counts_for_nothing(chat: Chat) -> None:
    person = await chat.person("url")
    for name in ("token", "access_token"):
        response = await chat.http.get(f"{API}/users/me", params={name: person.access_token})
        expect_problem(response, 401, "unauthenticated")
