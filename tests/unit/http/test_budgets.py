"""Every route and every frame takes from a budget, and the guard takes it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest
from litestar import Litestar, get
from litestar.testing import AsyncTestClient
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient

from chat_mvp.app import create_app
from chat_mvp.errors import UnauthenticatedError
from chat_mvp.http.astray import counting_astray
from chat_mvp.http.budgets import ROUTE_BUDGETS, address_guard, check_every_route_has_a_budget, route_budget
from chat_mvp.http.problems import EXCEPTION_HANDLERS
from chat_mvp.protocol import AnyClientFrame
from chat_mvp.realtime.budgets import FRAME_BUDGETS
from chat_mvp.security.budgets import BUDGETS, Budget, RateLimits
from chat_mvp.settings import Settings
from chat_mvp.storage.client import Database

OPEN = {"POST /api/v1/auth/register", "POST /api/v1/auth/login", "POST /api/v1/auth/refresh"}


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Litestar]:
    """The whole application on a database that is never used."""
    nowhere = "mongodb://127.0.0.1:1"
    database = Database(AsyncMongoClient(nowhere, connect=False), AsyncIOMotorClient(nowhere), "budgets", "epoch")
    yield create_app(Settings(data_dir=tmp_path), database)
    await database.close()


async def test_every_route_takes_from_a_budget_and_every_line_of_the_table_is_a_route(app: Litestar) -> None:
    routes = {
        f"{method} {route.path_format}"
        for route in app.routes
        for method in getattr(route, "route_handler_map", {})
        if method != "OPTIONS"
    }
    assert {route for route in routes if route_budget(*route.split(" ", 1)) is None} == set()
    assert ROUTE_BUDGETS.keys() - routes == set()


def test_every_frame_takes_from_a_budget() -> None:
    assert FRAME_BUDGETS.keys() == set(get_args(AnyClientFrame))


def test_what_needs_an_account_is_counted_by_account_and_all_else_by_address() -> None:
    assert {BUDGETS[name].by for name in FRAME_BUDGETS.values()} == {"account"}
    by_address = {route for route, name in ROUTE_BUDGETS.items() if BUDGETS[name].by == "address"}
    assert {route for route in by_address if "/api/" in route} == OPEN
    assert {route for route in ROUTE_BUDGETS if "/api/" not in route} <= by_address


@get("/health/live")
async def live() -> None:
    return None


@get("/nowhere")
async def unknown() -> None:
    return None


def test_a_route_without_a_budget_fails_the_start() -> None:
    check_every_route_has_a_budget(Litestar([live], openapi_config=None))
    with pytest.raises(ValueError, match="without a budget: GET /nowhere"):
        check_every_route_has_a_budget(Litestar([live, unknown], openapi_config=None))


async def test_a_refusal_says_when_to_retry() -> None:
    limits = RateLimits({**BUDGETS, "probe": Budget("address", 1, 0.4, "requests")})
    app = Litestar([live], guards=[address_guard(limits)], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None)
    async with AsyncTestClient(app) as client:
        assert (await client.get("/health/live")).status_code == 200
        refused = await client.get("/health/live")
    assert refused.status_code == 429
    problem = refused.json()
    assert problem["code"] == "rate_limited"
    assert 0 < problem["retry_after_ms"] <= 2_500
    assert refused.headers["retry-after"] in {"2", "3"}


@get("/health/ready")
async def locked() -> None:
    raise UnauthenticatedError("Sign in first.")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("GET", "/health/nothing", 404),
        ("HEAD", "/nothing", 404),
        ("OPTIONS", "/nothing", 404),
        ("OPTIONS", "/health/live", 204),
        ("PATCH", "/health/live", 404),
        ("GET", "/health/ready", 401),
    ],
)
async def test_requests_that_lead_nowhere_are_counted_by_address(method: str, path: str, status: int) -> None:
    limits = RateLimits({**BUDGETS, "astray": Budget("address", 2, 0.4, "requests")})
    app = Litestar(
        [live, locked],
        guards=[address_guard(limits)],
        exception_handlers=counting_astray(EXCEPTION_HANDLERS, limits),
        openapi_config=None,
    )
    async with AsyncTestClient(app) as client:
        answers = [await client.request(method, path) for _ in range(3)]
        assert [it.status_code for it in answers] == [status, status, 429]
        assert answers[-1].headers["retry-after"] in {"2", "3"}
        assert (await client.get("/health/live")).status_code == 200
