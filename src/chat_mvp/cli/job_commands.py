"""The commands of ``chat-mvp jobs`` and their options. ``jobs.py`` does the work."""

from typing import Annotated

import typer

from chat_mvp.cli.options import DataDir, Json, MongoDatabase, MongoUri, database_settings

JobId = Annotated[str, typer.Argument(metavar="ID", help="The id of the job, as listed.")]

app = typer.Typer(no_args_is_help=True, help="Background jobs: list waiting and failed ones, retry them, remove them.")


@app.command("list")
def list_jobs(
    data_dir: DataDir = None,
    mongo_uri: MongoUri = None,
    mongo_database: MongoDatabase = None,
    as_json: Json = False,
) -> None:
    """List the jobs, starting with the one that has been due for the longest time."""
    from chat_mvp.cli import jobs as command  # noqa: PLC0415 - each command loads what it needs and no more

    raise typer.Exit(command.run_list(database_settings(data_dir, mongo_uri, mongo_database), as_json=as_json))


@app.command()
def retry(
    job_id: JobId, data_dir: DataDir = None, mongo_uri: MongoUri = None, mongo_database: MongoDatabase = None
) -> None:
    """Retry a job now, also one that was given up after too many attempts."""
    from chat_mvp.cli import jobs as command  # noqa: PLC0415

    raise typer.Exit(command.run_retry(database_settings(data_dir, mongo_uri, mongo_database), job_id))


@app.command()
def remove(
    job_id: JobId, data_dir: DataDir = None, mongo_uri: MongoUri = None, mongo_database: MongoDatabase = None
) -> None:
    """Remove a job without doing it."""
    from chat_mvp.cli import jobs as command  # noqa: PLC0415

    raise typer.Exit(command.run_remove(database_settings(data_dir, mongo_uri, mongo_database), job_id))
