"""Options that several commands share.

All are texts, whatever their type: the settings check options, variables and file in the same way, and report an error
in one line.
"""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from chat_mvp.settings import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")]
Port = Annotated[str | None, typer.Option(metavar="PORT", help="Port to listen on, 0 for any. [default: 8080]")]
DataDir = Annotated[str | None, typer.Option(metavar="DIR", help="Directory of the secrets and the embedded MongoDB.")]
MongoUri = Annotated[
    str | None, typer.Option(metavar="URI", help="URI of a MongoDB to use instead of the embedded one.")
]
MongoDatabase = Annotated[str | None, typer.Option(metavar="NAME", help="Name of the database.")]
LogFormat = Annotated[str | None, typer.Option(metavar="console|json", help="Format of the log.")]
LogLevel = Annotated[str | None, typer.Option(metavar="LEVEL", help="Lowest severity that is logged.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for scripts.")]


def database_settings(data_dir: str | None, mongo_uri: str | None, mongo_database: str | None) -> "Settings":
    """Return the settings of a command that works on a database. ``StartupError`` when one is not valid."""
    from chat_mvp.settings import load_settings  # noqa: PLC0415 - each command loads what it needs and no more

    flags = {"data_dir": data_dir, "mongo_uri": mongo_uri, "mongo_database": mongo_database}
    return load_settings(flags).settings
