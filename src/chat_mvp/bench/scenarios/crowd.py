"""A crowd that connects at once, as after a restart of the server."""

import asyncio
import time

from chat_mvp.bench.clocks import Clocks
from chat_mvp.bench.generator import carry_out
from chat_mvp.bench.latency import Histogram
from chat_mvp.bench.options import Options
from chat_mvp.bench.orders import Crowd, CrowdOutcome
from chat_mvp.bench.results import Figure, Run
from chat_mvp.bench.scenarios.scenario import Scenario, Watch, check_open_files, fresh_server
from chat_mvp.bench.stage import Stage

_PROBE_EVERY_S = 0.05


class Probe:
    """Asks again and again whether the server is ready, between two moments."""

    def __init__(self, stage: Stage) -> None:
        """Ask the server of this stage."""
        self.slowest_ms = 0.0
        self.refusals = 0
        """How often the server answered that it is not ready."""
        self._stage = stage
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask."""
        self._task = asyncio.create_task(self._ask())

    def stop(self) -> None:
        """Ask no more. Raises the error of a request that got no answer."""
        task, self._task = self._task, None
        if task is not None and not task.cancel():
            task.result()

    async def _ask(self) -> None:
        while True:
            began = time.monotonic()
            self.refusals += not await self._stage.is_ready()
            self.slowest_ms = max(self.slowest_ms, 1_000 * (time.monotonic() - began))
            await asyncio.sleep(_PROBE_EVERY_S)


async def _crowd(options: Options, watch: Watch) -> Run:
    check_open_files(options.crowd, "--crowd")
    async with fresh_server(options, watch) as (server, stage):
        watch.phase("creating users and groups")
        people = await stage.people(options.crowd)
        order = Crowd(
            url=server.websocket_url,
            subprotocol=options.subprotocol,
            people=people,
            epoch=stage.epoch,
            returning=await stage.groups(people, options.text_chars).store(),
        )
        clocks, probe = Clocks(server, stage), Probe(stage)

        async def on_moment(moment: str) -> None:
            if moment == "connected":
                probe.stop()
            await clocks.read(moment)
            if moment == "alone":
                probe.start()

        watch.phase("connecting")
        try:
            outcome = await carry_out(order, CrowdOutcome, on_moment=on_moment, on_progress=watch.done)
        finally:
            probe.stop()
    alone, connected = (clocks.at(moment).usage for moment in ("alone", "connected"))
    to_ready, to_drained = (Histogram(it).percentiles() for it in (outcome.to_ready, outcome.to_drained))
    return Run(
        figures={
            "connects_per_s": outcome.connected / outcome.seconds,
            "slowest_ms": to_drained.highest,
            "to_drained_p50_ms": to_drained.p50,
            "to_ready_p50_ms": to_ready.p50,
            "connect_server_us": 1e6 * (connected.server_cpu_s - alone.server_cpu_s) / outcome.connected,
            "connect_mongod_us": 1e6 * (connected.mongod_cpu_s - alone.mongod_cpu_s) / outcome.connected,
            "connect_load_us": 1e6 * outcome.load_cpu_s / outcome.connected,
            "slowest_probe_ms": probe.slowest_ms,
            "refusals": probe.refusals,
        },
        counts={
            "connected": outcome.connected,
            "conversations": outcome.conversations,
            "missed": outcome.missed,
        },
    )


CROWD = Scenario(
    name="crowd",
    title="A crowd that connects at once",
    figures=(
        Figure("connects_per_s", "people a second, until the last one is up to date", "people/s", 0, "more"),
        Figure("slowest_ms", "connect to drained, slowest", "ms", 0),
        Figure("to_drained_p50_ms", "connect to drained, p50", "ms", 0),
        Figure("to_ready_p50_ms", "connect to ready, p50", "ms", 0),
        Figure("connect_server_us", "CPU of the server for each person", "µs", 0),
        Figure("connect_mongod_us", "CPU of mongod for each person", "µs", 0),
        Figure("connect_load_us", "CPU of the load generator for each person", "µs", 0),
        Figure("refusals", "answers of the readiness probe that the server is not ready", "", 0),
        Figure("slowest_probe_ms", "answer of the readiness probe meanwhile, slowest", "ms", 0),
    ),
    run=_crowd,
)
