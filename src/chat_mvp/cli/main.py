"""The commands and their options. Other modules do the work."""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from chat_mvp import __version__
from chat_mvp.cli.chat.app import app as chat_app
from chat_mvp.cli.consumer_commands import app as consumers_app
from chat_mvp.cli.event_commands import app as events_app
from chat_mvp.cli.job_commands import app as jobs_app
from chat_mvp.cli.options import (
    DataDir,
    Host,
    Json,
    LogFormat,
    LogLevel,
    MongoDatabase,
    MongoUri,
    Port,
    database_settings,
)
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
epoch_app = typer.Typer(no_args_is_help=True, help="The epoch, which identifies the history of a database.")
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
    """Run the server, with an embedded MongoDB unless another one is given. Ctrl-C stops it."""
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
    """Show every setting, its value and its source. Secrets are masked."""
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
    """Check what the server needs, and show a remedy for each problem. Exit code 1 if there is a problem."""
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
    """Write everything to one file, as it is at one moment. The server may run meanwhile."""
    from chat_mvp.cli import backup as command  # noqa: PLC0415

    raise typer.Exit(command.run_backup(database_settings(data_dir, mongo_uri, mongo_database), file))


@app.command()
def restore(
    file: Annotated[Path | None, typer.Argument(help="The backup file.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the existing data.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel an interrupted restore.")] = False,
    data_dir: DataDir = None,
    mongo_uri: MongoUri = None,
    mongo_database: MongoDatabase = None,
) -> None:
    """Restore a backup, with a new epoch. No server may run meanwhile."""
    from chat_mvp.cli import backup as command  # noqa: PLC0415

    if cancel == (file is not None):
        raise typer.BadParameter("Give either a backup or --cancel.")
    settings = database_settings(data_dir, mongo_uri, mongo_database)
    code = command.run_cancel(settings) if file is None else command.run_restore(settings, file, replace=replace)
    raise typer.Exit(code)


@epoch_app.command()
def renew(
    data_dir: DataDir = None,
    mongo_uri: MongoUri = None,
    mongo_database: MongoDatabase = None,
) -> None:
    """Give the database a new epoch, after it was restored by other tools. No server may run meanwhile."""
    from chat_mvp.cli import backup as command  # noqa: PLC0415

    raise typer.Exit(command.run_renew(database_settings(data_dir, mongo_uri, mongo_database)))


@app.command()
def demo(
    stay_open: Annotated[
        bool, typer.Option("--open", help="Keep the server running, with a history to look at.")
    ] = False,
) -> None:
    """Show two users who chat on a temporary server. One goes offline and comes back."""
    from chat_mvp.cli import demo as command  # noqa: PLC0415

    raise typer.Exit(command.run(stay_open=stay_open))


@app.command()
def bench(
    scenarios: Annotated[list[str] | None, typer.Argument(help="Scenarios to run. Default: all.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Run everything briefly, only to see that it works.")] = False,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each scenario. Medians are reported.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.5, help="Seconds that each run measures.")] = 10.0,
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of users.")] = 50,
    rate: Annotated[float, typer.Option(min=1, help="Messages per second of the open loop.")] = 1_000.0,
    group_window: Annotated[int, typer.Option(min=1, help="Messages in flight of each sender in the group.")] = 16,
    confirm_each: Annotated[
        bool, typer.Option("--confirm-each", help="Clients confirm each message at once, not at most every 100 ms.")
    ] = False,
    connections: Annotated[int, typer.Option(min=1, help="Idle connections.")] = 10_000,
    crowd: Annotated[int, typer.Option(min=1, help="People who connect at once.")] = 2_000,
    history: Annotated[int, typer.Option(min=10_000, help="Messages in the long history.")] = 500_000,
    msgpack: Annotated[bool, typer.Option("--msgpack", help="Clients use MessagePack instead of JSON.")] = False,
    directory: Annotated[Path | None, typer.Option(help="Directory for the temporary data of the servers.")] = None,
    output: Annotated[Path, typer.Option(help="File for the results. The plot is written beside it.")] = BENCH_RESULTS,
) -> None:
    """Measure how fast the server is on this machine, with temporary servers. Needs chat-mvp[bench]."""
    from chat_mvp.cli import bench as command  # noqa: PLC0415
    from chat_mvp.protocol import SUBPROTOCOL_JSON, SUBPROTOCOL_MSGPACK  # noqa: PLC0415

    chosen = command.Options(
        runs=runs,
        seconds=seconds,
        pairs=pairs,
        rate=rate,
        group_window=group_window,
        confirm_each=confirm_each,
        connections=connections,
        crowd=crowd,
        history=history,
        subprotocol=SUBPROTOCOL_MSGPACK if msgpack else SUBPROTOCOL_JSON,
        directory=directory,
    )
    raise typer.Exit(command.run(scenarios or [], command.quick(chosen) if quick else chosen, output))


def main() -> NoReturn:
    """Run the command in the arguments. A command that cannot start prints one line and exits with code 2."""
    try:
        app(prog_name="chat-mvp")
    except StartupError as error:
        complain(str(error))
        sys.exit(EXIT_CANNOT_START)
    sys.exit(0)
