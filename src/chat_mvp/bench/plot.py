"""The plot beside the file of results: the distribution of latency, and the cost of a message in each process."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from chat_mvp.bench.results import Result, merged
from chat_mvp.bench.scenarios.traffic import TO_RECIPIENT

_PERCENTILES = (0.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.99)
_TICKS = (50.0, 90.0, 99.0, 99.9, 99.99)
_PROCESSES = (("server", "#2563a8"), ("mongod", "#3f9142"), ("load", "#b9b9b9"))
_SIZE_INCHES = (11, 4.2)
_BESIDE_LEGEND = 1.35


def draw(results: Sequence[Result], path: Path) -> bool:
    """Write the plot, in the format of the file extension of ``path``. Return false when there is nothing to draw."""
    loaded = [it for it in results if "server_us_per_message" in it.medians and it.runs[0].histograms]
    if not loaded:
        return False
    # Text stays text, and the same figures give the same file.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "chat-mvp", "axes.spines.right": False}):
        figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
        left, right = figure.subplots(1, 2)
        _latencies(left, loaded)
        _costs(right, loaded)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    return True


def _latencies(axes: Axes, results: Sequence[Result]) -> None:
    for result in results:
        histogram = merged(result.runs)[TO_RECIPIENT]
        axes.plot(
            [_nines(percentile) for percentile in _PERCENTILES],
            [histogram.value_ms(percentile) for percentile in _PERCENTILES],
            label=result.scenario,
        )
    axes.set_title("Send to recipient, all runs", loc="left")
    axes.set_xlabel("share of messages")
    axes.set_ylabel("ms, at most")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([_nines(it) for it in _TICKS], [f"{it:g} %" for it in _TICKS])
    axes.yaxis.set_major_formatter("{x:g}")
    axes.minorticks_off()
    axes.grid(visible=True, alpha=0.3)
    axes.legend(frameon=False)


def _costs(axes: Axes, results: Sequence[Result]) -> None:
    names = [result.scenario for result in results]
    reached = [0.0] * len(names)
    for process, colour in _PROCESSES:
        costs = [result.medians[f"{process}_us_per_message"] for result in results]
        axes.bar(names, costs, bottom=reached, color=colour, label=process)
        reached = [below + cost for below, cost in zip(reached, costs, strict=True)]
    axes.set_title("CPU for each message", loc="left")
    axes.set_ylabel("µs")
    axes.set_ylim(0, _BESIDE_LEGEND * max(reached))
    axes.legend(frameon=False, ncols=len(_PROCESSES))


def _nines(percentile: float) -> float:
    """Return the position on a logarithmic axis, where each further nine has the same distance."""
    return 1 / (1 - percentile / 100)
