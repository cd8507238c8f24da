"""How far a long command has come: a bar for a person at a terminal, a line for each step in a file."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from chat_mvp.backup.progress import Progress
from chat_mvp.cli.output import print_line


class Lines:
    """Says in one line what each step has done, when the next one begins and at the end."""

    def __init__(self) -> None:
        """Begin with no step."""
        self._step = ""
        self._done = 0

    def begin(self, step: str, total: int) -> None:
        """Begin a step; its line says what was done, so the expected ``total`` is not said."""
        del total
        self.end()
        self._step, self._done = step, 0

    def advance(self, documents: int) -> None:
        """Count."""
        self._done += documents

    def end(self) -> None:
        """Say what the last step has done."""
        if self._done:
            print_line(f"{self._step}: {self._done:,} documents")
        self._step, self._done = "", 0


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Show what the block reports, until its end."""
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
                # A step without a total moves to and fro.
                shown.reset(task, description=step, total=total or None)

            def advance(self, documents: int) -> None:
                shown.advance(task, documents)

        yield Bars()
