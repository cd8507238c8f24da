"""Delays between attempts."""

from chat_mvp.client.backoff import FIRST_S, LONGEST_S, Backoff


def test_pauses_grow_up_to_a_bound_and_begin_anew() -> None:
    backoff = Backoff()
    pauses = [backoff.pause() for _ in range(40)]
    assert pauses[0] <= FIRST_S
    assert all(LONGEST_S / 2 <= pause <= LONGEST_S for pause in pauses[10:])
    backoff.succeeded()
    assert backoff.pause() <= FIRST_S


def test_at_once_means_once() -> None:
    backoff = Backoff()
    assert backoff.pause_unless_first() == 0.0
    assert backoff.pause_unless_first() > 0.0


def test_what_the_server_asks_for_is_not_undercut() -> None:
    assert all(1.0 <= Backoff().pause_asked_for(1000) <= 1.3 for _ in range(100))


def test_a_crowd_does_not_come_back_in_one_moment() -> None:
    assert len({Backoff().pause() for _ in range(100)}) > 90
