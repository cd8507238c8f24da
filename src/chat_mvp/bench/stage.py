"""Prepares the users, conversations and history that a scenario needs. Also reads MongoDB's counters.

Users are stored directly, with a password with which no one can sign in: hashing a real one takes a tenth of a second
of CPU on purpose, and is not measured here. Their tokens are signed with the server's own key, so that the server
checks them like any other.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx

from chat_mvp.bench.generator import BenchmarkError
from chat_mvp.bench.groups import Groups
from chat_mvp.bench.history import History
from chat_mvp.bench.orders import Person
from chat_mvp.bench.server import ServerUnderTest
from chat_mvp.errors import StartupError
from chat_mvp.mongod.running import running_uri
from chat_mvp.security.keys import load_signing_keys
from chat_mvp.security.tokens import Tokens
from chat_mvp.storage.auth_sessions import AuthSessions
from chat_mvp.storage.client import Database, open_database
from chat_mvp.storage.ids import new_id
from chat_mvp.storage.jobs import Jobs
from chat_mvp.storage.messages import Messages
from chat_mvp.storage.records import AuthSessionRecord, UserRecord
from chat_mvp.storage.users import Users
from chat_mvp.times import utc_now

DATABASE = "chat_mvp"
TOKENS_LIVE_S = 24 * 60 * 60
_AT_ONCE = 32
_POLL_S = 0.5
_PROFILE_BYTES = 256 * 1024 * 1024
_HTTP_TIMEOUT_S = 30.0
_NO_PASSWORD = "!"  # noqa: S105 - not a valid hash, so no password matches


class Stage:
    """Fills the database of a running server and reads its counters."""

    def __init__(self, server: ServerUnderTest, database: Database, http: httpx.AsyncClient) -> None:
        """Use this server and its database."""
        self._database = database
        self._http = http
        self._users = Users()
        self._sessions = AuthSessions()
        self._tokens = Tokens(load_signing_keys(server.data_dir, None), lifetime_s=TOKENS_LIVE_S)

    async def people(self, count: int) -> list[Person]:
        """Create this number of signed-in users."""
        semaphore = asyncio.Semaphore(_AT_ONCE)

        async def make() -> Person:
            async with semaphore:
                return await self._person()

        return list(await asyncio.gather(*(make() for _ in range(count))))

    async def direct(self, one: Person, other: Person) -> str:
        """Create the direct conversation of these two users and return its id."""
        return await self._conversation(one, {"kind": "direct", "user_id": other.user_id})

    async def group(self, people: list[Person]) -> str:
        """Create a group of these users, owned by the first, and return its id."""
        members = [person.user_id for person in people[1:]]
        return await self._conversation(people[0], {"kind": "group", "name": "Benchmark", "member_ids": members})

    def groups(self, people: list[Person], text_chars: int) -> Groups:
        """Return an object that stores many groups of these people."""
        return Groups(self._database, [person.user_id for person in people], text_chars=text_chars)

    @property
    def epoch(self) -> str:
        """Return the epoch of the database, to which the revisions of clients belong."""
        return self._database.epoch

    def history(self, text_chars: int) -> History:
        """Return an object that grows the history of conversations."""
        return History(self._database, text_chars=text_chars)

    async def delete(self, owner: Person, conversation_id: str) -> None:
        """Delete a conversation."""
        answer = await self._http.delete(
            f"/api/v1/conversations/{conversation_id}", headers={"Authorization": f"Bearer {owner.token}"}
        )
        answer.raise_for_status()

    async def is_ready(self) -> bool:
        """Return whether the server answers that it is ready."""
        answer = await self._http.get("/health/ready")
        return answer.is_success

    async def until_purged(self, conversation_id: str) -> None:
        """Wait until the jobs are done and no message of a deleted conversation is stored."""
        jobs = Jobs(self._database.collections)
        # Not the messages: a search for the oldest one reads every removed entry of the index again.
        is_busy = True
        while is_busy:
            await asyncio.sleep(_POLL_S)
            is_busy = bool(await jobs.count("waiting"))
        if await Messages(self._database.collections).fetch_oldest(conversation_id, after=0, limit=1):
            raise BenchmarkError("Messages of the deleted conversation were left.")

    async def watch_removals(self) -> None:
        """Make mongod record how long each removal of messages takes."""
        # Without this, mongod keeps only the last hundred or so.
        await self._database.collections.create_collection("system.profile", capped=True, size=_PROFILE_BYTES)
        watched = {"op": "remove", "ns": f"{DATABASE}.messages"}
        await self._database.collections.command("profile", 1, filter=watched)

    async def slowest_removal_ms(self) -> float:
        """Return the duration of the slowest removal in mongod's records, in milliseconds."""
        slowest = await self._database.collections["system.profile"].find_one({"op": "remove"}, sort=[("millis", -1)])
        return float(slowest["millis"]) if slowest is not None else 0.0

    async def fsyncs(self) -> int:
        """Return how often mongod has flushed its journal to disk since it started."""
        status = await self._database.client.admin.command("serverStatus")
        return int(status["wiredTiger"]["log"]["log sync operations"])

    async def batches(self) -> int:
        """Return how many batches the server's writer has committed since it started."""
        answer = await self._http.get("/metrics")
        for line in answer.text.splitlines():
            name, _, value = line.partition(" ")
            if name == "chat_mvp_writer_batches":
                return int(float(value))
        return 0

    async def _person(self) -> Person:
        user_id, session_id, now = new_id(), new_id(), utc_now()
        await self._users.insert(
            UserRecord(
                id=user_id,
                username=f"bench-{user_id}",
                email=f"{user_id}@example.org",
                email_verified=False,
                password_hash=_NO_PASSWORD,
                display_name=f"Bench {user_id}",
                avatar_url=None,
                bio="",
                status_text="",
                role="member",
                profile_json="{}",
                settings_json="{}",
                presence="online",
                last_seen=None,
                created_at=now,
            )
        )
        await self._sessions.insert(
            AuthSessionRecord(
                id=session_id,
                user_id=user_id,
                device_name="benchmark",
                address="127.0.0.1",
                token_hash=session_id,
                spent_hash=None,
                spent_at=None,
                created_at=now,
                last_used_at=now,
                expires_at=now + timedelta(seconds=TOKENS_LIVE_S),
            )
        )
        token = self._tokens.issue(user_id=user_id, session_id=session_id, token_id=new_id(), at=now)
        return Person(user_id=user_id, token=token.text)

    async def _conversation(self, maker: Person, body: dict[str, Any]) -> str:
        answer = await self._http.post(
            "/api/v1/conversations", json=body, headers={"Authorization": f"Bearer {maker.token}"}
        )
        answer.raise_for_status()
        return str(answer.json()["id"])


@asynccontextmanager
async def set_stage(server: ServerUnderTest) -> AsyncIterator[Stage]:
    """Open the database of a running server for preparation."""
    uri = running_uri(server.data_dir)
    if uri is None:
        raise StartupError("The MongoDB of the server under test is not running.", remedy="Run the benchmark again.")
    database = await open_database(uri, DATABASE, queue_ttl_days=30)
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=_HTTP_TIMEOUT_S, trust_env=False) as http:
            yield Stage(server, database, http)
    finally:
        await database.close()
