from typing import Any

import pytest

from chat_mvp.errors import ValidationError
from chat_mvp.http.paging import decode_cursor, decode_id_cursor, encode_cursor


@pytest.mark.parametrize(
    "place", ["ann", "", "Ünï/code+?", 5, ["2026-11-21T10:00:00.123Z", "0123456789abcdef01234567"]]
)
def test_a_cursor_names_its_place(place: Any) -> None:
    cursor = encode_cursor(place)
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert decode_cursor(cursor, type(place)) == place


def test_no_cursor_is_no_place() -> None:
    assert decode_cursor(None, str) is None
    assert decode_id_cursor(None) is None


@pytest.mark.parametrize("cursor", ["", "nonsense", "%%%", "é", "a", encode_cursor(5), encode_cursor({"$gt": ""})])
def test_cursors_that_we_never_gave_out(cursor: str) -> None:
    with pytest.raises(ValidationError) as caught:
        decode_cursor(cursor, str)
    assert caught.value.fields.keys() == {"cursor"}


@pytest.mark.parametrize("place", ["", "no id", "0123456789ABCDEF01234567", "0123456789abcdef01234567\n"])
def test_cursors_of_ids_name_ids(place: str) -> None:
    with pytest.raises(ValidationError):
        decode_id_cursor(encode_cursor(place))
    assert decode_id_cursor(encode_cursor("0123456789abcdef01234567")) == "0123456789abcdef01234567"
