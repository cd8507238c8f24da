"""From the command to a ready server: on an empty data directory, and on one with data."""

from chat_mvp.bench.options import Options
from chat_mvp.bench.results import Figure, Run
from chat_mvp.bench.scenarios.scenario import Scenario, Watch, fresh_directory
from chat_mvp.bench.server import running_server


async def _start(options: Options, watch: Watch) -> Run:
    figures = {}
    async with fresh_directory(options) as directory:
        for key in ("first_s", "second_s"):
            watch.phase("starting a server")
            async with running_server(directory) as server:
                figures[key] = server.start_s
    return Run(figures=figures)


START = Scenario(
    name="start",
    title="Start, MongoDB included",
    figures=(Figure("first_s", "first start", "s", 2), Figure("second_s", "second start", "s", 2)),
    run=_start,
)
