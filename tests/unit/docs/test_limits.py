"""docs/limits.md and the code name the same limits, with the same values."""

import re
from pathlib import Path

from chat_mvp import limits
from chat_mvp.security.budgets import BUDGETS, HOUR, MINUTE, Budget
from chat_mvp.settings import Settings
from tests.unit.docs.pages import DOCS, codes, section, table

SOURCE = Path(limits.__file__).parent
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


NO_LIMITS_ON_CLIENTS = {
    # Backward steps and answers of the clock, the file of a log, the free room of a disk, the version of MongoDB.
    *("MAX_SLEW", "LOG_LIMIT_BYTES", "MINIMUM_FREE_BYTES", "MINIMUM_VERSION"),
    # How events are read for consumers, and how long the database may take for that and for a command of an operator.
    *("MAX_BUFFERED", "MAX_BUFFERED_CHARS", "MAX_EVENTS", "MAX_RETRIES_AT_ONCE"),
    *("STREAM_TIMEOUT_MS", "SOCKET_TIMEOUT_MS"),
    # Secrets of the server itself.
    "MIN_SECRET_BYTES",
    # Retries of a job of the server, and what is kept of its last error.
    *("MAX_ATTEMPTS", "MAX_ERROR_CHARS"),
    # Caches: what is not in them is read from the database.
    *(
        "MAX_PEOPLE",
        "MAX_ROSTERS_WEIGHT",
        "MAX_DIRECT_KEYS",
        "MAX_CACHED",
        "MAX_REMEMBERED",
        "MAX_CHANGED_PROFILES",
        "MAX_USERS",
        "MAX_SESSIONS",
    ),
    # How work is cut into pieces: a client sees no difference.
    *("MAX_BATCH_OPERATIONS", "MAX_BATCH_BYTES", "MAX_SHARED", "MAX_EMPTIED_AT_ONCE", "MAX_KEYS_CONFIRMED"),
    *("MAX_CONFIRMED_AT_ONCE", "AT_ONCE", "PEOPLE_AT_ONCE"),
    *("AUDIENCE_AT_ONCE", "DOCUMENTS_AT_ONCE", "SESSIONS_AT_ONCE"),
    *("MESSAGES_AT_ONCE", "ENTRIES_AT_ONCE", "RANGES_AT_ONCE", "MAX_KEYS_COUNTED", "MAX_GATHERED"),
    *("MAX_WITH_WRITER", "MAX_WAITING_MARKS", "MAX_RANGES_COUNTED", "SCANNED_AT_ONCE"),
    *("CONVERSATIONS_AT_ONCE", "MAX_LOADED", "MAX_SHARED_SIZE"),
    # How zxcvbn and the folding of names look at a text, whose length is limited before.
    *("MAX_SUBSTITUTES", "MIN_NAME_CHARS", "MIN_REPEATED_CHARS", "MAX_MARKS_IN_A_ROW"),
    # The queue of the writer: what it refuses is ``unavailable``.
    *("MAX_WAITING_OPERATIONS", "MAX_WAITING_BYTES"),
}
"""Constants outside ``limits`` that have the name of a limit, and what they are."""


def test_every_limit_stands_in_the_module_of_limits() -> None:
    named = re.compile(
        r"^((?:MAX|MIN|MINIMUM)_\w+|\w*(?:LIMIT|AT_ONCE|LINGER|TIMEOUT)\w*|READ_BYTES)(?:: Final)?(?:\[int\])? = [\d(]",
        re.MULTILINE,
    )
    elsewhere = {
        name
        for path in SOURCE.rglob("*.py")
        if path.relative_to(SOURCE).parts[0] not in {"limits.py", "bench", "cli", "client"}
        for name in named.findall(path.read_text(encoding="utf-8"))
        if not name.startswith("_")
    }
    assert elsewhere - NO_LIMITS_ON_CLIENTS == {"COMMIT_TIMEOUT_MS"}, "of the database, not of a client"
    assert elsewhere >= NO_LIMITS_ON_CLIENTS


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
