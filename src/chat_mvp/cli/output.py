"""What commands print: tables and colours for a person at a terminal, plain lines for a file, JSON for a script."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any


def print_json(value: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2))  # noqa: T201 - this is the command's output


def print_line(line: str) -> None:
    """Print one line as it is."""
    print(line, flush=True)  # noqa: T201 - this is the command's output


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of text in columns; without a terminal, tabs between them and no headings."""
    if not sys.stdout.isatty():
        for row in rows:
            print_line("\t".join(row))
        return
    from rich.console import Console  # noqa: PLC0415 - only for people
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*headings, header_style="bold", show_edge=False)
    for row in rows:
        # As Text, so that square brackets in a value are not read as markup.
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
