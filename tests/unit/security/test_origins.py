"""Which pages may connect, according to the headers of browsers."""

import pytest

from chat_mvp.security.origins import is_allowed_origin, is_allowed_page


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://chat.org", "chat.org"),
        ("HTTP://CHAT.org:80", "chat.org"),
        ("https://chat.org", "chat.org:443"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("http://ours.org", "chat.org"),
        (None, "chat.org"),
    ],
)
def test_our_own_and_those_that_were_allowed(origin: str | None, host: str) -> None:
    assert is_allowed_origin(origin, host, {"http://ours.org"})


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.org", "chat.org"),
        ("http://chat.org:81", "chat.org"),
        ("http://chat.org.evil.org", "chat.org"),
        ("http://evil.org#chat.org", "chat.org"),
        ("http://evil@chat.org", "chat.org"),
        ("http://chat.org", "evil@chat.org"),
        ("null", "chat.org"),
        ("", ""),
        ("file://", ""),
        ("http://[", "["),
        ("http://chat.org", "["),
        ("http://chat.org:port", "chat.org:port"),
        ("http://chat.org:99999", "chat.org:99999"),
        ("http://chat.org", None),
    ],
)
def test_origins_of_others(origin: str, host: str | None) -> None:
    assert not is_allowed_origin(origin, host, {"http://ours.org"})


@pytest.mark.parametrize(
    ("origin", "is_secure", "allowed", "expected"),
    [
        ("http://chat.org", True, (), False),
        ("HTTP://chat.org", True, (), False),
        ("https://chat.org", True, (), True),
        ("https://chat.org", False, (), True),
        ("http://chat.org", False, (), True),
        # The server does not see TLS that a proxy ends, but its public URL says so.
        ("http://chat.org", False, ("https://chat.org",), False),
        ("http://chat.org", True, ("http://chat.org",), True),
    ],
)
def test_a_page_without_tls_is_not_ours_where_the_server_has_it(
    origin: str, is_secure: bool, allowed: tuple[str, ...], expected: bool
) -> None:
    assert is_allowed_origin(origin, "chat.org", allowed, is_secure=is_secure) is expected
    assert is_allowed_page(origin, None, "chat.org", allowed, is_secure=is_secure) is expected


@pytest.mark.parametrize(
    ("origin", "site", "expected"),
    [
        (None, None, True),
        (None, "same-origin", True),
        (None, "none", True),
        (None, "same-site", False),
        (None, "cross-site", False),
        ("http://chat.org", "same-origin", True),
        ("http://ours.org", "cross-site", True),
        ("http://evil.org", None, False),
        ("http://evil.org", "same-origin", False),
        ("null", "cross-site", False),
    ],
)
def test_pages_that_may_use_cookies(origin: str | None, site: str | None, expected: bool) -> None:
    assert is_allowed_page(origin, site, "chat.org", {"http://ours.org"}) is expected
