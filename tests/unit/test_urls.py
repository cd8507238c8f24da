import pytest

from chat_mvp.urls import url_complaint


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://example.org",
            "https://example.org/a.png?b=c&d=//e#f",
            "http://localhost:8080/a",
            "HTTPS://Example.ORG./",
        ),
        *("https://[2001:db8::1]:8443/a", "https://192.0.2.1/a", "https://bücher.example/ä.png", "https://a-b.c_d.e/"),
        *("/", "/media/a.png", "/media/%C3%A4%20b.png?next=//elsewhere", "/a#//b", "/ä/日本.png", "/a:b@c"),
        *("https://example.org/%09/", "https://example.org//twice"),
    ],
)
def test_addresses_that_lead_where_they_seem_to(url: str) -> None:
    assert url_complaint(url) is None


@pytest.mark.parametrize(
    "url",
    [
        *("", "a.png", "./a.png", "?a", "#a", "//host", "///host", "/\\host", "\\\\host", "/\\/host", "/a\\b"),
        *(
            "/%09/host",
            "/%0a/host",
            "/%2Fhost",
            "/%5Chost",
            "/%00",
            "/a//b",
            "/./%2f/host",
            "/ host",
            "/\thost",
            "/\nhost",
        ),
        *("https:host", "https:/host", "https:///host", "https://", "https://?a", "https://#a", "http:host", "https"),
        *(
            "https://user@host/",
            "https://user:pass@host/",
            "https://@host",
            "https://:@host",
            "https://:80",
            "https://a:b/",
        ),
        *(
            "https://host:0/",
            "https://host:99999/",
            "https://host:/",
            "https://ho st/",
            "https://ho\tst/",
            "https://ho%73t/",
        ),
        *("https://host\\@other/", "https:\\\\host", "https://[::1", "https://[zz]/", "https://a..b/", "https://.a/"),
        *("https://a\uff0fb/", "https://a\u2024b/", "https://a\u200b.b/", "https://a\u202eb/", "https://a/\u202eb"),
        *(
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://host/",
            "file:///etc/passwd",
            "blob:https://a/b",
            " https://a/",
        ),
        *("https://a/\u2028b", "https://a/\x00", "https://a/\x7f", "/\u200f/a", "https://a/ "),
    ],
)
def test_addresses_that_do_not(url: str) -> None:
    assert url_complaint(url) is not None
