"""What one connect streams is bounded, whatever a client says it knows and whatever others did."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chat_mvp.delivery.catchup import plan
from chat_mvp.delivery.snapshot import UnreadBudget
from chat_mvp.limits import (
    MAX_INTRODUCED,
    MAX_KNOWN,
    MAX_RESUME_CHANGES,
    MAX_RESUME_CHANGES_PER_CONNECT,
    MAX_RESUME_CONVERSATIONS,
    MAX_SCANNED_UNREAD,
    MAX_SCANNED_UNREAD_PER_CONNECT,
)
from chat_mvp.storage.records import SummaryRecord
from chat_mvp.times import format_time

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def summary(number: int, rev: int) -> SummaryRecord:
    return SummaryRecord(
        id=f"{number:024x}",
        rev=rev,
        last_seq=rev,
        activity_at=NOW,
        updated_at=format_time(NOW),
        member_count=2,
        direct_key=None,
        joined_seq=0,
        delivered_seq=0,
        read_seq=0,
    )


@given(
    groups=st.lists(
        st.tuples(st.integers(1, 700), st.integers(0, 1_200), st.integers(0, 1_200) | st.none()), max_size=12
    )
)
def test_a_plan_is_bounded_and_forgets_nothing(groups: list[tuple[int, int, int | None]]) -> None:
    """Each group is so many conversations that missed the same number of changes, or that the client lacks."""
    summaries, known = [], {}
    for count, behind, rev in groups:
        for _ in range(count):
            number = len(summaries)
            summaries.append(summary(number, (rev or 0) + behind))
            if rev is not None:
                known[f"{number:024x}"] = rev
    planned = plan(summaries, known)
    revs = {each.id: each.rev for each in summaries}
    assert len(planned.introduced) <= MAX_INTRODUCED
    assert len(planned.changed) <= MAX_RESUME_CONVERSATIONS
    changes = [each.rev - rev for each, rev in planned.changed]
    assert sum(changes) <= MAX_RESUME_CHANGES_PER_CONNECT
    assert all(0 < change <= MAX_RESUME_CHANGES for change in changes)
    told = {each.id for each, _ in planned.changed} | {each.id for each in planned.reset}
    assert told == {i for i, rev in known.items() if revs[i] != rev}, "what is not streamed is reset"


def test_a_client_that_names_the_maximum_gets_no_introductions() -> None:
    summaries = [summary(number, 1) for number in range(MAX_KNOWN + 1)]
    known = {each.id: 1 for each in summaries[:MAX_KNOWN]}
    assert plan(summaries, known).introduced == []
    del known[summaries[0].id]
    assert plan(summaries, known).introduced == [summaries[0].id, summaries[-1].id]


@given(st.lists(st.integers(0, 3_000)))
def test_counting_looks_at_so_many_messages_and_no_more(sizes: list[int]) -> None:
    budget = UnreadBudget()
    taken = [size for size in sizes if budget.take(size)]
    assert sum(taken) <= MAX_SCANNED_UNREAD_PER_CONNECT
    assert all(size <= MAX_SCANNED_UNREAD for size in taken)
