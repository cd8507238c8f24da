"""Answers over HTTP, checked: the expected object, or a problem document as RFC 9457 and the protocol describe it."""

import ssl
from typing import Any

import httpx

API = "/api/v1"

_PROBLEM_FIELDS = {"type", "title", "status", "code", "detail"}
_LEAKS = ("Traceback", "pymongo", "motor", "site-packages", ".py", "msgspec", "litestar")


def new_http(origin: str) -> httpx.AsyncClient:
    """Return a client for one server that keeps no cookies in play and never goes through a proxy."""
    # An empty TLS context: the default one reads all certificates of the machine, 20 ms for each client.
    nowhere = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    limits = httpx.Limits(max_connections=40, max_keepalive_connections=40)
    return httpx.AsyncClient(base_url=origin, trust_env=False, timeout=15.0, verify=nowhere, limits=limits)


def expect_json(response: httpx.Response, status: int = 200) -> Any:
    """Return the body of an answer that must have this status."""
    assert response.status_code == status, f"{describe(response)}, expected {status}"
    media_type = response.headers["content-type"].partition(";")[0]
    assert media_type == "application/json", f"{describe(response)}: {media_type}"
    return response.json()


def expect_nothing(response: httpx.Response) -> None:
    """Check for 204 without a body."""
    assert response.status_code == httpx.codes.NO_CONTENT, f"{describe(response)}, expected 204"
    assert response.content == b""


def expect_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Return the problem document of a refusal, after checking its shape, its status and its code."""
    assert response.status_code == status, f"{describe(response)}, expected {status} {code}"
    media_type = response.headers["content-type"].partition(";")[0]
    assert media_type == "application/problem+json", f"{describe(response)}: {media_type}"
    problem: dict[str, Any] = response.json()
    assert problem.keys() >= _PROBLEM_FIELDS, f"{describe(response)} lacks {_PROBLEM_FIELDS - problem.keys()}"
    assert problem["code"] == code, f"{describe(response)}, expected {code}"
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert isinstance(problem["detail"], str)
    assert problem["detail"].strip()
    for error in problem.get("errors", []):
        assert error.keys() == {"field", "detail"}, error
    for leak in _LEAKS:
        assert leak not in response.text, f"{describe(response)} tells about the inside of the server"
    return problem


def refused_fields(problem: dict[str, Any]) -> set[str]:
    """Return the names of the fields a ``validation`` problem complains about."""
    return {error["field"] for error in problem.get("errors", [])}


def describe(response: httpx.Response) -> str:
    request = response.request
    return f"{request.method} {request.url.path} answered {response.status_code}: {response.text[:600]}"
