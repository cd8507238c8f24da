"""Routes besides the chat itself: health, metrics, the schema, and answers to unknown routes."""

import re

import pytest

from tests.support.http import API, expect_problem
from tests.support.people import Chat


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_health_is_open(chat: Chat, path: str) -> None:
    assert (await chat.http.get(path)).status_code == 200


async def test_metrics_are_prometheus_text(chat: Chat) -> None:
    response = await chat.http.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert re.search(r"^# TYPE \w+ (counter|gauge|histogram)$", response.text, re.MULTILINE)


async def test_the_schema_names_the_routes(chat: Chat) -> None:
    response = await chat.http.get("/schema/openapi.json")
    assert response.status_code == 200
    schema = response.json()
    assert schema["openapi"].startswith("3.")
    for path in ("/auth/register", "/auth/login", "/users/me", "/conversations"):
        assert API + path in schema["paths"]


async def test_the_interactive_schema_needs_no_other_host(chat: Chat) -> None:
    page = await chat.http.get("/schema", follow_redirects=True)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert not re.findall(r"(?:src|href)=[\"'](?:https?:)?//", page.text)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_a_route_that_does_not_exist(chat: Chat, method: str) -> None:
    ann = await chat.person("ann")
    expect_problem(await ann.request(method, "/no/such/route"), 404, "not_found")


async def test_the_server_does_not_reveal_its_software(chat: Chat) -> None:
    response = await chat.http.get("/health/live")
    assert "uvicorn" not in response.headers.get("server", "").lower()
