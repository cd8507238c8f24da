"""docs/events.md lists every type of events, as it is."""

from typing import get_args

import pytest

from chat_mvp.consumers.timing import Timing
from chat_mvp.events.codec import type_of
from chat_mvp.events.types import AnyEvent
from chat_mvp.settings import Settings
from tests.unit.docs.pages import DOCS, codes, section, table

PAGE = (DOCS / "events.md").read_text(encoding="utf-8")


def test_every_type_is_in_the_table_with_its_fields() -> None:
    listed = [(*codes(row[0]), *codes(row[1]), codes(row[2])) for row in table(section(PAGE, "Types"))]
    assert listed == [(type_of(it), it.__name__, list(it.__struct_fields__)) for it in get_args(AnyEvent)]


def test_every_type_is_described() -> None:
    assert [row for row in table(section(PAGE, "Types")) if len(row) != 4 or not row[3]] == []


@pytest.mark.parametrize(
    "said",
    [
        f"by default {Settings().event_ttl_days} days",
        f"fails {Timing().max_attempts} times",
        f"stood still for longer than {Timing().lease_s:.0f} s",
        f"A stop waits {Timing().grace_s:.0f} s",
        f"fails for longer than {Timing().failing_after_s:.0f} s",
        f"is more than {Timing().stuck_after_s:.0f} s behind",
    ],
)
def test_figures_are_those_of_the_code(said: str) -> None:
    assert said in " ".join(PAGE.split())


def test_a_killed_process_is_followed_within_ten_seconds() -> None:
    assert Timing().lease_s + Timing().poll_s * 2 < 10
