"""Options that several commands share.

All are texts, whatever their type: the settings check options, variables and file in the same way, and report an error
in one line.
"""

from typing import Annotated

import typer

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
