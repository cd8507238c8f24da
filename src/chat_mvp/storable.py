"""Texts that can be kept: no NULs and no halves of surrogate pairs, which JSON can name and no database can hold."""

import re

from chat_mvp.errors import ValidationError

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
# A whole pair, half of one, or any other escape, so that a backslash that is escaped itself begins none.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
_NUL = rb"\u0000"
_UNSTORABLE = "must not have NUL characters or halves of surrogate pairs"


def is_storable(text: str) -> bool:
    """Return whether a text can be kept."""
    return "\0" not in text and (text.isascii() or _is_unicode(text))


def check_storable(value: object) -> None:
    """Raise ``ValidationError``, naming the field, for a string that cannot be kept, anywhere in a decoded JSON value.

    Keys count too. The value may be nested as deeply as it likes.
    """
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        path, item = waiting.pop()
        if isinstance(item, str):
            if not is_storable(item):
                field = path or "body"
                raise ValidationError(f"{field} {_UNSTORABLE}.", fields={field: _UNSTORABLE})
        elif isinstance(item, dict):
            for key, inner in item.items():
                # Only the first level has names of ours; below it the keys are the client's.
                waiting += [(path or str(key), inner), (path or "body", key)]
        elif isinstance(item, list):
            waiting += [(path, inner) for inner in item]


def with_nuls_for_halves(raw: bytes) -> bytes | None:
    """Return a JSON text with a NUL, escaped, for each half of a surrogate pair; ``None`` when it has no halves.

    msgspec refuses such halves as no JSON, although they are, and JavaScript writes them without complaint. With NULs
    it reads the text, and ``check_storable`` names the field. The time grows with the length of the text.
    """
    if _SURROGATE.search(raw) is None:
        return None
    mended = _ESCAPE.sub(lambda found: found[0] if found["half"] is None else _NUL, raw)
    return None if mended == raw else mended


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
