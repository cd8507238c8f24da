"""Names are one visible line wherever they can be set, so that they cannot forge the text around them."""

from typing import Any

import pytest

from tests.support.http import API, expect_json, expect_problem
from tests.support.people import PASSWORD, Chat, unique

NOT_ONE_LINE = ["two\nlines", "a\rb", "tab\there", "a\x1b[31mb", "a\x7f", "a\u0085b", "a\u2028b", "a\u2029b"]
DIRECTION = ["\u202egnp.exe", "a\u200eb", "a\u200fb", "a\u061cb", "a\u2066b", "a\u2069b", "a\u206ab"]
INVISIBLE = [
    "a\ufeffb",
    "a\u00adb",
    "a\u200bb",
    "a\u200db",
    "a\ufe0f",
    "a\U000e0061b",
    "a\uffffb",
    "\ufdd0a",
    "a\u3164",
]
NOTHING_TO_SEE = ["\u200b", "\u2800", "\u3164", "\ufe0f", "\u00ad", "\u2060\u200d", "\U000e0100"]
GOOD = [
    "Ann Example",
    "Ål",
    "עדה",
    "نيلوفر\u200cنيلوفر",
    "👩‍💻",
    "\U0001fa75",
    "\U0001e4d0",
    "nil\u00a0nul",
    "🏴\U000e0067\U000e007f",
    "രാജന്\u200d",
    "葛\U000e0100飾",
]


async def every_name(chat: Chat, name: str) -> list[tuple[str, Any]]:
    """Return each answer to this text as a name, with the name of the field."""
    ann, bob = await chat.people("ann", "bob")
    room = await ann.group(bob)
    account = {"username": unique("cat"), "email": f"{unique('cat')}@example.org", "password": PASSWORD}
    signing_in = {"login": ann.username, "password": PASSWORD}
    return [
        ("display_name", await chat.http.post(f"{API}/auth/register", json=account | {"display_name": name})),
        ("device_name", await chat.http.post(f"{API}/auth/login", json=signing_in | {"device_name": name})),
        ("display_name", await ann.patch("/users/me", display_name=name)),
        ("nickname", await ann.put(f"/contacts/{bob.id}", nickname=name)),
        ("name", await ann.post("/conversations", kind="group", name=name)),
        ("name", await ann.post("/conversations", kind="channel", name=name)),
        ("name", await ann.patch(f"/conversations/{room}", name=name)),
    ]


@pytest.mark.parametrize("name", [*NOT_ONE_LINE, *DIRECTION, *INVISIBLE, *NOTHING_TO_SEE])
async def test_what_is_no_name(chat: Chat, name: str) -> None:
    for field, response in await every_name(chat, name):
        problem = expect_problem(response, 422, "validation")
        assert [error["field"] for error in problem["errors"]] == [field]
        assert name not in problem["detail"]


@pytest.mark.parametrize("name", GOOD)
async def test_what_is_a_name(chat: Chat, name: str) -> None:
    for field, response in await every_name(chat, name):
        assert response.is_success, f"{field}: {response.text}"


async def test_spaces_around_names_are_dropped(chat: Chat) -> None:
    for field, response in await every_name(chat, " \u3000Ann  Example\u00a0 "):
        answer = expect_json(response) if response.status_code == 200 else response.json()
        if field != "device_name":
            assert (answer if field in answer else answer["user"])[field] == "Ann  Example"


async def test_blank_names_are_as_if_empty(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    assert expect_json(await ann.patch("/users/me", display_name=" \u3000"))["display_name"] == ann.username
    assert expect_json(await ann.put(f"/contacts/{bob.id}", nickname=" "))["nickname"] is None
    expect_problem(await ann.post("/conversations", kind="group", name=" "), 422, "validation")
    expect_problem(await ann.patch(f"/conversations/{await ann.group()}", name="\u00a0"), 422, "validation")


async def test_lines_and_paragraphs(chat: Chat) -> None:
    ann = await chat.person("ann")
    room, socket = await ann.group(), await ann.connect()
    for text in ("", "one line", "  ", "עדה"):
        assert expect_json(await ann.patch("/users/me", status_text=text))["status_text"] == text
        await socket.ask("presence.set", state="online", status_text=text)
    for text in ("", "two\nlines\r\n\tand a tab"):
        assert expect_json(await ann.patch("/users/me", bio=text))["bio"] == text
        assert expect_json(await ann.patch(f"/conversations/{room}", description=text))["description"] == text
    for text in (*NOT_ONE_LINE, *DIRECTION, *INVISIBLE):
        expect_problem(await ann.patch("/users/me", status_text=text), 422, "validation")
        await socket.refused("validation", "presence.set", state="online", status_text=text)
    for text in ("a\x1bb", "a\x00b", "a\x0bb", *DIRECTION):
        expect_problem(await ann.patch("/users/me", bio=text), 422, "validation")
        expect_problem(await ann.patch(f"/conversations/{room}", description=text), 422, "validation")
        expect_problem(await ann.post("/conversations", kind="group", name="n", description=text), 422, "validation")


async def test_a_name_in_a_system_message_keeps_to_itself(chat: Chat) -> None:
    ann, bob = await chat.people("ann", "bob")
    expect_json(await bob.patch("/users/me", display_name="עדה (owner)"))
    room = await ann.group(bob)
    expect_json(await ann.patch(f"/conversations/{room}/members/{bob.id}", role="admin"))
    expect_json(await bob.patch(f"/conversations/{room}", name="חדר"))
    texts = [message["text"] for message in await ann.history(room) if message["kind"] == "system"]
    assert texts[-1] == "\u2068עדה (owner)\u2069 renamed this to “\u2068חדר\u2069”"
    assert all(text.startswith("\u2068") and text.count("\u2068") == text.count("\u2069") for text in texts)


@pytest.mark.parametrize("text", ["\U0001fa75", "\U0001e4d0", "\U0001fae9", "\u0378"])
async def test_messages_of_new_characters_alone(chat: Chat, text: str) -> None:
    ann = await chat.person("ann")
    assert (await ann.say(await ann.group(), text))["text"] == text


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00Z", "2030-W01-1T00:00:00Z", "20300101T000000Z", "2030-01-01T00:00:00", "x" * 41, ""]
)
async def test_times_that_are_none(chat: Chat, moment: str) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    expect_problem(await ann.patch(f"/conversations/{room}/me", muted_until=moment), 422, "validation")
    expect_problem(await ann.get("/messages/sync", after=moment), 422, "validation")


async def test_times_come_back_as_they_are_written(chat: Chat) -> None:
    ann = await chat.person("ann")
    room = await ann.group()
    for sent, shown in (
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        ("2030-01-01t12:00:00.5+02:00", "2030-01-01T10:00:00.500Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"),
    ):
        own = expect_json(await ann.patch(f"/conversations/{room}/me", muted_until=sent))["me"]
        assert own["muted_until"] == shown
