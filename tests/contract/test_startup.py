"""Starting under bad circumstances: one line that says what to do, exit code 2, no traceback."""

import socket
from pathlib import Path

from tests.support.people import Chat
from tests.support.replset import ThreeNodes
from tests.support.server import free_port, serve_and_fail


async def test_a_port_in_use(chat: Chat, tmp_path: Path, mongo_uri: str) -> None:
    port = str(chat.server.port)
    said = await serve_and_fail("--port", port, "--data-dir", str(tmp_path), "--mongo-uri", mongo_uri)
    assert port in said
    assert (await chat.http.get("/health/ready")).status_code == 200


async def test_a_data_directory_that_cannot_be(tmp_path: Path, mongo_uri: str) -> None:
    (tmp_path / "file").write_text("in the way")
    directory = str(tmp_path / "file" / "data")
    said = await serve_and_fail("--data-dir", directory, "--mongo-uri", mongo_uri)
    assert directory in said.replace("\n", "")


async def test_a_mongodb_that_is_not_there(tmp_path: Path) -> None:
    uri = f"mongodb://127.0.0.1:{free_port()}/?replicaSet=rs0"
    await serve_and_fail("--data-dir", str(tmp_path), "--mongo-uri", uri)


async def test_a_mongodb_that_is_none(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"mongodb://127.0.0.1:{silent.getsockname()[1]}"
        await serve_and_fail("--data-dir", str(tmp_path), "--mongo-uri", uri)


async def test_a_mongodb_that_is_no_replica_set(tmp_path: Path) -> None:
    async with ThreeNodes(tmp_path / "nodes", initiate=False) as nodes:
        uri = f"mongodb://{nodes.hosts[0]}/?directConnection=true"
        await serve_and_fail("--data-dir", str(tmp_path / "data"), "--mongo-uri", uri)


async def test_a_uri_that_is_none(tmp_path: Path) -> None:
    await serve_and_fail("--data-dir", str(tmp_path), "--mongo-uri", "not a uri")
