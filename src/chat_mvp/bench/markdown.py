"""Results as a page of Markdown, for a document or an issue."""

from chat_mvp.bench.benchmark import Report
from chat_mvp.bench.results import Result
from chat_mvp.bench.show import number, spread


def markdown(report: Report) -> str:
    """Return the medians of every scenario, and the machine on which they were measured."""
    machine = report.machine
    on = (
        f"{machine.cores} cores of {machine.processor}, {machine.memory_gib:g} GiB, {machine.system}, "
        f"Python {machine.python}, data on {machine.file_system}; chat-mvp {machine.version}, {report.at[:10]}"
    )
    busiest = max((run.load_average for result in report.results for run in result.runs), default=0.0)
    runs = "one run" if report.options.runs == 1 else f"medians of {report.options.runs} runs"
    lines = [
        f"Measured on {on}: {runs} of {report.options.seconds:g} s, load average before a run at most {busiest:.1f}."
    ]
    for result in report.results:
        lines += ["", f"### {result.title}", "", "| | | range |", "|---|---:|---|", *_rows(result)]
    return "\n".join(lines) + "\n"


def _rows(result: Result) -> list[str]:
    rows = []
    for figure in result.measured:
        if figure.key in result.medians:
            value = f"{number(figure, result.medians[figure.key])} {figure.unit}".rstrip()
            rows.append(f"| {figure.title} | {value} | {spread(figure, result.runs)} |")
    return rows
