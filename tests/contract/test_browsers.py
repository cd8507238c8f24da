"""What protects people in browsers: headers on every answer, and no form of another site that signs anyone in."""

import json
import secrets
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.conftest import Launch
from tests.support.http import API, expect_problem
from tests.support.people import Chat

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
PATHS = [
    "/",
    "/somewhere/in/the/client",
    "/no-such-file.js",
    "/ws",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/schema",
    "/schema/openapi.json",
    "/schema/assets/start.js",
    "/schema/nonsense",
    f"{API}/users/me",
    f"{API}/nonsense",
    f"{API}/conversations?limit=x",
]
FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
COOKIE_ROUTES = ["register", "login", "refresh", "logout", "logout-all"]


def check_headers(headers: Any) -> None:
    for name, value in EVERYWHERE.items():
        assert headers[name] == value, name
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"]
    assert "strict-transport-security" not in headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_carries_the_security_headers(chat: Chat, method: str, path: str) -> None:
    check_headers((await chat.http.request(method, path)).headers)


@pytest.mark.parametrize("signed_in", [True, False])
async def test_answers_of_the_interface_are_kept_nowhere(chat: Chat, signed_in: bool) -> None:
    ann = await chat.person("ann")
    headers = {"Authorization": f"Bearer {ann.access_token}"} if signed_in else {}
    for path in ("/users/me", "/conversations", "/contacts", "/nonsense"):
        answer = await chat.http.get(API + path, headers=headers)
        assert answer.headers["cache-control"] == "no-store"
        check_headers(answer.headers)


@pytest.mark.parametrize("path", PATHS)
async def test_head_is_get_without_the_body(chat: Chat, path: str) -> None:
    get, head = await chat.http.get(path), await chat.http.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    assert head.headers["content-type"] == get.headers["content-type"]


async def test_a_server_behind_tls_asks_browsers_for_nothing_else(launch: Launch) -> None:
    chat = await launch(PUBLIC_URL="https://chat.example")
    for path in ("/", f"{API}/users/me", "/health/live"):
        assert (await chat.http.get(path)).headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
@pytest.mark.parametrize("route", COOKIE_ROUTES)
async def test_pages_of_other_sites_cannot_sign_users_in_or_out(
    chat: Chat, route: str, headers: dict[str, str]
) -> None:
    ann = await chat.person("ann")
    signed_in = {"Authorization": f"Bearer {ann.access_token}", "Cookie": f"__Secure-chat_refresh={ann.refresh_token}"}
    body = {"login": ann.username, "password": ann.password, "username": "x" + secrets.token_hex(5)}
    body |= {"email": f"{body['username']}@example.org"}
    content = None if route in {"refresh", "logout", "logout-all"} else body
    answer = await chat.http.post(f"{API}/auth/{route}", json=content, headers=signed_in | headers)
    expect_problem(answer, 403, "forbidden")
    assert "set-cookie" not in answer.headers
    assert (await ann.request("GET", "/users/me")).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": ""}])
async def test_own_pages_and_programs_sign_in(chat: Chat, headers: dict[str, str]) -> None:
    ann = await chat.person("ann")
    if "Origin" in headers:
        headers = {"Origin": chat.server.origin, "Sec-Fetch-Site": "same-origin"}
    body = {"login": ann.username, "password": ann.password}
    answer = await chat.http.post(f"{API}/auth/login", json=body, headers=headers)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Secure-chat_refresh=")
    for attribute in ("Secure", "HttpOnly", "SameSite=strict", f"Path={API}/auth"):
        assert attribute.lower() in cookie.lower()


async def test_an_allowed_origin_signs_in(launch: Launch) -> None:
    chat = await launch(ALLOWED_ORIGINS="https://front.example")
    ann = await chat.person("ann")
    headers = {"Origin": "https://front.example", "Sec-Fetch-Site": "cross-site"}
    body = {"login": ann.username, "password": ann.password}
    assert (await chat.http.post(f"{API}/auth/login", json=body, headers=headers)).status_code == 200


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
async def test_no_form_is_taken_for_json(chat: Chat, content_type: str | None) -> None:
    ann = await chat.person("ann")
    headers = {} if content_type is None else {"Content-Type": content_type}
    content = json.dumps({"login": ann.username, "password": ann.password, "refresh_token": ann.refresh_token})
    for route in ("login", "refresh"):
        answer = await chat.http.post(f"{API}/auth/{route}", content=content, headers=headers)
        expect_problem(answer, 415, "unsupported_media_type")
        assert "set-cookie" not in answer.headers


async def test_the_body_of_a_request_without_a_token_is_short(chat: Chat) -> None:
    body = {"login": "ann", "password": "secret secret", "more": "x" * 20_000}
    answer = await chat.http.post(f"{API}/auth/login", json=body)
    assert "16,384" in expect_problem(answer, 413, "too_large")["detail"]


async def test_a_refused_origin_is_one_line_in_the_log(launch: Launch) -> None:
    chat = await launch(LOG_FORMAT="json")
    before = len(chat.server.log.splitlines())
    with pytest.raises(InvalidStatus) as refusal:
        await chat.open(origin="https://evil.example")
    response = refusal.value.response
    assert response.status_code == httpx.codes.FORBIDDEN
    assert json.loads(response.body or b"")["code"] == "forbidden"
    check_headers(response.headers)
    (line,) = [json.loads(line) for line in chat.server.log.splitlines()[before:]]
    assert (line["level"], line["event"], line["code"]) == ("info", "handshake_refused", "forbidden")


async def test_a_long_origin_is_a_short_line_in_the_log(launch: Launch) -> None:
    chat = await launch(LOG_FORMAT="json")
    before = len(chat.server.log.splitlines())
    origin = "https://evil\x9b.example/" + "a" * 5_000
    with pytest.raises(InvalidStatus):
        await chat.open(origin=origin.replace("\x9b", ""))
    answer = await chat.http.post(f"{API}/auth/refresh", json={}, headers={b"Origin": origin.encode("latin-1")})
    assert answer.status_code == httpx.codes.FORBIDDEN
    lines = chat.server.log.splitlines()[before:]
    assert [json.loads(line)["event"] for line in lines] == ["handshake_refused", "page_refused"]
    assert all(len(line) < 500 and "\x9b" not in json.loads(line)["origin"] for line in lines)
