"""The commands of ``chat-mvp events`` and their options. ``events.py`` does the work."""

from typing import Annotated

import typer

from chat_mvp.cli.options import DataDir, Json, MongoDatabase, MongoUri, database_settings

Type = Annotated[
    list[str] | None, typer.Option("--type", metavar="TYPE", help="Only events of this type. May be repeated.")
]
Follow = Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for new events, until Ctrl-C.")]
Limit = Annotated[int, typer.Option(min=0, max=10_000, help="How many stored events to show first.")]

app = typer.Typer(no_args_is_help=True, help="Read committed events: what changed, and when.")


@app.callback()
def events() -> None:
    """Read committed events: what changed, and when."""


@app.command()
def tail(
    types: Type = None,
    follow: Follow = True,
    limit: Limit = 10,
    data_dir: DataDir = None,
    mongo_uri: MongoUri = None,
    mongo_database: MongoDatabase = None,
    as_json: Json = False,
) -> None:
    """Show the newest events, then new ones. With --json, each line is one object with all fields."""
    from chat_mvp.cli import events as command  # noqa: PLC0415 - each command loads what it needs and no more

    settings = database_settings(data_dir, mongo_uri, mongo_database)
    raise typer.Exit(command.run_tail(settings, types or [], follow=follow, limit=limit, as_json=as_json))
