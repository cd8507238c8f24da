"""The search for values without a limit finds them. A contract test does the search in the documents of a server."""

from typing import Any

import pytest

from chat_mvp.spec.asyncapi import asyncapi_document
from tests.support.bounds import unbounded, unbounded_frames, unbounded_requests

TEXT = {"type": "string", "maxLength": 5}
NUMBER = {"type": "integer", "minimum": 0, "maximum": 9}


@pytest.mark.parametrize(
    "schema",
    [
        TEXT,
        NUMBER,
        {"enum": ["a", "b"]},
        {"const": 5},
        {"type": "boolean"},
        {"anyOf": [TEXT, {"type": "null"}]},
        {"type": "array", "maxItems": 2, "items": TEXT},
        {"type": "object", "properties": {"a": TEXT}},
        {"type": "object", "maxProperties": 5, "additionalProperties": NUMBER, "propertyNames": TEXT},
        {"$ref": "#/here/name"},
        {"type": ["string", "null"], "maxLength": 5},
    ],
)
def test_what_has_an_end(schema: dict[str, Any]) -> None:
    assert list(unbounded({"here": {"name": TEXT}}, schema, "x")) == []


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {"type": "string", "format": "date-time"},
        {"type": "integer", "minimum": 0},
        {"type": "integer", "maximum": 0},
        {"type": "number"},
        {"anyOf": [TEXT, {"type": "string"}]},
        {"type": "array", "items": TEXT},
        {"type": "array", "maxItems": 2},
        {"type": "array", "maxItems": 2, "items": {"type": "string"}},
        {"type": "object"},
        {"type": "object", "additionalProperties": TEXT},
        {"type": "object", "properties": {"a": {"type": "string"}}},
        {"type": "object", "maxProperties": 5, "propertyNames": {"type": "string"}},
        {"type": ["string", "null"]},
        {"$ref": "#/here/name"},
    ],
)
def test_what_has_none(schema: dict[str, Any]) -> None:
    document = {"here": {"name": {"type": "string"}}}
    assert list(unbounded(document, schema, "x"))
    content = {"application/json": {"schema": schema}}
    described = {
        "/body": {"post": {"requestBody": {"content": content}}},
        "/parameter": {"get": {"parameters": [{"name": "p", "schema": schema}]}},
    }
    assert {line.split()[1] for line in unbounded_requests({"paths": described} | document)} == {"/body", "/parameter"}


def test_every_frame_of_a_client_has_an_end() -> None:
    assert unbounded_frames(asyncapi_document("1.2.3")) == []
