"""Shows the progress of a long command: a bar at a terminal, a line for each step in a file."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from chat_mvp.backup.progress import Progress
from chat_mvp.cli.output import print_line


class Lines:
    """Prints one line for each step, when the next one starts and at the end."""

    def __init__(self) -> None:
        """Start without a step."""
        self._step = ""
        self._done = 0

    def begin(self, step: str, total: int) -> None:
        """Start a step. ``total`` is not used, because the line shows the number that was done."""
        del total
        self.end()
        self._step, self._done = step, 0

    def advance(self, documents: int) -> None:
        """Count documents."""
        self._done += documents

    def end(self) -> None:
        """Print the line of the last step."""
        if self._done:
            print_line(f"{self._step}: {self._done:,} documents")
        self._step, self._done = "", 0


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Show the progress that the block reports."""
    if sys.stdout.isatty():
        with _bars() as bars:
            yield bars
        return
    lines = Lines()
    yield lines
    lines.end()


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich import progress as rich  # noqa: PLC0415 - only for people

    columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), rich.MofNCompleteColumn())
    with rich.Progress(*columns, rich.TimeRemainingColumn(), transient=True) as shown:
        task = shown.add_task("")

        class Bars:
            def begin(self, step: str, total: int) -> None:
                # The bar of a step without a total moves back and forth.
                shown.reset(task, description=step, total=total or None)

            def advance(self, documents: int) -> None:
                shown.advance(task, documents)

        yield Bars()
