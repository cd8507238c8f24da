"""The web client's figures as a table for a terminal, a page of Markdown and a plot. Knows nothing of measuring."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from rich.table import Table

from chat_mvp.bench.machine import Machine

STATISTICS = {
    "exact": "exact",
    "median": "median of {}",
    "p95": "95th percentile of {}",
    "most": "most of {}",
    "least": "least of {}",
    "sum": "sum",
}

_MET, _MISSED, _INK, _QUIET, _LINE = "#3f9142", "#c0392b", "#1f2328", "#59636e", "#d1d9e0"
_LEFT, _BAR, _RIGHT, _ROW, _HEAD, _FOOT = 400, 300, 250, 26, 44, 34
_GOAL_AT = 0.7  # of the width of a bar that is as long as any


@dataclass(frozen=True, kw_only=True)
class WebFigure:
    """One figure: what `value` says of `samples`, and what is wanted of it (nothing when `goal` is None)."""

    key: str
    what: str
    unit: str
    statistic: str
    goal: float | None
    value: float
    samples: Sequence[float]
    floor: bool = False

    @property
    def shown(self) -> str:
        """The value with as many digits as it is worth, and its unit."""
        digits = 0 if self.unit == "" else 1
        return f"{self.value:,.{digits}f} {self.unit}".rstrip()

    @property
    def wanted(self) -> str:
        """The goal in words, or nothing."""
        if self.goal is None:
            return ""
        return f"{'at least' if self.floor else 'at most'} {self.goal:g} {self.unit}".rstrip()

    @property
    def met(self) -> bool:
        """Whether the goal is reached by what is shown: a hundredth of a pixel is no movement."""
        value = round(self.value, 1)
        return self.goal is None or (value >= self.goal if self.floor else value <= self.goal)

    @property
    def verdict(self) -> str:
        """One word, or nothing where nothing is wanted."""
        if self.goal is None:
            return ""
        return "met" if self.met else "missed"

    @property
    def how(self) -> str:
        """How many samples became the figure in which way."""
        return STATISTICS[self.statistic].format(len(self.samples))

    @property
    def share(self) -> float:
        """How much of what is allowed is used up; 1 is the goal."""
        if not self.goal:
            return 0.0 if self.met else 2.0
        return self.goal / self.value if self.floor else self.value / self.goal


def table(figures: Sequence[WebFigure]) -> Table:
    """Return everything for a terminal."""
    made = Table(title="The web client", title_justify="left", show_edge=False, padding=(0, 2))
    made.add_column("figure")
    made.add_column("goal", justify="right")
    made.add_column("measured", justify="right", style="bold")
    made.add_column("")
    made.add_column("how", style="dim")
    for it in figures:
        style = "green" if it.met else "red"
        made.add_row(it.what, it.wanted, it.shown, f"[{style}]{it.verdict}[/]" if it.verdict else "", it.how)
    return made


def markdown(figures: Sequence[WebFigure], machine: Machine, browser: str, at: str, load_average: float) -> str:
    """Return everything as a page: what it was measured on, the goals, and where the time of a message goes."""
    on = (
        f"{machine.cores} cores of {machine.processor}, {machine.memory_gib:g} GiB, {machine.system}, {browser} "
        f"without a screen or a graphics card; chat-mvp {machine.version}, {at[:10]}, "
        f"load average before {load_average:.1f}"
    )
    lines = [f"Measured on {on}.", "", "| what | goal | measured | | how |", "|---|---|---:|---|---|"]
    lines += [f"| {it.what} | {it.wanted} | {it.shown} | {it.verdict} | {it.how} |" for it in figures if it.wanted]
    parts = [it for it in figures if not it.wanted]
    if parts:
        lines += ["", "| where the time goes | measured |", "|---|---:|"]
        lines += [f"| {it.what} | {it.shown} |" for it in parts]
    return "\n".join(lines) + "\n"


def svg(figures: Sequence[WebFigure]) -> str:
    """Return the plot: a bar for each figure against its goal, which is the same line for all."""
    rows = [it for it in figures if it.goal is not None]
    height = _HEAD + _ROW * len(rows) + _FOOT
    width = _LEFT + _BAR + _RIGHT
    goal_x = _LEFT + _BAR * _GOAL_AT
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
            f'font-size="13" fill="{_INK}">'
        ),
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        '<text x="16" y="26" font-size="15" font-weight="bold">The web client against its goals</text>',
        *_bars(rows),
        (
            f'<line x1="{goal_x}" x2="{goal_x}" y1="{_HEAD - 6}" y2="{height - _FOOT + 4}" stroke="{_INK}" '
            f'stroke-dasharray="3 3"/>'
        ),
        f'<text x="{goal_x}" y="{height - 12}" text-anchor="middle" fill="{_QUIET}">goal</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _bars(rows: Sequence[WebFigure]) -> Iterator[str]:
    """One line of the plot for each figure; what is far beyond its goal ends at the edge, with the figure beside it."""
    for index, it in enumerate(rows):
        top = _HEAD + _ROW * index
        colour = _MET if it.met else _MISSED
        length = max(2.0, min(1.0, it.share * _GOAL_AT) * _BAR)
        text = top + _ROW / 2 + 4
        note = f"{it.shown} ({it.wanted})" + ("" if it.met else ": missed")
        yield f'<text x="{_LEFT - 12}" y="{text:g}" text-anchor="end">{escape(it.what)}</text>'
        yield f'<rect x="{_LEFT}" y="{top + 4}" width="{_BAR}" height="{_ROW - 8}" fill="{_LINE}" opacity="0.35"/>'
        yield f'<rect x="{_LEFT}" y="{top + 4}" width="{length:.1f}" height="{_ROW - 8}" fill="{colour}"/>'
        yield f'<text x="{_LEFT + _BAR + 10}" y="{text:g}" fill="{_QUIET}">{escape(note)}</text>'
