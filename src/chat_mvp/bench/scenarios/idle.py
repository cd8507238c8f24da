"""Connections that do nothing: the memory that each needs on the server."""

from chat_mvp.bench.clocks import Clocks
from chat_mvp.bench.generator import carry_out
from chat_mvp.bench.latency import Histogram
from chat_mvp.bench.options import Options
from chat_mvp.bench.orders import Idle, IdleOutcome
from chat_mvp.bench.results import Figure, Run
from chat_mvp.bench.scenarios.scenario import Scenario, Watch, check_open_files, fresh_server

WARMUP_CONNECTIONS = 50
_KIB = 1024


async def _idle(options: Options, watch: Watch) -> Run:
    check_open_files(options.connections, "--connections")
    async with fresh_server(options, watch) as (server, stage):
        watch.phase("creating users")
        order = Idle(
            url=server.websocket_url,
            subprotocol=options.subprotocol,
            people=await stage.people(options.connections),
            warmup=min(WARMUP_CONNECTIONS, options.connections),
            seconds=options.seconds,
        )
        clocks = Clocks(server, stage)
        watch.phase("connecting")
        outcome = await carry_out(order, IdleOutcome, on_moment=clocks.read, on_progress=watch.done)
    alone, connected, held = (clocks.at(moment).usage for moment in ("alone", "connected", "held"))
    busy = held.server_cpu_s - connected.server_cpu_s
    costs = clocks.costs("alone", "held", load_cpu_s=outcome.load_cpu_s, messages=0)
    return Run(
        figures=costs
        | {
            "kib_per_connection": (held.server_rss - alone.server_rss) / _KIB / outcome.connected,
            "connections": outcome.connected,
            "connect_server_us": 1e6 * (connected.server_cpu_s - alone.server_cpu_s) / outcome.connected,
            "connect_mongod_us": 1e6 * (connected.mongod_cpu_s - alone.mongod_cpu_s) / outcome.connected,
            "connections_per_s": outcome.connected / outcome.connecting_s,
            "idle_cpu_percent": 100 * busy / options.seconds,
            "to_pong_p99_ms": Histogram(outcome.to_pong).percentiles().p99,
        },
        counts={"connected": outcome.connected},
    )


IDLE = Scenario(
    name="idle",
    title="Idle connections",
    figures=(
        Figure("kib_per_connection", "memory of the server for each connection", "KiB"),
        Figure("connections", "connections", "", 0, "more"),
        Figure("connections_per_s", "connecting", "connections/s", 0, "more"),
        Figure("connect_server_us", "CPU of the server for each connecting", "µs", 0),
        Figure("connect_mongod_us", "CPU of mongod for each connecting", "µs", 0),
        Figure("idle_cpu_percent", "CPU of the server while all are idle", "%"),
        Figure("to_pong_p99_ms", "ping to pong while all are connected, p99", "ms"),
        Figure("server_mib", "memory of the server", "MiB", 0),
        Figure("mongod_mib", "memory of mongod", "MiB", 0),
    ),
    run=_idle,
)
