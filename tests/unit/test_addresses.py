"""Which address a request came from, and which addresses count as one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_mvp.addresses import address_group, believe_proxies, is_loopback, parse_address

PEER = ("203.0.113.9", 4711)


def client_of(*forwarded: str, trusted: int = 1) -> Any:
    headers = [(b"host", b"chat.example"), *((b"x-forwarded-for", value.encode()) for value in forwarded)]
    scope: dict[str, Any] = {"type": "http", "scheme": "http", "client": PEER, "headers": headers}
    believe_proxies(scope, trusted)
    return scope["client"]


@pytest.mark.parametrize(
    ("forwarded", "trusted", "expected"),
    [
        (["198.51.100.1"], 1, "198.51.100.1"),
        (["6.6.6.6, 198.51.100.1"], 1, "198.51.100.1"),
        (["6.6.6.6", "198.51.100.1"], 1, "198.51.100.1"),
        (["6.6.6.6, 198.51.100.1, 10.0.0.1"], 2, "198.51.100.1"),
        (["198.51.100.1"], 2, "198.51.100.1"),
        (["198.51.100.1:5555"], 1, "198.51.100.1"),
        (["[2001:db8::1]:443"], 1, "2001:db8::1"),
        (["2001:DB8:0::1"], 1, "2001:db8::1"),
        (["::ffff:198.51.100.1"], 1, "198.51.100.1"),
        ([" 198.51.100.1 "], 1, "198.51.100.1"),
    ],
)
def test_the_address_is_counted_from_the_right(forwarded: list[str], trusted: int, expected: str) -> None:
    assert client_of(*forwarded, trusted=trusted)[0] == expected


@pytest.mark.parametrize("forwarded", [[], [""], [","], ["unknown"], ["6.6.6.6, unknown"], ["6.6.6.6,"], ["1.2.3"]])
def test_without_an_address_the_connection_counts(forwarded: list[str]) -> None:
    assert client_of(*forwarded) == PEER


def test_nothing_is_believed_without_trusted_proxies() -> None:
    assert client_of("198.51.100.1", trusted=0) == PEER


@given(st.lists(st.text(st.characters(codec="latin-1", exclude_characters=","), max_size=20), max_size=5))
def test_what_a_client_writes_never_counts(written: list[str]) -> None:
    assert client_of(", ".join([*written, "198.51.100.1"])) == ("198.51.100.1", 0)


@pytest.mark.parametrize(
    ("kind", "proto", "expected"),
    [
        ("http", "https", "https"),
        ("websocket", "https", "wss"),
        ("websocket", "http", "ws"),
        ("http", "gopher", "http"),
        ("http", "https, http", "http"),
    ],
)
def test_the_scheme_of_the_proxy_counts(kind: str, proto: str, expected: str) -> None:
    scheme = "ws" if kind == "websocket" else "http"
    headers = [(b"x-forwarded-proto", proto.encode())]
    scope: dict[str, Any] = {"type": kind, "scheme": scheme, "client": PEER, "headers": headers}
    believe_proxies(scope, 1)
    assert scope["scheme"] == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("", "", True),
    ],
)
def test_addresses_that_one_client_can_choose_from_count_as_one(one: str, other: str, same: bool) -> None:
    assert (address_group(one) == address_group(other)) is same


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", True), ("::1", True), ("192.0.2.1", False), ("", False)])
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    parse_address(text)
