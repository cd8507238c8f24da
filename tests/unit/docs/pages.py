"""Read the documentation for the tests: tables, code and links of Markdown pages. Pure."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`]+)`")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block of code and the language it names."""

    language: str
    text: str


def pages() -> list[Path]:
    """Return every page of the documentation."""
    return sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def section(text: str, heading: str) -> str:
    """Return the text under a heading, up to the next one of the same level or above."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found is not None, f"there is no heading {heading!r}"
    rest = text[found.end() :]
    following = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest if following is None else rest[: following.start()]


def table(text: str) -> list[list[str]]:
    """Return the rows of the first table, without its head, as lists of cells."""
    rows: list[list[str]] = []
    for line in text.splitlines():
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            rows.append([cell.strip() for cell in cells])
        elif rows:
            break
    assert len(rows) > 2, "there is no table"
    return rows[2:]


def codes(cell: str) -> list[str]:
    """Return everything in code spans."""
    return _CODE.findall(cell)


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks."""
    return [Block(*found) for found in _FENCE.findall(text)]


def links(text: str) -> Iterator[str]:
    """Yield where links and images lead, those in fenced code left out."""
    yield from _LINK.findall(_FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub creates for the headings."""
    found = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", words).strip().replace(" ", "-"))
    return found
