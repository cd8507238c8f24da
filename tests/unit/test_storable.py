import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_mvp.storable import is_storable, with_nuls_for_halves

PAIR_OR_HALF = re.compile("([\ud800-\udbff][\udc00-\udfff])|[\ud800-\udfff]")
CHARACTERS = st.sampled_from(["\ud800", "\udbff", "\udc00", "\udfff", "\\", "u", "d", "8", "0", '"', "x", "😀", "é"])


@given(st.text(CHARACTERS))
def test_halves_become_nuls_and_nothing_else_changes(text: str) -> None:
    raw = json.dumps({text: [text]}).encode()
    mended = with_nuls_for_halves(raw)
    wanted = PAIR_OR_HALF.sub(lambda found: found[0] if found[1] else "\0", text)
    if mended is None:
        assert wanted == text
    else:
        read = json.loads(mended, strict=False)
        # The library joins the two halves of a pair.
        assert read == json.loads(json.dumps({wanted: [wanted]}))


@pytest.mark.parametrize("raw", [b"", b'"\\ud83d\\ude00"', b'"\\\\ud800"', b'"ud800 \\n \\u0041"', b"\\", b"\xff\xfe"])
def test_a_text_without_halves_is_left_alone(raw: bytes) -> None:
    assert with_nuls_for_halves(raw) is None


def test_what_can_be_stored() -> None:
    assert all(map(is_storable, ("", "a", "é", "😀", "\x01", "\ufffe")))
    assert not any(map(is_storable, ("\0", "a\0", "\ud800", "é\udfff")))
