"""Moments: always aware, always UTC, never finer than a millisecond, so that what is stored and what is sent agree."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return what this machine takes for the present moment, cut to whole milliseconds.

    What others see is dated by the server's clock instead, see ``chat_mvp.clock``.
    """
    return whole_milliseconds(datetime.now(UTC))


def whole_milliseconds(moment: datetime) -> datetime:
    """Return the moment, cut to whole milliseconds."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def format_time(moment: datetime) -> str:
    """Return the wire form of an aware UTC moment, such as ``2026-11-21T10:00:00.123Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def format_optional(moment: datetime | None) -> str | None:
    """Return the wire form of a moment, and ``None`` for none."""
    return None if moment is None else format_time(moment)


def parse_time(text: str) -> datetime:
    """Return the UTC moment that an RFC 3339 time with an offset names; ``ValueError`` for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset, such as Z")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time must lie in the years 1 to 9999, in UTC too") from None
    return whole_milliseconds(moment)
