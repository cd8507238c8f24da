"""The commands of ``chat-mvp consumers`` and their options. ``consumers.py`` does the work."""

from typing import Annotated

import typer

from chat_mvp.cli.options import DataDir, Json, MongoDatabase, MongoUri, database_settings

EventId = Annotated[str, typer.Argument(metavar="ID", help="The event, as chat-mvp consumers set-aside lists it.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The consumer, as listed.")]

app = typer.Typer(
    no_args_is_help=True, help="Consumers of events: list their progress, and retry events that were set aside."
)


@app.command("list")
def list_consumers(
    data_dir: DataDir = None,
    mongo_uri: MongoUri = None,
    mongo_database: MongoDatabase = None,
    as_json: Json = False,
) -> None:
    """List the consumers, how far behind they are, and their last errors."""
    from chat_mvp.cli import consumers as command  # noqa: PLC0415 - each command loads what it needs and no more

    raise typer.Exit(command.run_list(database_settings(data_dir, mongo_uri, mongo_database), as_json=as_json))


@app.command("set-aside")
def list_set_aside(
    data_dir: DataDir = None,
    mongo_uri: MongoUri = None,
    mongo_database: MongoDatabase = None,
    as_json: Json = False,
) -> None:
    """List the events that a consumer could not handle, in the order in which they were set aside."""
    from chat_mvp.cli import consumers as command  # noqa: PLC0415

    raise typer.Exit(command.run_set_aside(database_settings(data_dir, mongo_uri, mongo_database), as_json=as_json))


@app.command()
def retry(
    event_id: EventId, data_dir: DataDir = None, mongo_uri: MongoUri = None, mongo_database: MongoDatabase = None
) -> None:
    """Retry an event that was set aside. The running server does so within seconds."""
    from chat_mvp.cli import consumers as command  # noqa: PLC0415

    raise typer.Exit(command.run_retry(database_settings(data_dir, mongo_uri, mongo_database), event_id))


@app.command()
def remove(
    event_id: EventId, data_dir: DataDir = None, mongo_uri: MongoUri = None, mongo_database: MongoDatabase = None
) -> None:
    """Remove an event that was set aside. Its consumer never handles it."""
    from chat_mvp.cli import consumers as command  # noqa: PLC0415

    raise typer.Exit(command.run_remove(database_settings(data_dir, mongo_uri, mongo_database), event_id))


@app.command()
def forget(
    name: Name, data_dir: DataDir = None, mongo_uri: MongoUri = None, mongo_database: MongoDatabase = None
) -> None:
    """Forget how far a consumer is, and what it set aside; when it comes back, it rebuilds."""
    from chat_mvp.cli import consumers as command  # noqa: PLC0415

    raise typer.Exit(command.run_forget(database_settings(data_dir, mongo_uri, mongo_database), name))
