"""Which form of a file a browser gets, and when it gets none because it has it already."""

import pytest

from chat_mvp.web.files import WebFile

FILE = WebFile(
    content=b"plain",
    compressed={"br": b"b", "gzip": b"g"},
    media_type="text/css",
    etag='"abc"',
    immutable=True,
)


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("", None),
        ("br", "br"),
        ("gzip, deflate, BR", "br"),
        ("gzip;q=1.0, br;q=0", "gzip"),
        ("br;q=0.0,gzip; Q=0.000", None),
        ("br;q=0.001", "br"),
        ("br;level=9", "br"),
        ("identity, *", None),
        ("gzip;q=0.1," * 900, "gzip"),
    ],
)
def test_the_smallest_form_that_is_accepted(accepted: str, encoding: str | None) -> None:
    assert FILE.best(accepted)[1] == encoding


@pytest.mark.parametrize(
    ("etags", "is_known"),
    [
        ("", False),
        ('"abc"', True),
        ('W/"abc"', True),
        ('"x", W/"abc" ,"y"', True),
        ("*", True),
        ("abc", False),
        (",".join(f'W/"{number}"' for number in range(1_500)), False),
    ],
)
def test_a_file_that_the_browser_has(etags: str, is_known: bool) -> None:
    assert FILE.is_among(etags) is is_known
