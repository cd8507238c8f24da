"""docs/protocol.md and the code say the same, in both directions."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient

from chat_mvp import errors, protocol
from chat_mvp.app import create_app
from chat_mvp.settings import Settings
from chat_mvp.spec.openapi import corrected
from chat_mvp.storage.client import Database
from tests.unit.docs.pages import DOCS, ROOT, codes, section, table

PAGE = (DOCS / "protocol.md").read_text(encoding="utf-8")

NOT_OF_THE_CONTRACT = {"/", "/{path}", "/schema/assets/{name}"}
"""The web client's and the interactive page's own files."""

Fields = dict[str, bool]
"""Name of a field, and whether it must be given."""


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Litestar]:
    """The whole application on a database that is never used."""
    nowhere = "mongodb://127.0.0.1:1"
    database = Database(AsyncMongoClient(nowhere, connect=False), AsyncIOMotorClient(nowhere), "docs", "epoch")
    yield create_app(Settings(data_dir=tmp_path), database)
    await database.close()


def fields_of(names: list[str]) -> Fields:
    return {name.rstrip("?"): not name.endswith("?") for name in names}


def struct_fields(struct: type[msgspec.Struct]) -> Fields:
    return {field.name: field.required for field in msgspec.structs.fields(struct) if field.name != "ref"}


def handlers(app: Litestar) -> Iterator[tuple[str, HTTPRouteHandler]]:
    for route in app.routes:
        if route.path_format not in NOT_OF_THE_CONTRACT:
            for handler in getattr(route, "route_handlers", ()):
                for method in handler.http_methods if isinstance(handler, HTTPRouteHandler) else ():
                    if method != "OPTIONS":
                        yield f"{method} {route.path_format}", handler


def routes_of_page() -> dict[str, list[str]]:
    return {codes(cells[0])[0]: cells for cells in table(section(PAGE, "Routes"))}


# ----------------------------------------------------------------------------------------------------------------- HTTP


async def test_routes(app: Litestar) -> None:
    assert sorted(routes_of_page()) == sorted(name for name, _ in handlers(app))


async def test_open_routes(app: Litestar) -> None:
    said = {name for name, cells in routes_of_page().items() if "*open*" in cells[0]}
    guarded = {name for name, handler in handlers(app) if " /api/" in name and handler.security != [{}]}
    assert said == {name for name, _ in handlers(app)} - guarded


async def test_what_routes_take(app: Litestar) -> None:
    document = corrected(app.openapi_schema.to_schema(), app)
    described = {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    wrong = {}
    for name, cells in routes_of_page().items():
        said = takes_of_page(cells[1])
        done = takes_of_operation(document, described.get(name, {}))
        if said != done:
            wrong[name] = (said, done)
    assert wrong == {}


def takes_of_page(cell: str) -> Fields:
    taken: Fields = {}
    for code in codes(cell):
        names = code.strip("{}").removeprefix("?").split(", ")
        taken |= fields_of(names)
    return taken


def takes_of_operation(document: dict[str, Any], operation: dict[str, Any]) -> Fields:
    taken: Fields = {
        parameter["name"]: parameter.get("required", False)
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    }
    content = operation.get("requestBody", {}).get("content", {})
    for media in content.values():
        references = re.findall(r"#/components/schemas/(\w+)", str(media["schema"]))
        assert len(references) == 1, media
        schema = document["components"]["schemas"][references[0]]
        taken |= {name: name in schema.get("required", ()) for name in schema["properties"]}
    return taken


def test_objects() -> None:
    said = {cells[0]: cells[1] for cells in table(section(PAGE, "Objects"))}
    for name, cell in said.items():
        named = fields_of(codes(cell))
        if cell.startswith("those of User"):
            named |= struct_fields(protocol.User)
        assert named == struct_fields(getattr(protocol, name)), name
    reachable = {name for name in vars(protocol) if re.search(rf"\b{name}s?\b", PAGE) and is_object(name)}
    assert reachable == set(said)


def is_object(name: str) -> bool:
    value = getattr(protocol, name)
    is_struct = isinstance(value, type) and issubclass(value, msgspec.Struct) and value is not msgspec.Struct
    return is_struct and not issubclass(value, protocol.ClientFrame | protocol.ServerFrame)


def error_classes(base: type[errors.ChatError]) -> Iterator[type[errors.ChatError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from error_classes(kind)


def test_error_codes() -> None:
    rows = {codes(code)[0]: (status, meaning) for code, status, meaning in table(section(PAGE, "Errors"))}
    known = {kind.code: kind.status for kind in error_classes(errors.ChatError) if kind.__module__ == errors.__name__}
    assert rows.keys() == known.keys()
    for code, (status, meaning) in rows.items():
        assert status == ("" if "WebSocket only" in meaning else str(int(known[code]))), code


# ------------------------------------------------------------------------------------------------------------ WebSocket


@pytest.mark.parametrize(
    ("heading", "union", "fields_at"),
    [("From the client", protocol.AnyClientFrame, 1), ("From the server", protocol.AnyServerFrame, 1)],
)
def test_frames(heading: str, union: Any, fields_at: int) -> None:
    said = {codes(cells[0])[0]: fields_of(codes(cells[fields_at])) for cells in table(section(PAGE, heading))}
    known = {frame.__struct_config__.tag: struct_fields(frame) for frame in get_args(union)}
    assert said == known


def test_answers() -> None:
    server = {frame.__struct_config__.tag: frame for frame in get_args(protocol.AnyServerFrame)}
    for type_, _, answer, _ in table(section(PAGE, "From the client")):
        if answer != "none":
            assert issubclass(server[codes(answer)[0]], protocol.AnswerFrame), type_


def test_no_other_frame_is_spoken_of() -> None:
    known = {
        frame.__struct_config__.tag
        for union in (protocol.AnyClientFrame, protocol.AnyServerFrame)
        for frame in get_args(union)
    }
    families = {tag.partition(".")[0] for tag in known if "." in tag}
    spoken_of = {code for code in codes(PAGE) if re.fullmatch(r"[a-z]+\.[a-z_]+", code)}
    assert {code for code in spoken_of if code.partition(".")[0] in families} <= known


def test_close_codes() -> None:
    said = [int(cells[0]) for cells in table(section(PAGE, "Closing"))]
    known = [value for name, value in vars(protocol).items() if name.startswith("CLOSE_")]
    assert said == sorted(known)


def test_names_of_the_subprotocols() -> None:
    named = {code for code in codes(section(PAGE, "WebSocket")) if code.startswith("chat.v")}
    assert named == {protocol.SUBPROTOCOL_JSON, protocol.SUBPROTOCOL_MSGPACK}


# ------------------------------------------------------------------------------------------------------------- promises


def test_every_promise_names_the_tests_that_hold_it() -> None:
    promises = re.split(r"^\d+\. \*\*", section(PAGE, "What is promised"), flags=re.MULTILINE)[1:]
    files = sorted((ROOT / "tests" / "promises").glob("test_*.py"))
    assert len(promises) == len(files)
    for promise, file in zip(promises, files, strict=True):
        assert f"](../tests/promises/{file.name})" in promise
        named = [code for code in codes(promise) if code.startswith("test_") and not code.endswith(".py")]
        assert len(named) >= 2, file.name
        written = set(re.findall(r"^async def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE))
        assert set(named) <= written, file.name
