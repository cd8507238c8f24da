"""Every link in the documentation leads somewhere."""

from pathlib import Path

import pytest

from tests.unit.docs.pages import ROOT, anchors, links, pages

PAGES = [str(page.relative_to(ROOT)) for page in pages()]


def test_there_are_pages() -> None:
    assert {"README.md", "CHANGELOG.md", "docs/architecture.md", "docs/protocol.md", "docs/settings.md"} <= set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_links_within_the_project_lead_somewhere(name: str) -> None:
    page = ROOT / name
    assert [link for link in links(page.read_text(encoding="utf-8")) if not leads_somewhere(page, link)] == []


def leads_somewhere(page: Path, link: str) -> bool:
    if link.startswith(("https://", "http://", "mailto:")):
        return True
    place, _, anchor = link.partition("#")
    target = (page.parent / place).resolve() if place else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or anchor in anchors(target.read_text(encoding="utf-8"))


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    readme = ROOT / "README.md"
    assert not leads_somewhere(readme, "docs/nowhere.md")
    assert not leads_somewhere(readme, "docs/protocol.md#no-such-heading")
    assert not leads_somewhere(readme, f"../../../..{tmp_path}")
    assert leads_somewhere(readme, "docs/protocol.md#connecting-and-catching-up")


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        waiting += [
            (page.parent / link.partition("#")[0]).resolve()
            for link in links(page.read_text(encoding="utf-8"))
            if "://" not in link and not link.startswith("#")
        ]
    assert {str(page.relative_to(ROOT)) for page in reached} == set(PAGES)
