"""``chat-mvp config``: every setting, its value, its source and its description."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from chat_mvp.cli.output import complain, print_json, print_table
from chat_mvp.settings import PREFIX, Loaded, Settings

MASKED = "***"


class Row(NamedTuple):
    """One setting as it is shown."""

    name: str
    value: Any
    source: str
    description: str


def run(loaded: Loaded, *, as_json: bool) -> int:
    """Print all settings and return the exit code."""
    found = list(rows(loaded))
    if loaded.unknown:
        complain(f"Unknown settings, perhaps mistyped: {', '.join(loaded.unknown)}.")
    if as_json:
        print_json([row._asdict() for row in found])
        return 0
    lines = [(PREFIX + row.name, _text(row.value), row.source, row.description) for row in found]
    print_table(("Setting", "Value", "From", "What it is"), lines)
    return 0


def rows(loaded: Loaded) -> Iterator[Row]:
    """Yield every setting in the order of its definition. Secrets are masked. Values have their JSON form."""
    for name, field in Settings.model_fields.items():
        value = getattr(loaded.settings, name)
        if isinstance(value, SecretStr):
            value = masked(value.get_secret_value())
        elif not isinstance(value, str | int | float | bool | None):
            value = list(value) if isinstance(value, tuple) else str(value)
        yield Row(name.upper(), value, loaded.sources[name], field.description or "")


def masked(secret: str) -> str:
    """Return the part of a secret that may be shown: the host of a URI, and nothing of other values."""
    try:
        address = urlsplit(secret)
        hosts = address.netloc.rpartition("@")[2]
    except ValueError:
        return MASKED
    if not address.scheme.startswith("mongodb") or not hosts:
        return MASKED
    # Options may contain passwords too, so they are removed together with the user.
    return f"{address.scheme}://{MASKED + '@' if '@' in address.netloc else ''}{hosts}{address.path}"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)
