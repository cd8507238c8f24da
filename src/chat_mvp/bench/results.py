"""The figures of one run, and the medians of several runs."""

import statistics
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from chat_mvp.bench.latency import Histogram


class Figure(Struct, frozen=True):
    """A value that a scenario measures. ``key`` is its name in the file of results."""

    key: str
    title: str
    unit: str
    digits: int = 1
    better: Literal["more", "less"] = "less"


class Run(Struct, kw_only=True):
    """One run of a scenario: figures by key, and distributions of latencies, encoded, by title."""

    figures: dict[str, float]
    counts: dict[str, int] = {}
    """The numbers of messages sent, delivered and so on that were checked, over the whole run."""
    histograms: dict[str, str] = {}
    load_average: float = 0.0
    """The load average of the machine in the minute before the run. Above about 0.5 other programs were working."""


class Result(Struct, kw_only=True):
    """The results of the runs of one scenario."""

    scenario: str
    title: str
    measured: list[Figure]
    medians: dict[str, float]
    runs: list[Run]


def summarise(scenario: str, title: str, measured: Sequence[Figure], runs: Sequence[Run]) -> Result:
    """Return the median of each figure over the runs."""
    medians = {
        figure.key: statistics.median(run.figures[figure.key] for run in runs)
        for figure in measured
        if all(figure.key in run.figures for run in runs)
    }
    return Result(scenario=scenario, title=title, measured=list(measured), medians=medians, runs=list(runs))


def merged(runs: Sequence[Run]) -> dict[str, Histogram]:
    """Return the merged distributions of all runs, by title."""
    together: dict[str, Histogram] = {}
    for run in runs:
        for title, encoded in run.histograms.items():
            together.setdefault(title, Histogram()).add(Histogram(encoded))
    return together
