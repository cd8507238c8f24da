"""Texts that can be kept: no NULs and no halves of surrogate pairs, which JSON can name and no database can hold."""

import json
import re
from typing import NoReturn

from chat_mvp.errors import ValidationError
from chat_mvp.limits import MAX_BODY_BYTES

_SURROGATE = re.compile(r"\\[u][dD][89a-fA-F]")
_SURROGATE_BYTES = re.compile(_SURROGATE.pattern.encode())
_UNSTORABLE = "must not have NUL characters or halves of surrogate pairs"


def is_storable(text: str) -> bool:
    """Tell whether a text can be kept."""
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


def may_have_half_surrogates(raw: bytes | str) -> bool:
    """Tell whether half a surrogate pair, escaped, may be all that is wrong with a JSON text.

    ``load_json`` and ``check_storable`` take much longer than msgspec, so they are for such texts alone, and for none
    that is longer than a body may be.
    """
    if len(raw) > MAX_BODY_BYTES:
        return False
    return bool(_SURROGATE.search(raw) if isinstance(raw, str) else _SURROGATE_BYTES.search(raw))


def load_json(raw: bytes | str) -> object:
    """Return a JSON value in which halves of surrogate pairs may stand, escaped: msgspec refuses them as no JSON.

    ``ValueError`` for what is no JSON otherwise, ``RecursionError`` for what is nested too deeply.
    """
    value: object = json.loads(raw, parse_constant=_refuse_constant)
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
