"""The commands and their options; the work is elsewhere."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from chat_mvp import __version__
from chat_mvp.cli.chat.app import app as chat_app
from chat_mvp.cli.consumer_commands import app as consumers_app
from chat_mvp.cli.event_commands import app as events_app
from chat_mvp.cli.job_commands import app as jobs_app
from chat_mvp.cli.options import DataDir, Host, Json, LogFormat, LogLevel, MongoDatabase, MongoUri, Port
from chat_mvp.cli.output import complain, print_line
from chat_mvp.early_signals import restore_signals
from chat_mvp.errors import StartupError

EXIT_PROBLEM = 1
EXIT_CANNOT_START = 2

BENCH_RESULTS = Path("artifacts/bench/results.json")

app = typer.Typer(
    name="chat-mvp",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(chat_app, name="chat")
epoch_app = typer.Typer(no_args_is_help=True, help="The epoch, which names the history of a database.")
app.add_typer(epoch_app, name="epoch")
app.add_typer(jobs_app, name="jobs")
app.add_typer(events_app, name="events")
app.add_typer(consumers_app, name="consumers")


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
    raise typer.Exit(command.run(load_settings(flags), as_json=as_json))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write, or a directory to write it into.")],
    data_dir: DataDir = None,
    mongo_uri: MongoUri = None,
    mongo_database: MongoDatabase = None,
) -> None:
    """Write everything to one file, as it is in one moment; the server may run meanwhile."""
    from chat_mvp.cli import backup as command  # noqa: PLC0415
    from chat_mvp.settings import load_settings  # noqa: PLC0415

    flags = {"data_dir": data_dir, "mongo_uri": mongo_uri, "mongo_database": mongo_database}
    raise typer.Exit(command.run_backup(load_settings(flags).settings, file))


@app.command()
def restore(
    file: Annotated[Path | None, typer.Argument(help="The backup.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Forget a restore that was cut off.")] = False,
    data_dir: DataDir = None,
    mongo_uri: MongoUri = None,
    mongo_database: MongoDatabase = None,
) -> None:
    """Put a backup in place, with a new epoch; no server may run meanwhile."""
    from chat_mvp.cli import backup as command  # noqa: PLC0415
    from chat_mvp.settings import load_settings  # noqa: PLC0415

    flags = {"data_dir": data_dir, "mongo_uri": mongo_uri, "mongo_database": mongo_database}
    if cancel == (file is not None):
        raise typer.BadParameter("Give either a backup or --cancel.")
    settings = load_settings(flags).settings
    code = command.run_cancel(settings) if file is None else command.run_restore(settings, file, replace=replace)
    raise typer.Exit(code)


@epoch_app.command()
def renew(
    data_dir: DataDir = None,
    mongo_uri: MongoUri = None,
    mongo_database: MongoDatabase = None,
) -> None:
    """Give the database a new epoch, after it was restored by other tools; no server may run meanwhile."""
    from chat_mvp.cli import backup as command  # noqa: PLC0415
    from chat_mvp.settings import load_settings  # noqa: PLC0415

    flags = {"data_dir": data_dir, "mongo_uri": mongo_uri, "mongo_database": mongo_database}
    raise typer.Exit(command.run_renew(load_settings(flags).settings))


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
