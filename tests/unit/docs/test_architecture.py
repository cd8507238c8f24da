"""docs/architecture.md and docs/decisions name only what exists."""

import re
from pathlib import Path

import pytest

from chat_mvp.storage.documents import ALL_DOCUMENTS
from tests.unit.docs.pages import DOCS, ROOT, codes, section, table

PAGE = (DOCS / "architecture.md").read_text(encoding="utf-8")
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
SRC = ROOT / "src" / "chat_mvp"
PARTS = ["Context", "Decision", "Consequences", "Held by"]


@pytest.mark.parametrize("page", [DOCS / "architecture.md", *DECISIONS], ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\b((?:\w+/)*\w+\.py)\b", text))
    assert [name for name in sorted(named) if not exists(name)] == []


def exists(name: str) -> bool:
    if "/" in name:
        return (SRC / name).exists() or (ROOT / name).exists()
    return next(SRC.rglob(name), None) is not None


def test_every_package_has_its_line() -> None:
    named = {name for cells in table(section(PAGE, "Packages")) for name in codes(cells[0])}
    ours = {f"{path.parent.name}/" for path in SRC.glob("*/__init__.py")}
    ours |= {path.name for path in SRC.glob("*.py") if not path.name.startswith("__")}
    assert named == ours


def test_every_collection_has_its_line() -> None:
    named = [name for cells in table(section(PAGE, "Collections")) for name in codes(cells[0])]
    assert sorted(named) == sorted(document.Settings.name for document in ALL_DOCUMENTS)


def test_every_decision_is_listed() -> None:
    listed = re.findall(r"\(decisions/([^)]+)\)", section(PAGE, "Decisions"))
    assert listed == [page.name for page in DECISIONS]


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.name)
def test_a_decision_names_the_tests_that_hold_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    held_by = section(text, "Held by")
    files = [ROOT / name for name in re.findall(r"`(tests/[\w/]+\.py)`", held_by)]
    assert files
    written = "".join(file.read_text(encoding="utf-8") for file in files)
    named = [code for code in codes(held_by) if code.startswith("test_")]
    assert named
    assert [name for name in named if f"def {name}(" not in written] == []
