"""The socket that is opened first."""

import socket

import pytest

from chat_mvp.cli.listening import address_of, listen
from chat_mvp.errors import StartupError


def test_port_zero_takes_a_free_one() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        assert address_of(listener) == f"http://127.0.0.1:{port}"
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            pass


def test_a_port_in_use_is_named() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(StartupError, match=rf"Port {port} on 127\.0\.0\.1 is in use\. .*--port"):
            listen("127.0.0.1", port)


def test_a_port_is_free_again_at_once() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port), timeout=2)
        accepted = _accept(first)
        accepted.close()  # the side that closes first keeps the port busy for a while
        client.close()
    listen("127.0.0.1", port).close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a" * 70])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(StartupError, match="--host"):
        listen(host, 0)


def test_an_address_for_all_is_shown_as_one_can_type_it() -> None:
    with listen("0.0.0.0", 0) as listener:  # noqa: S104 - what is tested is how it is shown
        assert address_of(listener).startswith("http://localhost:")


def test_an_ipv6_address_is_shown_in_brackets() -> None:
    with listen("::1", 0) as listener:
        assert address_of(listener).startswith("http://[::1]:")


def _accept(listener: socket.socket) -> socket.socket:
    listener.settimeout(2)
    return listener.accept()[0]
