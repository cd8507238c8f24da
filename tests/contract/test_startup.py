"""Starting under bad circumstances: one line that says what to do, exit code 2, no traceback."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

from tests.support.people import Chat
from tests.support.server import environment, free_port

REFUSED_WITHIN_S = 15.0


async def refuse(*arguments: str) -> str:
    """Run ``chat-mvp serve`` with these arguments, which must fail, and return what it said."""
    command = [sys.executable, "-m", "chat_mvp", "serve", "--host", "127.0.0.1", *arguments]
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment({"LOG_FORMAT": "console"}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), REFUSED_WITHIN_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = output.decode()
    assert process.returncode == 2, f"exit code {process.returncode}\n{text}"
    assert "Traceback" not in text
    assert text.strip()
    return text


async def test_a_port_in_use(chat: Chat, tmp_path: Path) -> None:
    said = await refuse(
        "--port", str(chat.server.port), "--data-dir", str(tmp_path), "--mongo-uri", chat.server.mongo_uri
    )
    assert str(chat.server.port) in said
    assert (await chat.http.get("/health/ready")).status_code == 200


async def test_a_data_directory_that_cannot_be(tmp_path: Path, mongo_uri: str) -> None:
    (tmp_path / "file").write_text("in the way")
    directory = str(tmp_path / "file" / "data")
    said = await refuse("--port", str(free_port()), "--data-dir", directory, "--mongo-uri", mongo_uri)
    assert directory in said.replace("\n", "")


async def test_a_mongodb_that_is_not_there(tmp_path: Path) -> None:
    uri = f"mongodb://127.0.0.1:{free_port()}/?replicaSet=rs0"
    await refuse("--port", str(free_port()), "--data-dir", str(tmp_path), "--mongo-uri", uri)


async def test_a_mongodb_that_is_none(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"mongodb://127.0.0.1:{silent.getsockname()[1]}"
        await refuse("--port", str(free_port()), "--data-dir", str(tmp_path), "--mongo-uri", uri)


async def test_a_uri_that_is_none(tmp_path: Path) -> None:
    await refuse("--port", str(free_port()), "--data-dir", str(tmp_path), "--mongo-uri", "not a uri")
