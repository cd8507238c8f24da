"""docs/limits.md and the code name the same limits, with the same values."""

import re

from chat_mvp import limits
from chat_mvp.security.budgets import BUDGETS, HOUR, MINUTE, Budget
from chat_mvp.settings import Settings
from tests.unit.docs.pages import DOCS, codes, section, table

PAGE = (DOCS / "limits.md").read_text(encoding="utf-8")
OFTEN = "How often"
"""The section of the budgets, whose cells say a burst and a rate."""


def rows() -> dict[str, list[str]]:
    """Return the rows of every table on the page by the name that they begin with."""
    sections = [text for text in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:] if not text.startswith(OFTEN)]
    return {codes(row[0])[0]: row for text in sections for row in table(text)}


def in_code() -> dict[str, object]:
    return {name: value for name, value in vars(limits).items() if name.isupper()}


def in_settings() -> dict[str, object]:
    return {name: field.default for name, field in Settings.model_fields.items() if name in rows()}


def test_every_limit_is_listed_with_its_reason_and_what_the_client_sees() -> None:
    assert rows().keys() == in_code().keys() | in_settings().keys()
    assert [name for name, row in rows().items() if len(row) != 4 or not all(row)] == []


def test_every_limit_is_listed_with_its_value() -> None:
    values = in_code() | in_settings()
    assert {name: first_number(row[1]) for name, row in rows().items()} == values


def first_number(cell: str) -> float | None:
    """Return the number that a cell begins with."""
    found = re.match(r"\d[\d,]*(?:\.\d+)?", cell)
    return None if found is None else float(found[0].replace(",", ""))


def test_every_budget_is_listed_with_its_reason_and_its_value() -> None:
    listed = {codes(row[0])[0]: row for row in table(section(PAGE, OFTEN))}
    assert [name for name, row in listed.items() if len(row) != 4 or not all(row)] == []
    assert {name: row[1] for name, row in listed.items()} == {name: in_words(it) for name, it in BUDGETS.items()}


def in_words(budget: Budget) -> str:
    units = (("a second", 1.0), ("a minute", MINUTE), ("an hour", HOUR))
    # The first unit in which the rate is a whole number.
    unit, rate = next(
        (unit, rate) for unit, s in units if (rate := round(budget.rate_per_s * s, 6)) >= 1 and rate == int(rate)
    )
    return f"{budget.burst:,} at once, then {int(rate):,} {unit}, by {budget.by}"
