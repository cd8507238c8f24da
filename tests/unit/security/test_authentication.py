import asyncio
from datetime import UTC, datetime

import pytest

from chat_mvp.errors import UnauthenticatedError
from chat_mvp.security.authentication import LIVE_SESSION_TTL_S, Authenticator
from chat_mvp.security.keys import SigningKey
from chat_mvp.security.tokens import Tokens

# A lifetime that the run of all tests fits in: the token is made when they are collected.
TOKENS = Tokens([SigningKey("k", b"k" * 64)], lifetime_s=86_400)
TOKEN = TOKENS.issue(user_id="ann", session_id="phone", token_id="j", at=datetime.now(UTC))


class Sessions:
    """The store of sessions as the authenticator sees it, counting how often it is asked."""

    def __init__(self) -> None:
        self.owners = {"phone": "ann"}
        self.reads = 0
        self.slow = asyncio.Event()
        self.slow.set()

    async def fetch_owner(self, session_id: str) -> str | None:
        self.reads += 1
        owner = self.owners.get(session_id)
        await self.slow.wait()
        return owner


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_session_is_read_once_in_a_while() -> None:
    sessions, clock = Sessions(), Clock()
    authenticator = Authenticator(TOKENS, sessions.fetch_owner, clock=clock)
    for _ in range(3):
        caller = await authenticator.authenticate(TOKEN.text)
    assert (caller.user_id, caller.session_id, caller.expires_at) == ("ann", "phone", TOKEN.expires_at)
    assert sessions.reads == 1
    clock.now += LIVE_SESSION_TTL_S + 1
    await authenticator.authenticate(TOKEN.text)
    assert sessions.reads == 2


async def test_a_session_that_another_process_ended_is_refused_before_long() -> None:
    sessions, clock = Sessions(), Clock()
    authenticator = Authenticator(TOKENS, sessions.fetch_owner, clock=clock)
    await authenticator.authenticate(TOKEN.text)
    sessions.owners.clear()
    clock.now += LIVE_SESSION_TTL_S + 1
    with pytest.raises(UnauthenticatedError):
        await authenticator.authenticate(TOKEN.text)


async def test_a_session_that_ended_here_is_refused_at_once() -> None:
    sessions = Sessions()
    authenticator = Authenticator(TOKENS, sessions.fetch_owner)
    await authenticator.authenticate(TOKEN.text)
    authenticator.end_session("phone")
    with pytest.raises(UnauthenticatedError):
        await authenticator.authenticate(TOKEN.text)


async def test_a_read_that_was_under_way_does_not_bring_a_session_back() -> None:
    sessions = Sessions()
    authenticator = Authenticator(TOKENS, sessions.fetch_owner)
    sessions.slow.clear()
    under_way = asyncio.create_task(authenticator.authenticate(TOKEN.text))
    await asyncio.sleep(0)
    authenticator.end_session("phone")
    sessions.slow.set()
    with pytest.raises(UnauthenticatedError):
        await under_way
    with pytest.raises(UnauthenticatedError):
        await authenticator.authenticate(TOKEN.text)


async def test_a_session_speaks_for_its_owner_only() -> None:
    sessions = Sessions()
    sessions.owners["phone"] = "bob"
    with pytest.raises(UnauthenticatedError):
        await Authenticator(TOKENS, sessions.fetch_owner).authenticate(TOKEN.text)
