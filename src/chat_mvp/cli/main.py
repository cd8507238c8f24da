"""The commands and their options; the work is elsewhere."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from chat_mvp import __version__
from chat_mvp.cli.chat.app import app as chat_app
from chat_mvp.cli.output import complain, print_line
from chat_mvp.early_signals import restore_signals
from chat_mvp.errors import StartupError

EXIT_PROBLEM = 1
EXIT_CANNOT_START = 2

BENCH_RESULTS = Path("artifacts/bench/results.json")

# Texts, whatever their type: the settings check flags, variables and file alike and say in one line what is wrong.
Host = Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")]
Port = Annotated[str | None, typer.Option(metavar="PORT", help="Port to listen on, 0 for any. [default: 8080]")]
DataDir = Annotated[str | None, typer.Option(metavar="DIR", help="Where secrets and the embedded MongoDB live.")]
MongoUri = Annotated[str | None, typer.Option(metavar="URI", help="A MongoDB of your own, not the embedded one.")]
MongoDatabase = Annotated[str | None, typer.Option(metavar="NAME", help="Name of the database.")]
LogFormat = Annotated[str | None, typer.Option(metavar="console|json", help="Shape of the log.")]
LogLevel = Annotated[str | None, typer.Option(metavar="LEVEL", help="Least severity that is logged.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for scripts.")]

app = typer.Typer(
    name="chat-mvp",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(chat_app, name="chat")


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    """A self-hosted chat server, and a client for its terminal."""  # noqa: D401 - this is what the help shows
    if version:
        print_line(f"chat-mvp {__version__}")
        raise typer.Exit
    if context.invoked_subcommand != "serve":
        restore_signals()


@app.command()
def serve(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    mongo_uri: MongoUri = None,
    mongo_database: MongoDatabase = None,
    log_format: LogFormat = None,
    log_level: LogLevel = None,
) -> None:
    """Run the server, with a MongoDB of its own unless it is given one. Ctrl-C stops it."""
    from chat_mvp.cli import serve as command  # noqa: PLC0415 - each command loads what it needs and no more
    from chat_mvp.settings import load_settings  # noqa: PLC0415

    flags = {"host": host, "port": port, "data_dir": data_dir, "mongo_uri": mongo_uri, "mongo_database": mongo_database}
    logs = {"log_format": log_format, "log_level": log_level}
    raise typer.Exit(command.run(load_settings(flags | logs)))


@app.command()
def config(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    mongo_uri: MongoUri = None,
    mongo_database: MongoDatabase = None,
    as_json: Json = False,
) -> None:
    """Show every setting, its value and where it came from; secrets are masked."""
    from chat_mvp.cli import config as command  # noqa: PLC0415
    from chat_mvp.settings import load_settings  # noqa: PLC0415

    flags = {"host": host, "port": port, "data_dir": data_dir, "mongo_uri": mongo_uri, "mongo_database": mongo_database}
    raise typer.Exit(command.run(load_settings(flags), as_json=as_json))


@app.command()
def doctor(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    mongo_uri: MongoUri = None,
    mongo_database: MongoDatabase = None,
    as_json: Json = False,
) -> None:
    """Check what the server needs, with a remedy for what is wrong; exit code 1 if something is."""
    from chat_mvp.cli import doctor as command  # noqa: PLC0415
    from chat_mvp.settings import load_settings  # noqa: PLC0415

    flags = {"host": host, "port": port, "data_dir": data_dir, "mongo_uri": mongo_uri, "mongo_database": mongo_database}
    raise typer.Exit(command.run(load_settings(flags).settings, as_json=as_json))


@app.command()
def demo(
    stay_open: Annotated[bool, typer.Option("--open", help="Leave it open in the browser, with a history.")] = False,
) -> None:
    """Show two people chatting on a server of their own, one of them going offline and coming back."""
    from chat_mvp.cli import demo as command  # noqa: PLC0415

    raise typer.Exit(command.run(stay_open=stay_open))


@app.command()
def bench(
    scenarios: Annotated[list[str] | None, typer.Argument(help="Which scenarios; all when left out.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Everything short: to see that it works.")] = False,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each scenario; medians are reported.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.5, help="How long each run measures.")] = 10.0,
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of people.")] = 50,
    rate: Annotated[float, typer.Option(min=1, help="Messages a second of the open loop.")] = 1_000.0,
    connections: Annotated[int, typer.Option(min=1, help="Idle connections.")] = 10_000,
    history: Annotated[int, typer.Option(min=10_000, help="Messages that the history grows to.")] = 500_000,
    msgpack: Annotated[bool, typer.Option("--msgpack", help="Clients speak MessagePack, not JSON.")] = False,
    directory: Annotated[Path | None, typer.Option(help="Where the servers keep their data meanwhile.")] = None,
    output: Annotated[Path, typer.Option(help="File of results; the plot goes beside it.")] = BENCH_RESULTS,
) -> None:
    """Measure how fast the server is on this machine, on servers of its own; needs chat-mvp[bench]."""
    from chat_mvp.cli import bench as command  # noqa: PLC0415
    from chat_mvp.protocol import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK  # noqa: PLC0415

    chosen = command.Options(
        runs=runs,
        seconds=seconds,
        pairs=pairs,
        rate=rate,
        connections=connections,
        history=history,
        subprotocol=SUBPROTOCOL_MSGPACK if msgpack else SUBPROTOCOL_JSON,
        directory=directory,
    )
    raise typer.Exit(command.run(scenarios or [], command.quick(chosen) if quick else chosen, output))


def main() -> NoReturn:
    """Run the command that the arguments name. What cannot start says so in one line and exits with code 2."""
    try:
        app(prog_name="chat-mvp")
    except StartupError as error:
        complain(str(error))
        sys.exit(EXIT_CANNOT_START)
    sys.exit(0)
