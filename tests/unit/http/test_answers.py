"""What a small application of ours answers: problem documents, callers, limits."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import pytest
import structlog
from litestar import Litestar, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from litestar.testing import AsyncTestClient
from structlog.testing import LogCapture

from chat_mvp import errors
from chat_mvp.http.auth import Authenticator, Caller
from chat_mvp.http.bodies import JsonBodies
from chat_mvp.http.openapi import OPEN
from chat_mvp.http.paging import Limit
from chat_mvp.http.params import PathId, path_id, query_id
from chat_mvp.http.problems import EXCEPTION_HANDLERS
from chat_mvp.http.router import api_router
from chat_mvp.limits import DEFAULT_LIMIT, MAX_BODY_BYTES
from chat_mvp.security.budgets import RateLimits
from chat_mvp.security.keys import SigningKey
from chat_mvp.security.tokens import Tokens

JSON = {"Content-Type": "application/json"}
ID = "0123456789abcdef01234567"
TOKENS = Tokens([SigningKey("k", b"k" * 64)], lifetime_s=900)
ALL_ERRORS = [
    error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, errors.ChatError) and error is not errors.CannotMessageError
]


class Body(msgspec.Struct):
    name: str
    count: int = 0


class Thrower:
    """A service that fails on demand."""

    error: Exception | None = None


@get("/fail", security=OPEN)
async def fail(thrower: NamedDependency[Thrower]) -> None:
    if thrower.error is not None:
        raise thrower.error


@post("/bodies", security=OPEN)
async def take_body(data: JSONBody[Body]) -> Body:
    return data


@post("/optional", security=OPEN)
async def take_optional(data: JSONBody[Body | None] = None) -> str:
    return "none" if data is None else data.name


@post("/guarded")
async def guarded(caller: Caller, data: JSONBody[Body]) -> str:
    return caller.user_id + data.name


@get("/me")
async def me(caller: Caller) -> str:
    return caller.session_id


@get("/things/{thing_id:str}", security=OPEN)
async def thing(
    thing_id: PathId,
    limit: Limit = DEFAULT_LIMIT,
    other: Annotated[str | None, QueryParameter(description="another")] = None,
) -> dict[str, Any]:
    return {"id": path_id(thing_id), "limit": limit, "other": query_id("other", other)}


async def fetch_owner(session_id: str) -> str | None:
    return "ann" if session_id == "live" else None


@pytest.fixture
def thrower() -> Thrower:
    return Thrower()


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator(TOKENS, fetch_owner)


@pytest.fixture
async def client(thrower: Thrower, authenticator: Authenticator) -> AsyncIterator[AsyncTestClient[Litestar]]:
    router = api_router(
        [fail, take_body, take_optional, guarded, me, thing],
        authenticator=authenticator,
        rate_limits=RateLimits(),
        services={"thrower": thrower},
    )
    app = Litestar([router], exception_handlers=EXCEPTION_HANDLERS, plugins=[JsonBodies()], openapi_config=None)
    async with AsyncTestClient(app, base_url="http://testserver.local/api/v1") as client:
        yield client


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document.keys() - {"retry_after_ms"} == {"type", "title", "status", "code", "detail", "errors"}
    assert ("retry_after_ms" in document) == ("retry-after" in response.headers)
    assert (document["type"], document["status"], document["code"]) == ("about:blank", status, code)
    return document


def bearer(session_id: str, **options: Any) -> dict[str, str]:
    at = options.get("at", datetime.now(UTC))
    token = TOKENS.issue(user_id="ann", session_id=session_id, token_id="j", at=at).text
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("error", ALL_ERRORS, ids=lambda error: error.__name__)
async def test_every_error_has_its_answer(
    client: AsyncTestClient[Litestar], thrower: Thrower, error: type[errors.ChatError]
) -> None:
    thrower.error = error("One sentence.", retry_after_ms=1_500, fields={"name": "is wrong"})
    document = problem(await client.get("/fail"), error.status, error.code)
    assert document["title"] == error.title
    if error.status != 500:
        assert document["detail"] == "One sentence."
        assert document["errors"] == [{"field": "name", "detail": "is wrong"}]


async def test_retry_after_is_in_whole_seconds(client: AsyncTestClient[Litestar], thrower: Thrower) -> None:
    for error in (errors.RateLimitedError, errors.UnavailableError):
        thrower.error = error("Later.", retry_after_ms=1_001)
        assert (await client.get("/fail")).headers["retry-after"] == "2"
    thrower.error = errors.ConflictError("Never.")
    assert "retry-after" not in (await client.get("/fail")).headers


async def test_a_fault_is_logged_once_and_tells_nothing(client: AsyncTestClient[Litestar], thrower: Thrower) -> None:
    log = LogCapture()
    before = structlog.get_config()
    structlog.configure(processors=[log])
    try:
        thrower.error = RuntimeError("secret of the house")
        response = await client.get("/fail")
    finally:
        structlog.configure(**before)
    assert "secret" not in json.dumps(problem(response, 500, "internal"))
    assert len(log.entries) == 1
    assert log.entries[0]["exc_info"] is thrower.error
    assert log.entries[0]["path"] == "/api/v1/fail"


async def test_what_the_framework_refuses(client: AsyncTestClient[Litestar]) -> None:
    problem(await client.get("/nowhere"), 404, "not_found")
    response = await client.get("/bodies")
    problem(response, 404, "not_found")
    assert "POST" in response.headers["allow"]


async def test_bodies(client: AsyncTestClient[Litestar]) -> None:
    assert (await client.post("/bodies", json={"name": "a", "count": 1})).json() == {"name": "a", "count": 1}
    assert problem(await client.post("/bodies", json={"count": "1"}), 422, "validation")["errors"]
    problem(await client.post("/bodies", content=b"[", headers=JSON), 400, "bad_request")
    problem(await client.post("/bodies"), 400, "bad_request")
    problem(await client.post("/bodies", content=b" " * MAX_BODY_BYTES + b"{}", headers=JSON), 413, "too_large")
    large = json.dumps({"name": "n" * (MAX_BODY_BYTES - 100)})
    assert (await client.post("/bodies", content=large, headers=JSON)).status_code == 201


@pytest.mark.parametrize("path", ["/bodies", "/optional"])
@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "application/jsonp",
        "application/json+xml",
        "text/json",
        "text/plain, application/json",
        "application/octet-stream",
    ],
)
async def test_bodies_that_do_not_say_that_they_are_json(
    client: AsyncTestClient[Litestar], path: str, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = await client.post(path, content=b'{"name": "a"}', headers=headers)
    assert "application/json" in problem(response, 415, "unsupported_media_type")["detail"]


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/merge-patch+json"],
)
async def test_bodies_that_say_that_they_are_json(client: AsyncTestClient[Litestar], content_type: str) -> None:
    response = await client.post("/bodies", content=b'{"name": "a"}', headers={"Content-Type": content_type})
    assert response.status_code == 201


async def test_a_body_that_may_be_left_out(client: AsyncTestClient[Litestar]) -> None:
    assert (await client.post("/optional")).text == "none"
    assert (await client.post("/optional", json={"name": "a"})).text == "a"
    assert (await client.post("/optional", content=b"null", headers=JSON)).text == "none"
    problem(await client.post("/optional", json={"name": 5}), 422, "validation")


async def test_parameters(client: AsyncTestClient[Litestar]) -> None:
    assert (await client.get(f"/things/{ID}", params={"limit": 7, "other": ID})).json()["limit"] == 7
    for path in (f"/things/{ID.upper()}", "/things/no-id", f"/things/{ID}0", f"/things/{ID}%0A"):
        problem(await client.get(path), 404, "not_found")
    for params in ({"limit": "0"}, {"limit": "201"}, {"limit": "many"}, {"limit": ""}, {"other": "no id"}):
        document = problem(await client.get(f"/things/{ID}", params=params), 422, "validation")
        assert {error["field"] for error in document["errors"]} == params.keys()


async def test_callers(client: AsyncTestClient[Litestar]) -> None:
    answer = await client.post("/guarded", headers=bearer("live"), json={"name": "-1"})
    assert answer.text == "ann-1"
    lower = {"authorization": bearer("live")["Authorization"].replace("Bearer", "bearer")}
    assert (await client.post("/guarded", headers=lower, json={"name": "-1"})).text == "ann-1"


async def test_a_session_that_ends_is_over_on_every_route(
    client: AsyncTestClient[Litestar], authenticator: Authenticator
) -> None:
    requests = [("POST", "/guarded", {"name": "-1"}), ("GET", "/me", None)]
    for method, path, body in requests:
        assert (await client.request(method, path, headers=bearer("live"), json=body)).is_success
    authenticator.end_session("live")
    for method, path, body in requests:
        problem(await client.request(method, path, headers=bearer("live"), json=body), 401, "unauthenticated")


async def test_strangers_learn_that_they_are_strangers_before_anything_else(client: AsyncTestClient[Litestar]) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    for headers, code in (
        ({}, "unauthenticated"),
        ({"Authorization": "Basic YTpi"}, "unauthenticated"),
        ({"Authorization": "Bearer "}, "unauthenticated"),
        (bearer("over"), "unauthenticated"),
        (bearer("live", at=past), "token_expired"),
    ):
        response = await client.post("/guarded", headers=headers, content=b"no json")
        problem(response, 401, code)
        assert response.headers["www-authenticate"] == "Bearer"


async def test_a_client_that_goes_away_in_its_body_is_no_fault(client: AsyncTestClient[Litestar]) -> None:
    coming = [{"type": "http.request", "body": b'{"na', "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return coming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {"type": "http", "method": "POST", "path": "/api/v1/bodies", "headers": [], "query_string": b""}
    with structlog.testing.capture_logs() as logs:
        await client.app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert logs == []
