"""The page that a run prints."""

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tests.faults.run import ELECTIONS, Result

MOST_VIOLATIONS = 12
_LONGEST_LINE = 600


def show(result: Result, console: Console) -> None:
    """Print one page."""
    parts: list[RenderableType] = [_figures(result), _harms(result)]
    if result.violations:
        parts += [Text("\nviolations", style="bold red")]
        parts += [Text(f"- {line[:_LONGEST_LINE]}") for line in result.violations[:MOST_VIOLATIONS]]
        parts += [Text(f"\nto repeat: {repeat(result)}", style="bold")]
    title = f"faults, {result.topology}, seed {result.seed}, {result.seconds:g} s"
    console.print(Panel(Group(*parts), title=title, border_style="red" if result.violations else "green"))


def within(what: str, cost_s: float, bound_s: float) -> bool:
    """Print what something cost beside what it may cost, and tell whether that is less."""
    Console(width=120).print(f"{what}: {cost_s:.1f} s, at most {bound_s:g} s")
    return cost_s < bound_s


def repeat(result: Result) -> str:
    """Return the command that does the same harm again."""
    return f"just test-faults --topology {result.topology} --seed {result.seed} --seconds {result.seconds:g}"


def _figures(result: Result) -> Table:
    tally = result.tally
    errors = ", ".join(f"{code} {n}" for code, n in sorted(tally.answers.items()) if code not in {"acks", "changes"})
    moves = ", ".join(f"{name} {n}" for name, n in sorted(tally.moves.items()))
    slow = ", ".join(f"{name} {n}" for name, n in sorted(tally.slow_readers.items()))
    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("devices", result.devices),
        ("messages acknowledged", result.messages),
        ("acks, repeated ones included", tally.answers["acks"]),
        ("edits, deletions, reactions", tally.answers["changes"]),
        ("membership changes", moves or "none"),
        ("slow readers", slow or "none"),
        ("connections made, lost", f"{tally.connects}, {tally.lost_connections}"),
        ("conversations reset", tally.resets),
        ("errors answered", errors or "none"),
        ("longest time without a successful write", f"{tally.longest_silence_s:.1f} s"),
        ("slowest answer", f"{tally.slowest_answer_s:.1f} s"),
        ("violations", len(result.violations)),
    ):
        table.add_row(name, str(value))
    return table


def _harms(result: Result) -> Table:
    table = Table("harm", "times", box=None, padding=(0, 2), title_justify="left")
    for name, times in sorted(result.tally.faults.items()):
        table.add_row(name, str(times))
    elections = sum(n for name, n in result.tally.faults.items() if name in ELECTIONS)
    table.add_row("elections asked for", str(elections))
    return table
