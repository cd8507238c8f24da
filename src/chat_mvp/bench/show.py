"""The output during a benchmark and at its end."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from chat_mvp.bench.results import Figure, Result, Run
from chat_mvp.bench.scenarios.scenario import Scenario

SPREAD_WORTH_TELLING = 0.1


class RichShow:
    """A live line at a terminal, a plain line for each run elsewhere, and a table for each scenario."""

    def __init__(self, console: Console) -> None:
        """Write to this console."""
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TextColumn("{task.fields[phase]}", style="cyan"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Start the live line."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the live line."""
        self._progress.stop()

    def begin(self, scenario: Scenario, run: int, runs: int) -> None:
        """Show the run that begins."""
        name = f"{scenario.title}, run {run} of {runs}"
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(name, total=None, phase="")
        if not self._console.is_terminal:
            self._console.print(name)

    def phase(self, what: str) -> None:
        """Show the current phase of the run."""
        if self._task is not None:
            self._progress.update(self._task, phase=what)

    def done(self, count: int) -> None:
        """Show how much of the phase is done."""
        if self._task is not None:
            self._progress.update(self._task, phase=f"{count:,}")

    def finish(self, result: Result) -> None:
        """Show the medians of a scenario."""
        self._console.print(table_of(result))


def table_of(result: Result) -> Table:
    """Return the figures of a scenario: medians, and the range if the runs differ by more than a tenth."""
    table = Table(title=result.title, title_justify="left", show_header=False, show_edge=False, padding=(0, 2))
    table.add_column("figure")
    table.add_column("median", justify="right", style="bold")
    table.add_column("unit")
    table.add_column("range", style="dim")
    for figure in result.measured:
        if figure.key in result.medians:
            median = number(figure, result.medians[figure.key])
            table.add_row(figure.title, median, figure.unit, spread(figure, result.runs))
    return table


def number(figure: Figure, value: float) -> str:
    """Return the value with as many digits as are significant."""
    return f"{value:,.{figure.digits}f}"


def spread(figure: Figure, runs: Sequence[Run]) -> str:
    """Return the range of the runs, or nothing if they are within a tenth of each other."""
    values = [run.figures[figure.key] for run in runs]
    least, most = min(values), max(values)
    if most - least <= SPREAD_WORTH_TELLING * abs(most):
        return ""
    return f"{number(figure, least)} to {number(figure, most)}"
