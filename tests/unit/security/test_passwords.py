import asyncio
from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from chat_mvp.errors import UnavailableError
from chat_mvp.security.passwords import Passwords

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct horse battery"


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    passwords = Passwords(hasher=CHEAP)
    yield passwords
    passwords.close()


async def test_the_right_password_and_wrong_ones(passwords: Passwords) -> None:
    stored = await passwords.hash(PASSWORD)
    assert stored != await passwords.hash(PASSWORD)
    assert await passwords.verify(stored, PASSWORD)
    for wrong in ("", PASSWORD + " ", PASSWORD.upper(), "x" * 100_000):
        assert not await passwords.verify(stored, wrong)


async def test_nobody_has_no_password(passwords: Passwords) -> None:
    assert not await passwords.verify(None, PASSWORD)
    assert not await passwords.verify(None, "nobody's password")


async def test_a_damaged_hash_lets_nobody_in(passwords: Passwords) -> None:
    assert not await passwords.verify("no hash at all", PASSWORD)


async def test_the_cost_is_that_of_rfc_9106() -> None:
    passwords = Passwords()
    stored = await passwords.hash(PASSWORD)
    passwords.close()
    cost = extract_parameters(stored)
    assert (cost.type, cost.time_cost, cost.memory_cost, cost.parallelism) == (Type.ID, 3, 64 * 1024, 4)


async def test_a_hash_of_another_cost_is_to_be_made_anew(passwords: Passwords) -> None:
    assert not passwords.needs_rehash(await passwords.hash(PASSWORD))
    assert passwords.needs_rehash(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD))


async def test_the_event_loop_goes_on_meanwhile() -> None:
    passwords = Passwords()
    work = asyncio.create_task(passwords.hash(PASSWORD))
    turns = 0
    while not work.done():
        await asyncio.sleep(0.001)
        turns += 1
    passwords.close()
    assert await work
    assert turns > 5


async def test_only_so_many_wait(passwords: Passwords) -> None:
    full = Passwords(hasher=PasswordHasher(time_cost=20, memory_cost=8192, parallelism=1), threads=1, max_waiting=2)
    results = await asyncio.gather(*(full.hash(PASSWORD) for _ in range(5)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, UnavailableError)]
    assert len(refused) == 2
    assert all(error.retry_after_ms for error in refused)
    assert await full.hash(PASSWORD), "places are free again afterwards"
    full.close()
