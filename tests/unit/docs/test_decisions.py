"""What the decision records say and no other test holds."""

import ast

import pytest
from uvicorn import Config
from websockets.frames import Frame, Opcode

from chat_mvp.cli.serving import configured, shared_by_connections
from chat_mvp.codec import JSON, MSGPACK, Codec, to_wire
from chat_mvp.settings import Settings
from tests.unit.docs.pages import ROOT

STORAGE = ROOT / "src" / "chat_mvp" / "storage"
BEANIE_AND_MOTOR = ("beanie", "motor", "chat_mvp.storage.documents")
COLD = {"auth_sessions.py", "client.py", "contacts.py", "documents.py", "schema.py", "shapes.py", "users.py"}


def test_only_cold_paths_use_beanie_and_motor() -> None:
    assert {path.name for path in STORAGE.glob("*.py") if imports(path.read_text(encoding="utf-8"))} == COLD


def imports(source: str) -> bool:
    """Tell whether a module imports either of the two, or a document made with them."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return any(f"{name}.".startswith(f"{unwanted}.") for name in names for unwanted in BEANIE_AND_MOTOR)


@pytest.mark.parametrize("codec", [JSON, MSGPACK], ids=["json", "msgpack"])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_frames_are_what_a_websocket_library_would_write(codec: Codec, size: int) -> None:
    payload = bytes(size)
    opcode = Opcode.BINARY if codec.binary else Opcode.TEXT
    assert to_wire(payload, codec) == Frame(opcode, payload).serialize(mask=False)


def test_no_compression_is_offered() -> None:
    config: Config = configured(None, Settings(), shared_by_connections(Settings()))
    assert config.ws_per_message_deflate is False
