import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zxcvbn.matching import L33T_TABLE, enumerate_l33t_subs, relevant_l33t_subtable

from chat_mvp.errors import UnavailableError
from chat_mvp.limits import MAX_JUDGED_PASSWORD_CHARS
from chat_mvp.security.password_strength import PasswordStrength, judged_part, own_words, strength_complaint

ALICE = ("alice_smith", "Alice Smith", "al.s@post.example.org")
SIGNS = sorted({sign for signs in L33T_TABLE.values() for sign in signs})
MAX_READINGS = 100


@pytest.mark.parametrize(
    "password",
    [
        *(
            "123456789a",
            "1234554321",
            "1234567890",
            "0987654321",
            "abcdefghij",
            "qwertyuiop",
            "QWERTYUIOP",
            "1q2w3e4r5t6y",
        ),
        *(
            "aaaaaaaaaa",
            "abababababab",
            "123123123123",
            "password123",
            "Password1!",
            "passwordpassword",
            "P@ssw0rd2024",
        ),
        *("password password", "Password-password", "qwerty qwerty1", "iloveyou_iloveyou", "1234 12345 1234"),
        *("Welcome2026!", "iloveyou!!!!", "letmein12345", "qwerty12345", "administrator1", "a" * 256, "päß😀" * 64),
        *("\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10", "a" + "\u0301" * 255, "\u0301\u0316" * 128),
    ],
)
def test_what_is_guessed_first(password: str) -> None:
    complaint = strength_complaint(password, ())
    assert complaint is not None
    assert complaint.startswith("is too easy to guess. ")
    assert password not in complaint


@pytest.mark.parametrize(
    "password",
    [
        *("correct horse battery", "ten chars!", "it rains in bergen", "password for the attic", "x7!kQpl09zzR"),
        *("пароль от чердака", "パスワードではない言葉", "tr0ub4dor&3 and more", "alice knits wool socks"),
        *("".join(SIGNS), "0123456789!@ and the rest of it"),
    ],
)
def test_what_takes_longer(password: str) -> None:
    assert strength_complaint(password, ALICE) is None


@pytest.mark.parametrize(
    "password",
    [
        *("alice_smith1", "Alice.Smith.2026", "smith_alice_1", "AliceSmith!23", "alicesmith", "@lice_sm1th1"),
        *("al.s@post.example.org", "AL.S@POST.EXAMPLE.ORG!!", "xxAlice Smithxx", "alicealicealice"),
    ],
)
def test_the_own_name(password: str) -> None:
    assert strength_complaint(password, ALICE) is not None


def test_the_parts_of_names() -> None:
    assert {"alice_smith", "alicesmith", "alice", "smith", "al.s", "post", "example", "org"} <= {*own_words(ALICE)}
    assert own_words(("a", "", "Jo")) == []


@given(st.text(max_size=256), st.lists(st.sampled_from(SIGNS), max_size=256))
def test_the_work_has_an_end(text: str, signs: list[str]) -> None:
    """The time of zxcvbn grows with the length and with the number of ways in which signs may stand for letters."""
    for password in (text, "".join(signs), "".join(signs[:20]) + text):
        judged = judged_part(password)
        assert len(judged) <= MAX_JUDGED_PASSWORD_CHARS
        assert len(enumerate_l33t_subs(relevant_l33t_subtable(judged, L33T_TABLE))) <= MAX_READINGS


async def test_the_names_of_one_are_not_those_of_another() -> None:
    strength = PasswordStrength()
    try:
        complaints = await asyncio.gather(
            *(strength.complaint("wolfgang_amadeus", (name,)) for name in ("wolfgang_amadeus", "bob") * 5)
        )
        assert [complaint is None for complaint in complaints] == [False, True] * 5
    finally:
        strength.close()


async def test_too_many_at_once_are_unavailable() -> None:
    strength = PasswordStrength(max_waiting=1)
    try:
        answers = await asyncio.gather(
            *(strength.complaint("it rains in bergen", ()) for _ in range(3)), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [type(None), type(None), UnavailableError]
        assert await strength.complaint("it rains in bergen", ()) is None
    finally:
        strength.close()
