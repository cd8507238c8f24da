"""Moments: always aware, always UTC, never finer than a millisecond, so that what is stored and what is sent agree."""

import re
from datetime import UTC, datetime

from chat_mvp.limits import MIN_YEAR

# RFC 3339 section 5.6. Its grammar in ASCII digits, because "\d" also matches those of other scripts.
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_RFC_3339 = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Tt]{_CLOCK}:[0-5][0-9](?:\.[0-9]+)?(?:[Zz]|[+-]{_CLOCK})")


def utc_now() -> datetime:
    """Return what this machine takes for the present moment, cut to whole milliseconds.

    What others see is dated by the server's clock instead, see ``chat_mvp.clock``.
    """
    return whole_milliseconds(datetime.now(UTC))


def whole_milliseconds(moment: datetime) -> datetime:
    """Return the moment, cut to whole milliseconds."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def format_time(moment: datetime) -> str:
    """Return the wire form of an aware UTC moment, such as ``2026-11-21T10:00:00.123Z``; years have four digits."""
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def format_optional(moment: datetime | None) -> str | None:
    """Return the wire form of a moment, and ``None`` for none."""
    return None if moment is None else format_time(moment)


def parse_time(text: str) -> datetime:
    """Return the UTC moment that an RFC 3339 time with an offset names, cut to whole milliseconds.

    ``ValueError`` for anything else, and for years before ``MIN_YEAR`` or after 9999 in UTC.
    """
    if _RFC_3339.fullmatch(text) is None:
        raise ValueError("not an RFC 3339 time with an offset")
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("a time that the calendar does not have") from None
    if moment.year < MIN_YEAR:
        raise ValueError(f"a time before {MIN_YEAR}")
    return whole_milliseconds(moment)
