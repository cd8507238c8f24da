"""The AsyncAPI 3.0 document of the WebSocket, generated from the unions of ``protocol``."""

from typing import Any, get_args

import msgspec

from chat_mvp import limits, protocol
from chat_mvp.spec.schemas import component_schemas

_CHANNEL = "ws"
_DESCRIPTION = f"""\
One frame is one object with a `type`. The subprotocol `{protocol.SUBPROTOCOL_JSON}` (the default) sends text frames of
JSON, `{protocol.SUBPROTOCOL_MSGPACK}` binary frames of MessagePack with the same objects. Any client frame may carry a
`ref`; the first frame that comes back with it settles the request. Unknown fields are ignored.
"""
_CLOSE_CODES = {
    protocol.CLOSE_GOING_AWAY: "going away; reconnect after reconnect_after_ms",
    protocol.CLOSE_TOO_LARGE: f"a frame over {limits.MAX_FRAME_BYTES} bytes",
    protocol.CLOSE_INTERNAL: "internal error; reconnect with back-off",
    protocol.CLOSE_RESTART: "restart; reconnect after reconnect_after_ms",
    protocol.CLOSE_PROTOCOL_VIOLATION: "protocol violation",
    protocol.CLOSE_UNAUTHENTICATED: "not signed in, or the session has ended",
    protocol.CLOSE_TOO_SLOW: "too slow to read; reconnect at once",
    protocol.CLOSE_TOO_MANY: "too many connections or frames; reconnect after reconnect_after_ms",
}


def asyncapi_document(version: str) -> dict[str, Any]:
    """Return the document for this version of the program. Messages have the names of their structs."""
    client, server = get_args(protocol.AnyClientFrame), get_args(protocol.AnyServerFrame)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "chat-mvp",
            "version": version,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            _CHANNEL: {
                "address": "/ws",
                "title": "The WebSocket",
                "messages": {frame.__name__: _reference("messages", frame) for frame in client + server},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
                "x-close-codes": {str(code): meaning for code, meaning in _CLOSE_CODES.items()},
            }
        },
        "operations": {
            "receiveFromClient": _operation("receive", "What a client may send", client),
            "sendToClient": _operation("send", "What the server sends", server),
        },
        "components": {
            "messages": {frame.__name__: _message(frame) for frame in client + server},
            "schemas": component_schemas(client + server),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "At the handshake, or as token of the first frame",
                }
            },
        },
    }


def _operation(action: str, summary: str, frames: tuple[type[msgspec.Struct], ...]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{_CHANNEL}"},
        "messages": [{"$ref": f"#/channels/{_CHANNEL}/messages/{frame.__name__}"} for frame in frames],
    }


def _message(frame: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "name": frame.__struct_config__.tag,
        "title": frame.__name__,
        "summary": (frame.__doc__ or "").replace("``", "`"),
        "payload": _reference("schemas", frame),
    }


def _reference(section: str, frame: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": f"#/components/{section}/{frame.__name__}"}
