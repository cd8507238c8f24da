import pytest

from chat_mvp.security.common_passwords import is_common


@pytest.mark.parametrize(
    "password",
    [
        *("1234567890", "0987654321", "abcdefghij", "qwertyuiop", "QWERTYUIOP", "asdfghjkl;", "1q2w3e4r5t6y"),
        *(
            "aaaaaaaaaa",
            "abababababab",
            "123123123123",
            "password123",
            "Password1!",
            "passwordpassword",
            "P@ssw0rd2024",
        ),
        *(
            "Welcome2026!",
            "iloveyou!!!!",
            "letmein12345",
            "qwerty12345",
            "administrator1",
            "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10",
        ),
    ],
)
def test_what_is_guessed_first(password: str) -> None:
    assert is_common(password)


@pytest.mark.parametrize(
    "password",
    [
        *("correct horse battery", "ten chars!", "it rains in bergen", "password for the attic", "x7!kQpl09zzR"),
        *("päß😀" * 64, "пароль от чердака", "パスワードではない言葉", "tr0ub4dor&3 and more"),
    ],
)
def test_what_takes_longer(password: str) -> None:
    assert not is_common(password)


def test_the_own_name() -> None:
    assert is_common("Ann.Example.1990", "ann_example_1990")
    assert is_common("annexample@example.org", "ann", "AnnExample@Example.org")
    assert not is_common("Ann.Example.1990", "bob", "")
