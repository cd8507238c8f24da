from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from chat_mvp.errors import BadRequestError, ValidationError
from chat_mvp.http.bodies import decode_body
from chat_mvp.storable import check_storable


class Inner(msgspec.Struct):
    size: int


class Body(msgspec.Struct, kw_only=True):
    name: Annotated[str, Meta(max_length=5)]
    count: int = 0
    kind: str | None = None
    inner: Inner | None = None
    tags: Annotated[list[str], Meta(max_length=2)] = []
    extra: dict[str, object] = {}


def test_a_good_body() -> None:
    raw = '{"name": "Änn", "count": 3, "shoe_size": 43, "extra": {"a": [1, {"b": null}]}}'.encode()
    assert decode_body(raw, Body) == Body(name="Änn", count=3, extra={"a": [1, {"b": None}]})


@pytest.mark.parametrize(
    "raw",
    [
        *(
            b"",
            b"{",
            b"words",
            b"\xff\xfe",
            b'{"name": "a"} trailing',
            b'{"name": NaN}',
            b"{'name': 'a'}",
            b"[" * 100_000,
        ),
        *(
            b'{"count": "wrong type", "name": ',
            b'{"count": [1, 2}',
            b'{"extra": ' + b'{"a":' * 50_000,
            b'{"name": "\xff"}',
        ),
        b"\xef\xbb\xbf{}",
    ],
)
def test_invalid_json_is_refused_whatever_comes_first(raw: bytes) -> None:
    with pytest.raises(BadRequestError):
        decode_body(raw, Body)


def test_good_json_that_is_too_deep() -> None:
    with pytest.raises(BadRequestError, match="deep"):
        decode_body(b'{"name": "a", "extra": {"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}}", Body)


@pytest.mark.parametrize(
    ("raw", "field", "detail"),
    [
        (b"{}", "name", "is required"),
        (b"[]", "body", "must be an object, not a list"),
        (b"null", "body", "must be an object, not null"),
        (b'{"name": 5}', "name", "must be text, not a whole number"),
        (b'{"name": null}', "name", "must be text, not null"),
        (b'{"name": "a", "count": "5"}', "count", "must be a whole number, not text"),
        (b'{"name": "a", "count": true}', "count", "must be a whole number, not true or false"),
        (b'{"name": "a", "kind": 5}', "kind", "must be text or null, not a whole number"),
        (b'{"name": "abcdef"}', "name", "must have at most 5 characters"),
        (b'{"name": "a", "tags": ["a", "b", "c"]}', "tags", "must have at most 2 items"),
        (b'{"name": "a", "tags": ["a", 5]}', "tags[1]", "must be text, not a whole number"),
        (b'{"name": "a", "inner": {"size": "x"}}', "inner.size", "must be a whole number, not text"),
        (b'{"name": "a", "inner": {}}', "inner.size", "is required"),
        (b'{"name": "a\\u0000"}', "name", "must not have NUL characters or halves of surrogate pairs"),
        (b'{"name": "\\ud800"}', "name", "must not have NUL characters or halves of surrogate pairs"),
        (b'{"name": "\\ude00x"}', "name", "must not have NUL characters or halves of surrogate pairs"),
        (
            b'{"name": "a", "extra": {"\\u0000": 1}}',
            "extra",
            "must not have NUL characters or halves of surrogate pairs",
        ),
        (b'{"name": "a", "tags": ["\\u0000"]}', "tags", "must not have NUL characters or halves of surrogate pairs"),
    ],
)
def test_refused_bodies_and_their_errors(raw: bytes, field: str, detail: str) -> None:
    with pytest.raises(ValidationError) as caught:
        decode_body(raw, Body)
    assert caught.value.fields == {field: detail}
    assert caught.value.detail == f"{field} {detail}."


@pytest.mark.parametrize("name", ["\\\\u0", "😀", "\u2028", "\ufeff"])
def test_what_only_resembles_it(name: str) -> None:
    assert decode_body(f'{{"name": "{name}"}}'.encode(), Body).name == name.replace("\\\\", "\\")
    assert decode_body(b'{"name": "\\ud83d\\ude00"}', Body).name == "😀"


def test_what_is_ignored_may_hold_anything() -> None:
    assert decode_body(b'{"name": "a", "ignored": "\\u0000"}', Body) == Body(name="a")


def test_deep_values_are_walked_without_recursion() -> None:
    value: object = "\0"
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValidationError):
        check_storable({"deep": value})
