"""Output of commands: tables and colours at a terminal, plain lines for a file, JSON for a script."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
"""Control characters, which terminals execute, and characters that change the direction of the text after them."""
_ISOLATES = re.compile("[\u2066-\u2069]")
"""The server puts them around names in system messages. A terminal would change the direction or show boxes."""


def print_json(value: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2))  # noqa: T201 - this is the command's output


def print_line(line: str) -> None:
    """Print one line unchanged."""
    print(line, flush=True)  # noqa: T201 - this is the command's output


def complain(line: str) -> None:
    """Print one line on standard error, without the line ends in it."""
    print(f"chat-mvp: {' '.join(line.split())}", file=sys.stderr, flush=True)  # noqa: T201 - for the user at the terminal


def printable(text: str) -> str:
    """Return text of another user without characters that control the terminal. Line ends and tabs stay."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _ISOLATES.sub("", text))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of text in columns. Without a terminal, print tabs between them and no headings."""
    if not sys.stdout.isatty():
        for row in rows:
            print_line("\t".join(row))
        return
    from rich.console import Console  # noqa: PLC0415 - only for people
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(header_style="bold", show_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        # Use Text, so that square brackets in a value are not read as markup.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
