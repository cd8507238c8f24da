"""The OpenAPI document of the HTTP interface, and the configuration that serves it with its page.

Litestar finds the routes. This module corrects three things: Litestar describes bodies without the limits of their
types, adds an error with a form of its own to every route with parameters, and declares every body as required.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Litestar, Request, Router
from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme, Tag
from litestar.types import ControllerRouterHandler
from litestar.types.internal_types import PathParameterDefinition
from litestar.typing import FieldDefinition

from chat_mvp.http.problems import MEDIA_TYPE, Problem
from chat_mvp.http.router import API_PATH
from chat_mvp.spec.asyncapi import asyncapi_document
from chat_mvp.spec.page import POLICY, SchemaPage
from chat_mvp.spec.schemas import component_schemas, rename_pages

PATH = "/schema"
DESCRIPTION = """\
Chat over HTTP. Live events use the WebSocket at `/ws`, which `/schema/asyncapi.json` describes.

Sign in with `POST /api/v1/auth/login` and send the access token as `Authorization: Bearer …`. Errors are problem
documents (RFC 9457) with a stable `code`. Lists come in pages: pass `next` back as `cursor`. Times are RFC 3339 in UTC
with milliseconds; ids are 24 hexadecimal digits.
"""
_TAGS = (
    ("accounts", "Registering, signing in and out"),
    ("users", "Profiles, and finding users"),
    ("contacts", "Contact list and block list"),
    ("conversations", "Direct conversations and groups"),
    ("messages", "History and sending"),
    ("operation", "Health and metrics"),
)
_PREFIX = frozenset(API_PATH.strip("/").split("/"))
_WORD = re.compile(r"[a-z0-9]+", re.IGNORECASE)
_ADDED_BY_LITESTAR = "400"
"""The status that Litestar adds to every route with parameters, with a form that this server never sends."""
_DONE = {"200": "The answer", "201": "Made", "204": "Done. The answer has no body"}


def openapi_config(version: str) -> OpenAPIConfig:
    """Return the value for ``Litestar(openapi_config=…)`` that serves both documents and the page under ``/schema``."""
    return OpenAPIConfig(
        title="chat-mvp",
        version=version,
        description=DESCRIPTION,
        tags=[Tag(name=name, description=description) for name, description in _TAGS],
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        security=[{"bearer": []}],
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer", description="The access token of a sign-in"),
            }
        ),
        use_handler_docstrings=True,
        operation_id_creator=_operation_id,
        openapi_router=_SchemaRouter(
            path=PATH,
            route_handlers=[],
            include_in_schema=False,
            response_headers={"Content-Security-Policy": POLICY},
        ),
        render_plugins=[SchemaPage(), _OpenAPIDocument(), _AsyncAPIDocument(version)],
    )


class _SchemaRouter(Router):
    def register(self, value: ControllerRouterHandler) -> list[Any]:
        # Litestar adds its own page for invalid paths below /schema. This server answers with problem documents.
        if isinstance(value, HTTPRouteHandler) and "/{path:str}" in value.paths:
            return []
        return super().register(value)


class _OpenAPIDocument(OpenAPIRenderPlugin):
    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=MediaType.JSON)
        self._encoded: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if self._encoded is None:
            self._encoded = msgspec.json.encode(corrected(openapi_schema, request.app))
        return self._encoded


class _AsyncAPIDocument(OpenAPIRenderPlugin):
    def __init__(self, version: str) -> None:
        super().__init__(path="/asyncapi.json", media_type=MediaType.JSON)
        self._encoded = msgspec.json.encode(asyncapi_document(version))

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        return self._encoded


def corrected(document: dict[str, Any], app: Litestar) -> dict[str, Any]:
    """Return the application's corrected OpenAPI document."""
    document = rename_pages(document)
    structs: list[Any] = [Problem]
    for path, method, handler in _handlers(app):
        operation = document["paths"].get(path, {}).get(method)
        if operation is not None:
            _correct_operation(operation, handler)
            for field in (handler.parsed_data_field, handler.parsed_return_field):
                structs += _structs(field)
    document["components"]["schemas"] |= component_schemas(structs)
    return document


def _handlers(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler):
                for method in handler.http_methods:
                    yield route.path_format, method.lower(), handler


def _structs(field: FieldDefinition | None) -> Iterator[Any]:
    if field is None:
        return
    if field.is_subclass_of(msgspec.Struct):
        yield field.annotation
        return
    for inner in field.inner_types:
        yield from _structs(inner)


def _correct_operation(operation: dict[str, Any], handler: HTTPRouteHandler) -> None:
    responses = operation["responses"]
    for status, response in list(responses.items()):
        if status in _DONE:
            response["description"] = _DONE[status]
        elif status == _ADDED_BY_LITESTAR and MEDIA_TYPE not in response.get("content", {}):
            del responses[status]
    responses["default"] = {
        "description": "Any other error; see `code`",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    data = handler.parsed_data_field
    if data is not None and "requestBody" in operation:
        operation["requestBody"]["required"] = not (data.is_optional or data.has_default)
    for parameter in operation.get("parameters", ()):
        _correct_parameter(parameter)


def _correct_parameter(parameter: dict[str, Any]) -> None:
    for flag in ("deprecated", "allowEmptyValue", "allowReserved"):
        if parameter.get(flag) is False:
            del parameter[flag]
    schema = parameter["schema"]
    # A URL has no null: an optional parameter is left out.
    kinds = [kind for kind in schema.get("oneOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        del schema["oneOf"]
        schema |= kinds[0]
    schema.pop("description", None)


def _operation_id(_: HTTPRouteHandler, method: str, path: list[str | PathParameterDefinition]) -> str:
    """Return a name made of method and path, such as ``putContactsByUserIdBlock``, which is therefore unique."""
    words = [part if isinstance(part, str) else f"by-{part.name}" for part in path]
    camel = "".join(word.title() for part in words for word in _WORD.findall(part) if part not in _PREFIX)
    return method.lower() + camel
