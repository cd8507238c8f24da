"""The listening socket, opened before anything else is started, and the limit of open files."""

import errno
import socket
import sys

from chat_mvp.errors import StartupError

BACKLOG = 2048
OWN_FILES = 200
"""Open files that are not client connections: connections to the database, logs, libraries."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on ``host`` and ``port`` (0: any free one).

    ``StartupError`` when the port is taken, the address is not one of this machine, or the user may not listen there.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise StartupError(
            f"The host {host} is unknown.", remedy="Give an address of this machine with --host, such as 127.0.0.1."
        ) from None
    listener = socket.socket(family, kind, protocol)
    try:
        if sys.platform != "win32":
            # On Windows this would let two servers share one port. Elsewhere it only lets a restart use the same port
            # again.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from None
    listener.setblocking(False)
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the URL of a listening socket, as a user types it into a browser."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - recognised, not bound
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def raise_open_file_limit() -> None:
    """Raise this process's limit of open files to the maximum that the system allows. Each connection needs one."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):
            # macOS reports "unlimited" and refuses it. Then the soft limit stays as it was.
            return


def room_for_connections() -> int:
    """Return how many connections fit into the limit of open files, besides the files of the program itself."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource  # noqa: PLC0415 - not on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return sys.maxsize
    return max(soft - OWN_FILES, soft // 2)


def _cannot_listen(host: str, port: int, error: OSError) -> StartupError:
    if error.errno == errno.EADDRINUSE:
        return StartupError(
            f"Port {port} on {host} is in use.",
            remedy="Stop the program that listens there, or choose another port with --port.",
        )
    if error.errno == errno.EACCES:
        return StartupError(
            f"You are not allowed to use port {port} on {host}.", remedy="Choose one above 1023 with --port."
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return StartupError(
            f"The address {host} is not one of this machine.",
            remedy="Give 127.0.0.1, or 0.0.0.0 for every address of the machine, with --host.",
        )
    reason = (error.strerror or type(error).__name__).lower()
    return StartupError(f"Nothing can listen on {host} port {port}: {reason}.", remedy="Give another --host or --port.")
