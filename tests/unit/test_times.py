from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_mvp.times import format_time, parse_time, utc_now


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00.000Z"),
        ("2026-11-21t10:00:00z", "2026-11-21T10:00:00.000Z"),
        ("2026-11-21T10:00:00.1239999Z", "2026-11-21T10:00:00.123Z"),
        ("2026-11-21T10:00:00.5+05:30", "2026-11-21T04:30:00.500Z"),
        ("2026-11-21T10:00:00-00:00", "2026-11-21T10:00:00.000Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_time_of_rfc_3339(text: str, shown: str) -> None:
    assert format_time(parse_time(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2026", "2026-11-21", "2026-11-21T10:00:00", "2026-11-21T10:00Z", "2026-11-21 10:00:00Z"),
        *("2026-W47-6T10:00:00Z", "2026-W47T10:00:00Z", "2026-325T10:00:00Z", "20261121T100000Z", "2026-11-21T10Z"),
        *("2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T10:00:60Z"),
        *("2026-11-21T10:00:00+24:00", "2026-11-21T10:00:00+05", "2026-11-21T10:00:00+0530", "2026-11-21T10:00:00,5Z"),
        *("2026-11-21T10:00:00+05:30:15", "2026-11-21T10:00:00.Z", "2026-11-21T10:00:00Z\n", " 2026-11-21T10:00:00Z"),
        *("\uff12026-11-21T10:00:00Z", "2026-11-21T10:00:0\u0661Z", "+2026-11-21T10:00:00Z", "12026-11-21T10:00:00Z"),
        *("0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01", "0000-01-01T00:00:00Z"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-21T10:00:00" + "." + "9" * 5_000),
    ],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        parse_time(text)


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_year_always_has_four_digits(moment: datetime) -> None:
    text = format_time(moment)
    assert len(text) == len("2026-11-21T10:00:00.123Z")
    assert text.startswith(f"{moment.year:04}-")


def test_what_is_written_is_read() -> None:
    now = utc_now()
    assert parse_time(format_time(now)) == now
    assert parse_time(format_time(now - timedelta(days=365))) == now - timedelta(days=365)
