"""The two machine-readable contracts say what the code does, and refer to nothing that is not in them."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, get_args

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from chat_mvp import protocol
from chat_mvp.features.accounts import routes as accounts
from chat_mvp.features.contacts import routes as contacts
from chat_mvp.features.users import routes as users
from chat_mvp.http.bodies import JsonBodies
from chat_mvp.http.problems import EXCEPTION_HANDLERS
from chat_mvp.http.router import api_router
from chat_mvp.security.authentication import Authenticator
from chat_mvp.security.budgets import RateLimits
from chat_mvp.security.keys import SigningKey
from chat_mvp.security.tokens import Tokens
from chat_mvp.spec.asyncapi import asyncapi_document
from chat_mvp.spec.openapi import openapi_config


async def fetch_no_session(_: str) -> None:
    return None


@pytest.fixture
async def client() -> AsyncIterator[AsyncTestClient[Litestar]]:
    authenticator = Authenticator(Tokens([SigningKey("k", b"k" * 64)], lifetime_s=900), fetch_no_session)
    routes = [*accounts.ROUTES, *users.ROUTES, *contacts.ROUTES]
    services = dict.fromkeys(("accounts", "users", "contacts"))
    router = api_router(routes, authenticator=authenticator, rate_limits=RateLimits(), services=services)
    app = Litestar(
        [router],
        exception_handlers=EXCEPTION_HANDLERS,
        plugins=[JsonBodies()],
        openapi_config=openapi_config("1.2.3"),
    )
    async with AsyncTestClient(app) as client:
        yield client


@pytest.fixture
async def openapi(client: AsyncTestClient[Litestar]) -> dict[str, Any]:
    response = await client.get("/schema/openapi.json")
    assert response.headers["content-type"] == "application/json"
    document: dict[str, Any] = response.json()
    return document


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolve(document: dict[str, Any], reference: str) -> Any:
    target: Any = document
    for part in reference.removeprefix("#/").split("/"):
        target = target[part]
    return target


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method} {path}", operation


async def test_every_route_is_described(openapi: dict[str, Any]) -> None:
    described = dict(operations(openapi))
    assert len(described) == sum(len(feature.ROUTES) for feature in (accounts, users, contacts))
    assert len({operation["operationId"] for operation in described.values()}) == len(described)
    assert described["put /api/v1/contacts/{user_id}/block"]["operationId"] == "putContactsByUserIdBlock"
    assert described["post /api/v1/auth/logout-all"]["operationId"] == "postAuthLogoutAll"
    for name, operation in described.items():
        assert operation["summary"], name
        assert operation["tags"], name


async def test_every_refusal_is_a_problem_document(openapi: dict[str, Any]) -> None:
    for name, operation in operations(openapi):
        for status, response in operation["responses"].items():
            if status == "default" or int(status) >= 400:
                assert response["content"].keys() == {"application/problem+json"}, (name, status)


async def test_open_routes_and_guarded_ones(openapi: dict[str, Any]) -> None:
    opened = {name for name, operation in operations(openapi) if operation.get("security") == [{}]}
    assert opened == {f"post /api/v1/auth/{name}" for name in ("register", "login", "refresh")}
    assert openapi["security"] == [{"bearer": []}]
    assert openapi["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


async def test_bodies_are_described_with_their_limits(openapi: dict[str, Any]) -> None:
    body = resolve(openapi, "#/components/schemas/RegisterBody")
    assert body["required"] == ["username", "email", "password"]
    assert (body["properties"]["username"]["minLength"], body["properties"]["username"]["maxLength"]) == (3, 32)
    required = {
        name: operation["requestBody"]["required"]
        for name, operation in operations(openapi)
        if "requestBody" in operation
    }
    assert required == {
        "post /api/v1/auth/register": True,
        "post /api/v1/auth/login": True,
        "post /api/v1/auth/refresh": False,
        "patch /api/v1/users/me": True,
        "put /api/v1/contacts/{user_id}": False,
    }


async def test_lists_are_pages(openapi: dict[str, Any]) -> None:
    page = resolve(openapi, "#/components/schemas/UserPage")
    assert page["properties"]["items"] == {"type": "array", "items": {"$ref": "#/components/schemas/User"}}
    parameters = openapi["paths"]["/api/v1/users"]["get"]["parameters"]
    limit = next(parameter for parameter in parameters if parameter["name"] == "limit")
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"], limit["schema"]["default"]) == (1, 200, 50)


async def test_no_reference_leads_nowhere(openapi: dict[str, Any]) -> None:
    for document in (openapi, asyncapi_document("1.2.3")):
        found = list(references(document))
        assert found
        for reference in found:
            assert resolve(document, reference) is not None


async def test_the_documents_carry_the_version(client: AsyncTestClient[Litestar], openapi: dict[str, Any]) -> None:
    asyncapi = (await client.get("/schema/asyncapi.json")).json()
    assert asyncapi["info"]["version"] == openapi["info"]["version"] == "1.2.3"
    assert asyncapi == asyncapi_document("1.2.3")


def test_every_frame_is_in_the_asyncapi_document() -> None:
    document = asyncapi_document("1.2.3")
    for operation, union in (
        ("receiveFromClient", protocol.AnyClientFrame),
        ("sendToClient", protocol.AnyServerFrame),
    ):
        messages = [resolve(document, reference["$ref"]) for reference in document["operations"][operation]["messages"]]
        messages = [resolve(document, message["$ref"]) for message in messages]
        assert {message["name"] for message in messages} == {frame.__struct_config__.tag for frame in get_args(union)}
        for message in messages:
            payload = resolve(document, message["payload"]["$ref"])
            assert payload["properties"]["type"]["enum"] == [message["name"]]


async def test_the_page_and_its_files_need_no_other_host(client: AsyncTestClient[Litestar]) -> None:
    page = await client.get("/schema")
    assert page.headers["content-type"].startswith("text/html")
    assert "//" not in page.text.replace("<!--", "")
    assert "<script>" not in page.text
    assert "<style" not in page.text
    for name, media_type in (
        ("swagger-ui.css", "text/css"),
        ("swagger-ui-bundle.js", "text/javascript"),
        ("start.js", "text/javascript"),
    ):
        assert f"/schema/assets/{name}" in page.text
        asset = await client.get(f"/schema/assets/{name}")
        assert asset.status_code == 200
        assert asset.headers["content-type"].startswith(media_type)
        assert asset.content


@pytest.mark.parametrize("path", ["nonsense", "assets/nonsense", "assets/..%2Fpage.py", "assets/index.html"])
async def test_below_the_page_there_is_nothing_else(client: AsyncTestClient[Litestar], path: str) -> None:
    response = await client.get(f"/schema/{path}")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
