"""The options of ``chat-mvp chat`` and its subcommands."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from chat_mvp.cli.output import complain

if TYPE_CHECKING:
    from chat_mvp.cli.chat.commands import Terminal

EXIT_PROBLEM = 1
EXIT_INTERRUPTED = 130

app = typer.Typer(help="Chat from the terminal. Without a subcommand, show a prompt.", invoke_without_command=True)

Where = Annotated[str, typer.Argument(metavar="WHERE", help="@username, a group's name, or a conversation's id.")]


@app.callback()
def chat(
    context: typer.Context,
    server: Annotated[
        str, typer.Option(metavar="URL", envvar="CHAT_MVP_SERVER", help="Address of the server.")
    ] = "http://127.0.0.1:8080",
    profile: Annotated[
        str, typer.Option(metavar="NAME", help="Profile whose sign-in to use, if you have several accounts.")
    ] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, one document a line.")] = False,
) -> None:
    """Chat from the terminal. The password is asked for, or read from standard input. Never give it as an argument."""
    context.obj = (server, profile, as_json)
    if context.invoked_subcommand is None:
        from chat_mvp.cli.chat.interactive import Interactive  # noqa: PLC0415 - each command loads what it needs
        from chat_mvp.cli.chat.keyboard import Keyboard  # noqa: PLC0415

        _run(context, lambda terminal: Interactive(terminal, Keyboard()).run())


@app.command()
def register(
    context: typer.Context,
    username: str,
    email: Annotated[str, typer.Option(help="E-mail address of the account.")],
    name: Annotated[str | None, typer.Option(help="Display name.")] = None,
) -> None:
    """Create an account and sign in."""
    _run(context, lambda terminal: terminal.register(username, email, name))


@app.command()
def login(context: typer.Context, login: Annotated[str, typer.Argument(help="Username or e-mail address.")]) -> None:
    """Sign in. You stay signed in until you log out."""
    _run(context, lambda terminal: terminal.login(login))


@app.command()
def logout(context: typer.Context) -> None:
    """Sign out."""
    _run(context, lambda terminal: terminal.logout())


@app.command()
def whoami(context: typer.Context) -> None:
    """Show who is signed in."""
    _run(context, lambda terminal: terminal.whoami())


@app.command()
def people(context: typer.Context, beginning: str) -> None:
    """Find users by the beginning of a name."""
    _run(context, lambda terminal: terminal.people(beginning))


@app.command()
def group(context: typer.Context, name: str, usernames: list[str]) -> None:
    """Create a group with users."""
    _run(context, lambda terminal: terminal.group(name, usernames))


@app.command(name="list")
def list_conversations(context: typer.Context) -> None:
    """Show your conversations, the most recently active first."""
    _run(context, lambda terminal: terminal.conversations())


@app.command()
def read(
    context: typer.Context,
    where: Where,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="How many messages.")] = 20,
) -> None:
    """Show the newest messages of a conversation, and mark it as read."""
    _run(context, lambda terminal: terminal.read(where, limit))


@app.command()
def write(
    context: typer.Context,
    where: Where,
    text: Annotated[str | None, typer.Argument(help="Text of the message. Default: standard input.")] = None,
) -> None:
    """Send a message, and report when it is stored."""
    message = sys.stdin.read().removesuffix("\n") if text is None else text
    _run(context, lambda terminal: terminal.write(where, message))


@app.command()
def tail(
    context: typer.Context,
    where: Annotated[str | None, typer.Argument(metavar="[WHERE]", help="Only this conversation.")] = None,
    count: Annotated[int | None, typer.Option("-n", "--count", min=1, help="End after this many messages.")] = None,
) -> None:
    """Show new messages, starting with those that waited for you. Ctrl-C ends it."""
    _run(context, lambda terminal: terminal.tail(where, count))


def _run(context: typer.Context, work: "Callable[[Terminal], Awaitable[None]]") -> None:
    from chat_mvp.cli.chat.commands import Terminal  # noqa: PLC0415 - not needed to show the help
    from chat_mvp.cli.chat.store import FileStore  # noqa: PLC0415
    from chat_mvp.client import Client, ClientError  # noqa: PLC0415

    server, profile, as_json = context.obj

    async def with_client() -> None:
        async with Client(server, store=FileStore(server, profile), device_name="terminal") as client:
            await work(Terminal(client, as_json=as_json))

    try:
        asyncio.run(with_client())
    except ClientError as error:
        complain(str(error))
        raise typer.Exit(EXIT_PROBLEM) from None
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None
