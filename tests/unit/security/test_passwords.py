import asyncio
import sys
import unicodedata
from collections.abc import AsyncIterator
from typing import Literal

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from chat_mvp.errors import UnavailableError
from chat_mvp.limits import MAX_PASSWORD_CHARS
from chat_mvp.security.passwords import Passwords, Verdict, normal_form

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


async def test_an_unknown_user_has_no_password(passwords: Passwords) -> None:
    assert not await passwords.verify(None, PASSWORD)
    assert not await passwords.verify(None, "nobody's password")


async def test_a_damaged_hash_matches_no_password(passwords: Passwords) -> None:
    assert not await passwords.verify("no hash at all", PASSWORD)


async def test_the_cost_is_that_of_rfc_9106() -> None:
    passwords = Passwords()
    stored = await passwords.hash(PASSWORD)
    passwords.close()
    cost = extract_parameters(stored)
    assert (cost.type, cost.time_cost, cost.memory_cost, cost.parallelism) == (Type.ID, 3, 64 * 1024, 4)


async def test_a_hash_of_another_cost_is_to_be_made_anew(passwords: Passwords) -> None:
    assert await passwords.verify(await passwords.hash(PASSWORD), PASSWORD) is Verdict.RIGHT
    weak = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    assert await passwords.verify(weak, PASSWORD) is Verdict.OUTDATED
    assert await passwords.verify(weak, PASSWORD + "x") is Verdict.WRONG


@pytest.mark.parametrize(
    "cost", ["m=2000000000,t=1,p=1", "m=8,t=4000000,p=1", "m=64,t=9,p=1", "m=1600,t=1,p=200", "m=65,t=1,p=1"]
)
async def test_a_hash_that_costs_much_more_is_not_checked(passwords: Passwords, cost: str) -> None:
    stored = CHEAP.hash(PASSWORD).replace("m=8,t=1,p=1", cost)
    assert cost in stored
    async with asyncio.timeout(5):
        assert await passwords.verify(stored, PASSWORD) is Verdict.WRONG


class CountingHasher(PasswordHasher):
    """Counts how many passwords it verifies."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  # the name in the base class
        self.verified += 1
        return super().verify(hash, password)


# The same password as different systems write it, and what is stored of it.
WRITTEN = [
    ("caf\u00e9 cr\u00e8me", "cafe\u0301 cre\u0300me"),
    ("correct horse", "correct\u00a0horse"),
    ("correct horse", "correct\u3000horse"),
    ("correct horse", "correct\u2002horse"),
    ("correct horse", "correct\u2000horse"),
    ("\u00c5ngstr\u00f6m \u03a9", "\u212bngstro\u0308m \u2126"),
    ("\ud55c\uae00 \uc554\ud638", "\u1112\u1161\u11ab\u1100\u1173\u11af \u110b\u1161\u11b7\u1112\u1169"),
    ("\u1ed9\u1ed9\u1ed9", "o\u0302\u0323\u1ecd\u0302\u00f4\u0323"),
]


@pytest.mark.parametrize(("normal", "other"), WRITTEN)
async def test_one_password_written_in_two_ways(passwords: Passwords, normal: str, other: str) -> None:
    assert normal != other
    assert normal_form(other) == normal_form(normal) == normal
    for typed in (normal, other):
        stored = await passwords.hash(typed)
        for again in (normal, other):
            assert await passwords.verify(stored, again) is Verdict.RIGHT


@pytest.mark.parametrize(("normal", "other"), WRITTEN)
async def test_a_hash_of_what_was_typed_is_accepted_once_more(passwords: Passwords, normal: str, other: str) -> None:
    as_typed = CHEAP.hash(other)
    assert await passwords.verify(as_typed, other) is Verdict.OUTDATED
    assert await passwords.verify(as_typed, normal) is Verdict.WRONG


@pytest.mark.parametrize(
    "kept", ["Stra\u00dfe", "STRASSE", "\ufb01nn", "finn", "\u2168", "a  b", " a", "a\tb", "a\u200bb"]
)
def test_what_makes_another_password_stays(kept: str) -> None:
    assert normal_form(kept) == kept


def test_every_space_is_the_same() -> None:
    spaces = {chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Zs"}
    assert len(spaces) > 10
    assert {normal_form(f"a{space}b") for space in spaces} == {"a b"}


@given(st.text(max_size=40))
def test_the_normal_form_is_one_for_all_ways_to_write_a_password(text: str) -> None:
    normal = normal_form(text)
    assert normal_form(normal) == normal
    for form in ("NFC", "NFD"):
        assert normal_form(unicodedata.normalize(form, text)) == normal


@pytest.mark.parametrize(("typed", "checks"), [("plain text", 1), ("caf\u00e9", 1), ("cafe\u0301", 2), ("a\u00a0b", 2)])
async def test_a_wrong_password_costs_the_same_for_every_account(typed: str, checks: int) -> None:
    hasher = CountingHasher()
    passwords = Passwords(hasher=hasher)
    for stored in (hasher.hash(PASSWORD), None):
        hasher.verified = 0
        assert await passwords.verify(stored, typed) is Verdict.WRONG
        assert hasher.verified == checks
    passwords.close()


def test_a_password_over_the_limit_is_not_normalised() -> None:
    """A bound on work: as one run of marks, this would take minutes."""
    longest = "a" + "\u0301\u0316" * ((MAX_PASSWORD_CHARS - 1) // 2)
    assert normal_form(longest) != longest
    endless = "a" + "\u0301" * 500_000 + "\u0316" * 500_000
    assert normal_form(endless) == endless


async def test_the_event_loop_is_not_blocked() -> None:
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
