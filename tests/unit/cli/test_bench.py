"""``chat-mvp bench``, as far as no server is needed."""

from tests.support.terminal import run_program


def test_a_scenario_that_is_not_there_is_refused_with_those_that_are() -> None:
    outcome = run_program("bench", "no-such-thing")
    assert outcome.code == 2
    assert "There is no scenario no-such-thing." in outcome.err
    assert "pairs-16" in outcome.err
    assert "Traceback" not in outcome.err


def test_nonsense_in_numbers_is_refused() -> None:
    for arguments in (
        ["--runs", "0"],
        ["--connections", "many"],
        ["--crowd", "0"],
        ["--group-window", "0"],
        ["--seconds", "-1"],
    ):
        assert run_program("bench", *arguments).code == 2
