"""Runs scenarios one after the other, each several times, and stores the results."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from chat_mvp.bench.machine import Machine, this_machine
from chat_mvp.bench.options import Options
from chat_mvp.bench.results import Result, summarise
from chat_mvp.bench.scenarios.scenario import Scenario, Watch
from chat_mvp.times import format_time, utc_now


class Show(Watch, Protocol):
    """Is notified of the progress of a benchmark."""

    def begin(self, scenario: Scenario, run: int, runs: int) -> None:
        """Note that run number ``run`` of ``runs`` of this scenario begins."""

    def finish(self, result: Result) -> None:
        """Note that all runs of a scenario are done."""


class Report(Struct, kw_only=True):
    """The content of the file of results."""

    at: str
    machine: Machine
    options: Options
    results: list[Result]


async def run(scenarios: Sequence[Scenario], options: Options, directory: Path, show: Show) -> Report:
    """Run the scenarios and return their results.

    ``BenchmarkError`` as soon as a run lost, doubled or reordered a message.
    """
    at, results = format_time(utc_now()), []
    for scenario in scenarios:
        runs = []
        for number in range(1, options.runs + 1):
            show.begin(scenario, number, options.runs)
            load_average = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
            once = await scenario.run(options, show)
            once.load_average = load_average
            runs.append(once)
        result = summarise(scenario.name, scenario.title, scenario.figures, runs)
        show.finish(result)
        results.append(result)
    return Report(at=at, machine=this_machine(directory), options=options, results=results)


def write_report(report: Report, path: Path) -> None:
    """Write the report as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report, enc_hook=str), indent=1) + b"\n")
