"""Profiles, and finding people (protocol.md section 1, /users)."""

import asyncio
from typing import Any

import pytest

from tests.support.http import API, expect_json, expect_problem, refused_fields
from tests.support.people import Chat, Person, unique
from tests.support.shapes import ME, PRESENCE, check_fields, check_time, check_user

NO_SUCH_ID = "0123456789abcdef01234567"


async def test_own_account(chat: Chat) -> None:
    ann = await chat.person("ann")
    me = expect_json(await ann.get("/users/me"))
    check_fields(me, ME)
    assert me["username"] == ann.username
    assert me["email"] == ann.email
    check_time(me["created_at"])


async def test_changing_the_own_profile(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    changes = {"display_name": "Änn 👩‍🚀", "bio": "Line one\nline two", "status_text": "away until noon"}
    me = expect_json(await ann.patch("/users/me", **changes))
    check_fields(me, ME)
    assert {name: me[name] for name in changes} == changes
    assert expect_json(await ann.get("/users/me")) == me

    seen = expect_json(await bob.get(f"/users/{ann.id}"))
    check_user(seen)
    assert seen["display_name"] == changes["display_name"]
    assert seen["bio"] == changes["bio"]

    only_bio = expect_json(await ann.patch("/users/me", bio=""))
    assert only_bio == me | {"bio": ""}


async def test_settings_and_profile_are_kept(chat: Chat) -> None:
    ann = await chat.person("ann")
    settings = {"theme": "dark", "sound": False, "$where": "text", "a.b": 1}
    me = expect_json(await ann.patch("/users/me", settings=settings))
    assert me["settings"] == settings
    assert expect_json(await ann.get("/users/me"))["settings"] == settings


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", "n" * 101),
        ("display_name", 5),
        ("bio", "b" * 501),
        ("bio", ["list"]),
        ("bio", "with\x00NUL"),
        ("status_text", 7),
        ("settings", "text"),
    ],
)
async def test_values_that_a_profile_refuses(chat: Chat, field: str, value: Any) -> None:
    ann = await chat.person("ann")
    before = expect_json(await ann.get("/users/me"))
    problem = expect_problem(await ann.patch("/users/me", **{field: value}), 422, "validation")
    assert refused_fields(problem) == {field}
    assert expect_json(await ann.get("/users/me")) == before


async def test_fields_that_no_one_may_change(chat: Chat) -> None:
    ann = await chat.person("ann")
    before = expect_json(await ann.get("/users/me"))
    after = expect_json(await ann.patch("/users/me", id=NO_SUCH_ID, username="root", role="admin", email="x@y.org"))
    assert after == before


async def test_public_profiles(chat: Chat) -> None:
    ann, bob = await chat.people("Ann", "bob")
    by_id = expect_json(await bob.get(f"/users/{ann.id}"))
    check_user(by_id)
    assert by_id["username"] == ann.username
    for name in (ann.username, ann.username.lower(), ann.username.upper()):
        assert expect_json(await bob.get(f"/users/by-username/{name}")) == by_id


@pytest.mark.parametrize("path", [NO_SUCH_ID, "no-id", f"by-username/{unique('nobody')}", f"{NO_SUCH_ID}/presence"])
async def test_unknown_users(chat: Chat, path: str) -> None:
    ann = await chat.person("ann")
    expect_problem(await ann.get(f"/users/{path}"), 404, "not_found")


async def test_profiles_require_a_sign_in(chat: Chat) -> None:
    ann = await chat.person("ann")
    for path in (f"/users/{ann.id}", f"/users/by-username/{ann.username}", "/users?q=a", f"/users/{ann.id}/presence"):
        expect_problem(await chat.http.get(API + path), 401, "unauthenticated")


async def found(person: Person, q: str, **params: Any) -> list[str]:
    page = expect_json(await person.get("/users", q=q, **params))
    assert page.keys() == {"items", "next"}
    for user in page["items"]:
        check_user(user)
    return [user["id"] for user in page["items"]]


async def test_finding_people_by_the_beginning_of_a_name(chat: Chat) -> None:
    word = unique("W")
    ann, bob = await asyncio.gather(chat.person("finder"), chat.person("bob", display_name=f"Bob von {word}son"))
    assert await found(ann, bob.username) == [bob.id]
    assert await found(ann, bob.username[:-2].upper()) == [bob.id]
    assert await found(ann, word) == [bob.id]
    assert await found(ann, f"{word}SON".lower()) == [bob.id]
    assert await found(ann, word[2:]) == []
    assert await found(ann, bob.username[1:]) == []
    assert await found(ann, bob.email[-16:]) == []


async def test_a_search_term_is_only_text(chat: Chat) -> None:
    ann = await chat.person("ann")
    for q in (".*", "^", "$ne", "(", "[a-z]+", "\\", "a" * 300, "%", "\x00"):
        response = await ann.get("/users", q=q)
        if response.status_code == 422:
            expect_problem(response, 422, "validation")
        else:
            assert ann.id not in {user["id"] for user in expect_json(response)["items"]}


async def test_search_results_come_in_pages(chat: Chat) -> None:
    prefix = unique("page")[:14]
    people = await asyncio.gather(*(chat.person(prefix) for _ in range(5)))
    ann = people[0]
    seen: list[str] = []
    params: dict[str, Any] = {"q": prefix, "limit": 2}
    while True:
        page = expect_json(await ann.get("/users", **params))
        assert len(page["items"]) <= 2
        seen += [user["id"] for user in page["items"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert sorted(seen) == sorted(person.id for person in people)


@pytest.mark.parametrize(
    "params", [{"limit": "0"}, {"limit": "201"}, {"limit": "many"}, {"cursor": "nonsense"}], ids=str
)
async def test_pages_that_cannot_be(chat: Chat, params: dict[str, str]) -> None:
    ann = await chat.person("ann")
    expect_problem(await ann.get("/users", q="ann", **params), 422, "validation")


async def test_presence_over_http(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    await ann.add_contact(bob)
    before = expect_json(await ann.get(f"/users/{bob.id}/presence"))
    check_fields(before, PRESENCE)
    assert before["user_id"] == bob.id
    assert before["state"] == "offline"
    await bob.connect()
    during = expect_json(await ann.get(f"/users/{bob.id}/presence"))
    assert during["state"] == "online"
