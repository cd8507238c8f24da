"""Consumers in a whole application: the example of docs/events.md, on changes that people made."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar

from chat_mvp.app import create_app
from chat_mvp.settings import Settings
from chat_mvp.storage.client import Database, open_database
from tests.support.waiting import eventually
from tests.unit.docs.pages import DOCS, blocks

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLE = next(
    block.text
    for block in blocks((DOCS / "events.md").read_text(encoding="utf-8"))
    if block.text.startswith("from collections")
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(mongo_uri: str) -> AsyncIterator[Database]:
    name = f"example_{secrets.token_hex(4)}"
    database = await open_database(mongo_uri, name, queue_ttl_days=30, event_ttl_days=2)
    yield database
    await database.close()


def message_counter(database: Database) -> Any:
    names: dict[str, Any] = {}
    exec(EXAMPLE, names)  # noqa: S102  (the documentation is ours)
    return names["MessageCounter"](database)


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Start an application on the event loop of the test, whose database it uses."""
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8080") as client,  # type: ignore[arg-type]
    ):
        yield client


async def test_the_example_counts_messages_and_the_application_tells_how_it_does(
    database: Database, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, rate_limits="off")
    counts = database.collections["message_counts"]

    async def counted() -> dict[str, int]:
        return {row["_id"]: row["count"] async for row in counts.find({})}

    app = create_app(settings, database, [message_counter(database)])
    async with running(app) as client:
        headers = await register(client)
        room = await make_group(client, headers)
        await eventually(counted, lambda found: found.get(room, 0) >= 1)
        first = (await counted())[room]
        change = await client.patch(f"/api/v1/conversations/{room}", json={"name": "Another name"}, headers=headers)
        assert change.status_code == 200, change.text
        await eventually(counted, lambda found: found.get(room, 0) > first)
        page = (await client.get("/metrics")).text
        assert 'chat_mvp_consumer_lag_seconds{consumer="message-counter"}' in page
        assert 'chat_mvp_consumer_failed{consumer="message-counter"} 0.0' in page
        assert (await client.get("/health/ready")).status_code == 200
    # What was changed while it did not run is in the collections.
    await database.collections["consumers"].delete_many({})
    await counts.delete_many({})
    app = create_app(settings, database, [message_counter(database)])
    async with running(app):
        await eventually(counted, lambda found: found.get(room, 0) > first)


async def register(client: httpx.AsyncClient) -> dict[str, str]:
    name = f"ann_{secrets.token_hex(4)}"
    body = {"username": name, "email": f"{name}@example.org", "password": secrets.token_urlsafe()}
    answer = await client.post("/api/v1/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def make_group(client: httpx.AsyncClient, headers: dict[str, str]) -> str:
    body = {"kind": "group", "name": "Group", "member_ids": []}
    answer = await client.post("/api/v1/conversations", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_events_are_kept_as_long_as_the_setting_says(mongo_uri: str, database: Database) -> None:
    day_s = 24 * 60 * 60

    async def kept_s() -> int:
        indexes = await database.collections["events"].index_information()
        return int(indexes["event_ttl"]["expireAfterSeconds"])

    assert await kept_s() == 2 * day_s
    # Another length counts from the next start.
    again = await open_database(mongo_uri, database.collections.name, queue_ttl_days=30, event_ttl_days=5)
    await again.close()
    assert await kept_s() == 5 * day_s
