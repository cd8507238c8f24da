"""Readiness: when the database is asked, and what makes the server not ready."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.di import Provide
from litestar.testing import AsyncTestClient

from chat_mvp.errors import UnavailableError
from chat_mvp.ops.health import HANDLERS, Readiness


class Store:
    """A database that takes writes, or fails, or hangs."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: Exception | None = None
        self.delay_s = 0.0

    async def write(self) -> None:
        self.asked += 1
        await asyncio.sleep(self.delay_s)
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def store() -> Store:
    return Store()


def readiness(store: Store, **options: Any) -> Readiness:
    return Readiness(store.write, **{"disk": None, "good_for_s": 0.0} | options)


async def test_a_database_that_takes_writes_is_ready(store: Store) -> None:
    assert await readiness(store).problem() is None


@pytest.mark.parametrize("failure", [UnavailableError("away"), RuntimeError("surprise")])
async def test_a_database_that_takes_none_is_not(store: Store, failure: Exception) -> None:
    store.failure = failure
    assert await readiness(store).problem() == "The database does not accept writes."


async def test_a_database_that_hangs_is_not(store: Store) -> None:
    store.delay_s = 5
    assert await readiness(store, within_s=0.02).problem() == "The database did not accept a write in time."


async def test_it_is_ready_again_when_the_database_is(store: Store) -> None:
    it = readiness(store)
    store.failure = UnavailableError("away")
    assert await it.problem() is not None
    store.failure = None
    assert await it.problem() is None


async def test_however_many_ask_the_database_is_asked_once(store: Store) -> None:
    store.delay_s = 0.02
    it = readiness(store, good_for_s=60.0)
    assert await asyncio.gather(*(it.problem() for _ in range(50))) == [None] * 50
    assert await it.problem() is None
    assert store.asked == 1


async def test_a_cancelled_caller_does_not_cancel_the_others(store: Store) -> None:
    store.delay_s = 0.05
    it = readiness(store)
    impatient = asyncio.create_task(it.problem())
    patient = asyncio.create_task(it.problem())
    await asyncio.sleep(0.01)
    impatient.cancel()
    assert await patient is None
    assert store.asked == 1


async def test_a_full_disk_is_not_ready(store: Store, tmp_path: Path) -> None:
    assert await readiness(store, disk=tmp_path, minimum_free=1).problem() is None
    problem = await readiness(store, disk=tmp_path, minimum_free=10**18).problem()
    assert problem == "The disk of the data directory is nearly full."
    assert store.asked == 1, "a full disk is reason enough"


async def test_over_http(store: Store) -> None:
    it = readiness(store)
    app = Litestar(HANDLERS, dependencies={"readiness": Provide(lambda: it, sync_to_thread=False)}, logging_config=None)
    async with AsyncTestClient(app) as client:
        assert (await client.get("/health/live")).json() == {"status": "alive"}
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
        assert ready.headers["Cache-Control"] == "no-store"
