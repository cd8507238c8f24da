import pytest

from chat_mvp.http.cookies import cookie_value
from chat_mvp.limits import MAX_COOKIE_CHARS, MAX_TOKEN_CHARS


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("mine=abc", "abc"),
        ("other=1; mine=abc; more=2", "abc"),
        ("mine=abc;mine=def", "abc"),
        (" mine=a=b ; ", "a=b"),
        ("mine=", ""),
        ("mine", ""),
        ('mine="\\141"', '"\\141"'),
        ("mine=" + "x" * MAX_TOKEN_CHARS, "x" * MAX_TOKEN_CHARS),
    ],
)
def test_our_own_cookie(header: str, value: str) -> None:
    assert cookie_value(header, "mine") == value


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        ";;;",
        "other=mine=abc",
        "Mine=abc",
        "mine=" + "x" * (MAX_TOKEN_CHARS + 1),
        "mine=abc; other=" + "x" * MAX_COOKIE_CHARS,
    ],
)
def test_no_cookie_of_ours(header: str | None) -> None:
    assert cookie_value(header, "mine") is None
