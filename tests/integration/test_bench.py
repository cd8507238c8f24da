"""The benchmark on real processes, as small as possible: the counts must be right, the speed does not matter."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from chat_mvp.bench.benchmark import run
from chat_mvp.bench.generator import BenchmarkError, carry_out
from chat_mvp.bench.options import Options
from chat_mvp.bench.orders import Idle, IdleOutcome, Person
from chat_mvp.bench.results import Result
from chat_mvp.bench.scenarios import SCENARIOS
from chat_mvp.bench.server import running_server
from tests.support.terminal import run_program

TINY = Options(
    runs=1,
    warmup_s=0.1,
    seconds=0.6,
    pairs=2,
    group_members=5,
    group_senders=2,
    group_window=2,
    rate=50,
    connections=12,
    crowd=60,
    queued=30,
    changes=10,
    reconnects=2,
    short_history=100,
    history=250,
    purged=1_200,
)


class Silence:
    """Do nothing."""

    def begin(self, *_: object) -> None: ...
    def phase(self, _: str) -> None: ...
    def done(self, _: int) -> None: ...
    def finish(self, _: Result) -> None: ...


async def counts_of(name: str, directory: Path) -> dict[str, int]:
    scenario = SCENARIOS[name]
    report = await run([scenario], msgspec.structs.replace(TINY, directory=directory), directory, Silence())
    (result,) = report.results
    assert set(result.medians) == {figure.key for figure in scenario.figures}
    return result.runs[0].counts


def slow(*values: object) -> Any:
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("name", "recipients"), [slow("pairs-1", 1), ("pairs-16", 1), slow("open-loop", 1), ("group", 4)]
)
async def test_every_message_reaches_every_recipient_once(name: str, recipients: int, tmp_path: Path) -> None:
    counts = await counts_of(name, tmp_path)
    assert counts["sent"] >= 4
    assert counts["delivered"] == counts["sent"] * recipients


async def test_all_connect(tmp_path: Path) -> None:
    assert await counts_of("idle", tmp_path) == {"connected": 12}


async def test_everyone_of_a_crowd_gets_what_they_missed(tmp_path: Path) -> None:
    counts = await counts_of("crowd", tmp_path)
    # Each user is in 20 groups and has missed the last message of two, unless they sent it. There are two groups each
    # time: one of 50 users and one of 10.
    assert counts == {"connected": 60, "conversations": 60 * 20, "missed": 2 * (49 + 9)}


async def test_nothing_is_lost_when_clients_confirm_each_message_at_once(tmp_path: Path) -> None:
    options = msgspec.structs.replace(TINY, directory=tmp_path, confirm_each=True)
    report = await run([SCENARIOS["group"]], options, tmp_path, Silence())
    counts = report.results[0].runs[0].counts
    assert counts["delivered"] == 4 * counts["sent"] > 0


@pytest.mark.parametrize(("name", "changes"), [("drain", 30), slow("resume", 10)])
async def test_all_that_was_missed_comes_each_time(name: str, changes: int, tmp_path: Path) -> None:
    assert await counts_of(name, tmp_path) == {"changes": 2 * changes, "returns": 2}


@pytest.mark.slow
async def test_the_history_grows_to_what_was_asked(tmp_path: Path) -> None:
    counts = await counts_of("history", tmp_path)
    assert counts["short_added"] == 100
    assert counts["long_added"] == max(0, 150 - counts["short_sent"])
    assert counts["long_delivered"] == counts["long_sent"] > 0


@pytest.mark.slow
async def test_a_deleted_conversation_is_purged(tmp_path: Path) -> None:
    counts = await counts_of("purge", tmp_path)
    assert counts["added"] == 1_199, "and the system message of the group"
    assert counts["purging_delivered"] == counts["purging_sent"] > 0


async def test_a_load_that_is_refused_gives_no_figures(tmp_path: Path) -> None:
    async with running_server(tmp_path / "data") as server:
        order = Idle(
            url=server.websocket_url,
            subprotocol=TINY.subprotocol,
            people=[Person("0" * 24, "no token")],
            warmup=0,
            seconds=0.1,
        )
        with pytest.raises(BenchmarkError, match="unauthenticated"):
            await carry_out(order, IdleOutcome, on_moment=nothing, on_progress=lambda _: None)


async def nothing(_: str) -> None: ...


def test_the_command_measures_and_writes_what_it_found_and_leaves_nothing_else(tmp_path: Path) -> None:
    results, directory = tmp_path / "results.json", tmp_path / "data"
    directory.mkdir()
    outcome = run_program("bench", "start", "--quick", "--directory", str(directory), "--output", str(results))
    assert outcome.code == 0, outcome
    assert "first start" in outcome.out
    medians = msgspec.json.decode(results.read_bytes())["results"][0]["medians"]
    assert set(medians) == {"first_s", "second_s"}
    assert min(medians.values()) > 0
    assert list(directory.iterdir()) == []
