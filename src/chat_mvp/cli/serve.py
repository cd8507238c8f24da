"""``chat-mvp serve``: runs the server, from the listening socket to the last closed file."""

import asyncio
import gc
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import structlog

from chat_mvp.cli.backend import opened_database, prepare_data_dir
from chat_mvp.cli.checks import check_data_dir, check_settings_file
from chat_mvp.cli.listening import address_of, listen, raise_open_file_limit
from chat_mvp.cli.serving import ChatServer, StopSignals, configured, shared_by_connections, stop_cleanly
from chat_mvp.ops.logs import configure_logs
from chat_mvp.settings import Loaded, Settings
from chat_mvp.transport.headers import security_headers

_LOG = structlog.stdlib.get_logger(__name__)


def run(loaded: Loaded) -> int:
    """Serve until a signal ends the process, and return the exit code. ``StartupError`` when it cannot start."""
    settings = loaded.settings
    configure_logs(shape=settings.log_format, level=settings.log_level)
    if loaded.unknown:
        _LOG.warning("unknown_settings", names=", ".join(loaded.unknown))
    raise_open_file_limit()
    listener = listen(settings.host, settings.port)
    try:
        prepare_data_dir(settings.data_dir)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(loaded, listener))
    finally:
        listener.close()
    return 0


async def _serve(loaded: Loaded, listener: socket.socket) -> None:
    settings = loaded.settings
    signals = StopSignals()
    try:
        # Load the application while the database starts. It takes a good part of a second.
        loading = asyncio.create_task(asyncio.to_thread(_load_application))
        async with opened_database(settings) as database:
            await loading
            warn_of_open_files(settings.data_dir, loaded.secret_file)
            from chat_mvp.app import create_app  # noqa: PLC0415 - loaded above, while the database started
            from chat_mvp.http.edge import at_the_edge  # noqa: PLC0415 - the same

            app = create_app(settings, database)
            address = settings.public_url or address_of(listener)
            server = ChatServer(
                configured(
                    at_the_edge(app, security_headers(settings.public_url)), settings, shared_by_connections(settings)
                ),
                on_ready=lambda: None if signals.received else announce(address, settings),
            )
            _calm_garbage_collection()
            signals.then(lambda: stop_cleanly(server, app.state.runtime.stop))
            await server.serve([listener])
        _LOG.info("stopped")
    except asyncio.CancelledError:
        if not signals.received:
            raise
        _LOG.info("stopped", while_starting=True)


def warn_of_open_files(data_dir: Path, secret_file: Path | None) -> None:
    """Log a warning about files that other users of this machine may read but should not."""
    for finding in (check_data_dir(data_dir), check_settings_file(secret_file)):
        if finding.status != "ok":
            _LOG.warning("open_to_others", detail=finding.detail, remedy=finding.remedy)


def _calm_garbage_collection() -> None:
    # Objects of the start stay forever, and a batch creates many objects that reference counting frees together. With
    # the default thresholds an eighth of the processor's time was used to look for cycles. Closed connections leave no
    # cycles (tests/unit/transport/test_websockets.py), so rare collections cost no memory.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _load_application() -> None:
    import chat_mvp.app  # noqa: F401, PLC0415 - importing it is the purpose


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415 - not on Windows
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def announce(address: str, settings: Settings) -> None:
    """Print the URL of the server: a block at a terminal, one line for a file."""
    if not sys.stdout.isatty():
        print(f"chat-mvp is ready at {address}", flush=True)  # noqa: T201 - this line is the command's output
        return
    from rich.console import Console  # noqa: PLC0415 - only for people
    from rich.panel import Panel  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    database = "the MongoDB in the settings" if settings.mongo_uri else f"embedded MongoDB in {settings.data_dir}"
    text = Text.assemble(
        ("Open ", "bold"), (address, f"bold link {address}"), f"\n\nData: {database}\nCtrl-C stops it."
    )
    Console().print(Panel(text, title="chat-mvp is ready", expand=False, padding=(1, 2), border_style="green"))
