"""``chat-mvp bench``: measures how fast this program is on this machine."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from chat_mvp.cli.listening import raise_open_file_limit
from chat_mvp.cli.output import complain
from chat_mvp.errors import StartupError

try:
    from chat_mvp.bench.benchmark import run as run_scenarios
    from chat_mvp.bench.benchmark import write_report
    from chat_mvp.bench.generator import BenchmarkError
    from chat_mvp.bench.markdown import markdown
    from chat_mvp.bench.options import Options, quick
    from chat_mvp.bench.plot import draw
    from chat_mvp.bench.scenarios import SCENARIOS
    from chat_mvp.bench.show import RichShow
except ModuleNotFoundError as error:
    raise StartupError(
        f"The benchmark needs {error.name}, which is not installed.",
        remedy="Install its requirements with: pip install 'chat-mvp[bench]'.",
    ) from error


EXIT_BROKEN = 1
EXIT_INTERRUPTED = 130

__all__ = ["Options", "quick", "run"]


def run(names: Sequence[str], options: Options, output: Path) -> int:
    """Run the named scenarios, or all, and return the exit code: 1 if the server broke a promise."""
    from rich.console import Console  # noqa: PLC0415 - only for people

    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        raise StartupError(f"There is no scenario {unknown[0]}.", remedy=f"Choose from: {', '.join(SCENARIOS)}.")
    # The server and the load generator inherit the limit. Ten thousand connections need it.
    raise_open_file_limit()
    console = Console()
    directory = options.directory or Path(tempfile.gettempdir())
    with RichShow(console) as show:
        try:
            report = asyncio.run(run_scenarios([SCENARIOS[it] for it in names or SCENARIOS], options, directory, show))
        except BenchmarkError as error:
            complain(f"the results of this run are invalid: {error}")
            return EXIT_BROKEN
        except KeyboardInterrupt:
            return EXIT_INTERRUPTED
    write_report(report, output)
    summary = output.with_suffix(".md")
    summary.write_text(markdown(report), encoding="utf-8")
    plot = output.with_suffix(".svg")
    written = [output, summary, plot] if draw(report.results, plot) else [output, summary]
    console.print("\nResults: " + ", ".join(map(str, written)))
    return 0
