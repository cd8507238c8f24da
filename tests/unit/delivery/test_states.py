"""The states of a batch: the allowed transitions, and the result of each path through them."""

from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Any

import pytest

from chat_mvp.delivery.batch import Batch, Outcome
from chat_mvp.delivery.in_flight import TRANSITIONS, BatchState, InFlightBatch
from chat_mvp.errors import ChatError, UnavailableError

S = BatchState
FINAL = {S.PUBLISHED, S.FAILED}

LIVES = {
    "stored": [S.WAITING, S.PLANNED, S.SENT, S.EXECUTED, S.COMMITTED, S.PUBLISHED],
    "planned while another one was committed": [S.PLANNED, S.SENT, S.EXECUTED, S.COMMITTED, S.PUBLISHED],
    "nothing to store": [S.WAITING, S.PLANNED, S.COMMITTED, S.PUBLISHED],
    "no database": [S.PLANNED, S.WAITING, S.PLANNED, S.WAITING, S.FAILED],
    "stale": [S.PLANNED, S.SENT, S.WAITING, S.PLANNED, S.SENT, S.EXECUTED, S.COMMITTED, S.PUBLISHED],
    "commit refused": [S.PLANNED, S.SENT, S.EXECUTED, S.WAITING, S.FAILED],
    "answer lost, stored": [S.PLANNED, S.SENT, S.EXECUTED, S.UNKNOWN, S.COMMITTED, S.PUBLISHED],
    "answer lost, not stored": [S.PLANNED, S.SENT, S.EXECUTED, S.UNKNOWN, S.WAITING, S.PLANNED],
    "abandoned, stored": [S.PLANNED, S.SENT, S.EXECUTED, S.UNKNOWN, S.ABANDONED, S.PUBLISHED],
    "abandoned, not stored": [S.PLANNED, S.SENT, S.EXECUTED, S.UNKNOWN, S.ABANDONED, S.FAILED],
}


class Asked:
    """An operation, and its own reply, that notes how it was answered, and can fail at being answered."""

    def __init__(self, *, fails: bool = False) -> None:
        self.reply = self
        self.refused: list[ChatError] = []
        self._fails = fails

    def refuse(self, error: ChatError) -> None:
        self.refused.append(error)
        if self._fails:
            raise RuntimeError("a caller that cannot be answered")


def brought_to(life: list[BatchState]) -> InFlightBatch:
    batch = in_state(life[0])
    for state in life[1:]:
        batch.move_to(state)
    return batch


def in_state(state: BatchState, *operations: Any) -> InFlightBatch:
    batch = InFlightBatch(operations, deliver=deliver_nothing)
    batch.state = state
    return batch


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(BatchState)
    assert {state for state, following in TRANSITIONS.items() if not following} == FINAL


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
async def test_ways_through_the_states(life: list[BatchState]) -> None:
    assert brought_to(life).published.done() is (life[-1] in FINAL)


def test_every_transition_belongs_to_one_of_these_ways_or_ends_in_failure() -> None:
    walked = {step for life in LIVES.values() for step in pairwise(life)}
    allowed = {(state, following) for state, row in TRANSITIONS.items() for following in row}
    assert walked <= allowed
    assert {following for _, following in allowed - walked} == {S.FAILED}


@pytest.mark.parametrize(("state", "following"), list(product(BatchState, repeat=2)))
async def test_no_other_transition_is_possible(state: BatchState, following: BatchState) -> None:
    batch = in_state(state)
    if following in TRANSITIONS[state]:
        batch.move_to(following)
        assert batch.state is following
    else:
        with pytest.raises(ValueError, match=f"from {state.value} to {following.value}"):
            batch.move_to(following)
        assert batch.state is state


@pytest.mark.parametrize(("state", "after"), [(S.WAITING, S.FAILED), (S.UNKNOWN, S.ABANDONED)])
async def test_refusing_answers_every_caller_once(state: BatchState, after: BatchState) -> None:
    operations = [Asked(), Asked(fails=True), Asked()]
    batch = in_state(state, *operations)
    batch.refuse(UnavailableError("later"))
    assert batch.state is after
    assert [len(operation.refused) for operation in operations] == [1, 1, 1]


@pytest.mark.parametrize("publish", [InFlightBatch.publish, InFlightBatch.publish_after_refusal])
async def test_publishing_delivers_the_outcomes_and_refuses(publish: Callable[[InFlightBatch], None]) -> None:
    delivered: list[tuple[Any, bool]] = []

    def deliver(outcomes: Sequence[Outcome], *, callers_refused: bool = False) -> None:
        delivered.append((outcomes, callers_refused))

    is_late = publish is InFlightBatch.publish_after_refusal
    plan = Batch.__new__(Batch)
    plan.outcomes = []
    refused = Asked(fails=True)
    batch = InFlightBatch([refused], plan, deliver=deliver)  # type: ignore[list-item]
    batch.state = S.ABANDONED if is_late else S.COMMITTED
    batch.refused = [] if is_late else [(refused, UnavailableError("no"))]  # type: ignore[list-item]
    publish(batch)
    assert batch.published.done()
    assert delivered == [(plan.outcomes, is_late)]
    assert len(refused.refused) == (0 if is_late else 1)


def deliver_nothing(_outcomes: Sequence[Outcome], *, callers_refused: bool = False) -> None:
    """Deliver nothing."""
