"""Pages from other origins: those that were allowed may use HTTP and open WebSockets, the others neither."""

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.conftest import Launch
from tests.support.people import Chat, Person

ALLOWED = "https://front.example"
OTHER = "https://other.example"


async def preflight(chat: Chat, origin: str) -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return await chat.http.options("/api/v1/users/me", headers=headers)


def signed_in(person: Person, origin: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.access_token}", "Origin": origin}


async def test_an_allowed_origin_may_use_both(launch: Launch) -> None:
    chat = await launch(ALLOWED_ORIGINS=f"{ALLOWED}, https://third.example")
    asked = await preflight(chat, ALLOWED)
    assert asked.is_success
    assert asked.headers["access-control-allow-origin"] == ALLOWED
    assert "PATCH" in asked.headers["access-control-allow-methods"]
    ann = await chat.person("ann")
    answer = await chat.http.get("/api/v1/conversations", headers=signed_in(ann, ALLOWED))
    assert answer.headers["access-control-allow-origin"] == ALLOWED
    assert "x-total-count" in answer.headers["access-control-expose-headers"].lower()
    socket = await ann.connect(origin=ALLOWED)
    assert socket.is_open


async def test_another_origin_may_use_neither(launch: Launch) -> None:
    chat = await launch(ALLOWED_ORIGINS=ALLOWED)
    assert "access-control-allow-origin" not in (await preflight(chat, OTHER)).headers
    ann = await chat.person("ann")
    answer = await chat.http.get("/api/v1/conversations", headers=signed_in(ann, OTHER))
    assert "access-control-allow-origin" not in answer.headers
    with pytest.raises(InvalidStatus) as refused:
        await ann.connect(origin=OTHER)
    assert refused.value.response.status_code == 403


async def test_no_origin_is_allowed_by_default(chat: Chat) -> None:
    assert "access-control-allow-origin" not in (await preflight(chat, OTHER)).headers
