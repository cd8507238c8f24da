"""Marks of devices prove an earlier sign-in, and nothing else is accepted as one."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_mvp.security.devices import MARK_CHARS, DeviceMarks
from chat_mvp.security.keys import SigningKey

OLD, NEW = SigningKey("old", b"o" * 64), SigningKey("new", b"n" * 64)
ANN = "0123456789abcdef01234567"


def test_a_mark_names_the_account_and_one_device() -> None:
    marks = DeviceMarks([NEW])
    one, other = (marks.read(marks.issue(ANN)) for _ in range(2))
    assert one is not None
    assert other is not None
    assert (one.user_id, other.user_id) == (ANN, ANN)
    assert one.number != other.number


def test_a_mark_needs_no_quotes_in_a_cookie() -> None:
    mark = DeviceMarks([NEW]).issue(ANN)
    assert SimpleCookie({"device": mark})["device"].OutputString() == f"device={mark}"


def test_marks_survive_a_rotation_of_keys() -> None:
    mark = DeviceMarks([OLD]).issue(ANN)
    assert DeviceMarks([NEW, OLD]).read(mark) is not None
    assert DeviceMarks([NEW]).read(mark) is None


@pytest.mark.parametrize("byte", range(45))
def test_a_changed_mark_is_none(byte: int) -> None:
    marks = DeviceMarks([NEW])
    raw = bytearray(urlsafe_b64decode(marks.issue(ANN)))
    raw[byte] ^= 1
    assert marks.read(urlsafe_b64encode(raw).decode()) is None


@given(st.one_of(st.none(), st.text(), st.text(min_size=MARK_CHARS, max_size=MARK_CHARS)))
def test_anything_else_is_none(text: str | None) -> None:
    assert DeviceMarks([NEW]).read(text) is None
