"""From latencies to medians, tables, a file and a plot."""

from io import StringIO
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from chat_mvp.bench.benchmark import Report, write_report
from chat_mvp.bench.latency import Histogram
from chat_mvp.bench.machine import this_machine
from chat_mvp.bench.markdown import markdown
from chat_mvp.bench.options import Options, quick
from chat_mvp.bench.plot import draw
from chat_mvp.bench.results import Figure, Result, Run, merged, summarise
from chat_mvp.bench.scenarios import SCENARIOS
from chat_mvp.bench.scenarios.traffic import TO_RECIPIENT
from chat_mvp.bench.show import table_of

MS = 1_000_000
RATE = Figure("messages_per_s", "delivered", "messages/s", 0, "more")


def runs(*rates: float) -> list[Run]:
    return [Run(figures={"messages_per_s": rate}) for rate in rates]


def loaded() -> Result:
    costs = {f"{process}_us_per_message": 50.0 for process in ("server", "mongod", "load")}
    latencies = Histogram.of_ns(range(MS, 100 * MS, MS)).encode()
    measured = [Figure(key, key, "µs") for key in costs]
    return summarise("pairs", "Pairs", measured, [Run(figures=costs, histograms={TO_RECIPIENT: latencies})])


def text_of(result: Result) -> str:
    console = Console(file=StringIO(), width=120)
    console.print(table_of(result))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_percentiles_are_right_to_three_digits() -> None:
    found = Histogram.of_ns(number * MS for number in range(1, 1_001)).percentiles()
    assert found.count == 1_000
    assert found.p50 == pytest.approx(500, rel=0.002)
    assert found.p99 == pytest.approx(990, rel=0.002)
    assert found.p999 == pytest.approx(999, rel=0.002)
    assert found.highest == pytest.approx(1_000, rel=0.002)


def test_latencies_out_of_range_count_at_its_end() -> None:
    found = Histogram.of_ns([0, 10 * 60 * 1_000 * MS]).percentiles()
    assert found.count == 2
    assert found.highest == pytest.approx(60_000, rel=0.002)


def test_distributions_of_several_runs_become_one() -> None:
    several = [
        Run(figures={}, histograms={"a": Histogram.of_ns([latency * MS] * 10).encode()}) for latency in (1, 2, 3)
    ]
    together = merged(several)["a"].percentiles()
    assert (together.count, together.p50) == (30, pytest.approx(2, rel=0.002))


def test_the_median_of_the_runs_is_what_counts() -> None:
    assert summarise("x", "X", [RATE], runs(30, 10, 20)).medians == {"messages_per_s": 20}


def test_a_figure_that_some_run_lacks_has_no_median() -> None:
    assert summarise("x", "X", [RATE], [*runs(1), Run(figures={})]).medians == {}


def test_the_table_tells_how_far_runs_differ_when_that_is_worth_telling() -> None:
    assert "9,000 to 12,000" in text_of(summarise("x", "X", [RATE], runs(12_000, 9_000, 10_000)))
    assert " to " not in text_of(summarise("x", "X", [RATE], runs(10_000, 9_900, 10_100)))


def test_the_file_of_results_is_json_with_machine_and_options(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.json"
    result = summarise("x", "X", [RATE], runs(1))
    options = Options(directory=tmp_path)
    write_report(Report(at="now", machine=this_machine(tmp_path), options=options, results=[result]), path)
    written = msgspec.json.decode(path.read_bytes())
    assert written["results"][0]["medians"] == {"messages_per_s": 1}
    assert written["options"]["directory"] == str(tmp_path)
    assert written["machine"]["cores"] >= 1
    assert written["machine"]["file_system"] != "unknown"


def test_the_page_tells_what_was_measured_and_on_what(tmp_path: Path) -> None:
    result = summarise("x", "A name", [RATE], runs(12_000, 9_000, 10_000))
    page = markdown(
        Report(at="2026-11-21T10:00:00.000Z", machine=this_machine(tmp_path), options=Options(), results=[result])
    )
    assert "medians of 3 runs of 10 s" in page
    assert "### A name" in page
    assert "| delivered | 10,000 messages/s | 9,000 to 12,000 |" in page


@pytest.mark.parametrize("ending", [".svg", ".png"])
def test_the_plot_is_drawn(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"plot{ending}"
    assert draw([loaded()], path)
    assert path.read_bytes().startswith(b"\x89PNG" if ending == ".png" else b"<?xml")


def test_without_load_there_is_no_plot(tmp_path: Path) -> None:
    assert not draw([summarise("x", "X", [RATE], runs(1))], tmp_path / "plot.svg")
    assert list(tmp_path.iterdir()) == []


def test_quick_is_short_and_keeps_what_was_chosen() -> None:
    short = quick(Options(text_chars=10, connections=100))
    assert (short.runs, short.connections, short.text_chars) == (1, 100, 10)
    assert short.seconds < Options().seconds


def test_every_scenario_is_found_by_its_name_and_measures_something_once() -> None:
    expected = [
        "pairs-16",
        "pairs-1",
        "open-loop",
        "group",
        "idle",
        "crowd",
        "drain",
        "resume",
        "start",
        "history",
        "purge",
    ]
    assert list(SCENARIOS) == expected
    for name, scenario in SCENARIOS.items():
        keys = [figure.key for figure in scenario.figures]
        assert scenario.name == name
        assert keys
        assert len(keys) == len(set(keys))
