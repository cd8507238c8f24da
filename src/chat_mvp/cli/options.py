"""Options that several commands take.

All are texts, whatever their type: the settings check flags, variables and file alike, and say in one line what is
wrong.
"""

from typing import Annotated

import typer

Host = Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")]
Port = Annotated[str | None, typer.Option(metavar="PORT", help="Port to listen on, 0 for any. [default: 8080]")]
DataDir = Annotated[str | None, typer.Option(metavar="DIR", help="Where secrets and the embedded MongoDB live.")]
MongoUri = Annotated[str | None, typer.Option(metavar="URI", help="A MongoDB of your own, not the embedded one.")]
MongoDatabase = Annotated[str | None, typer.Option(metavar="NAME", help="Name of the database.")]
LogFormat = Annotated[str | None, typer.Option(metavar="console|json", help="Shape of the log.")]
LogLevel = Annotated[str | None, typer.Option(metavar="LEVEL", help="Least severity that is logged.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for scripts.")]
