"""JSON Schemas of the structs, by name, as both documents use them."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

REF_TEMPLATE = "#/components/schemas/{name}"
_PAGE = re.compile(r"Page_(?:[\w.]*\.)?(\w+)_$")


def component_schemas(types: Iterable[Any]) -> dict[str, Any]:
    """Return the schemas of these structs and of all structs inside them."""
    _, components = msgspec.json.schema_components(types, schema_hook=_any_json, ref_template=REF_TEMPLATE)
    return {name: _presented(schema, name) for name, schema in rename_pages(components).items()}


def rename_pages(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with ``UserPage`` instead of the generated name of ``Page[User]``, everywhere."""

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {_PAGE.sub(r"\1Page", key): renamed(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [renamed(inner) for inner in value]
        return _PAGE.sub(r"\1Page", value) if isinstance(value, str) else value

    result: dict[str, Any] = renamed(document)
    return result


def _presented(schema: dict[str, Any], name: str) -> dict[str, Any]:
    # Docstrings quote names as reStructuredText does. Readers of the documents expect Markdown.
    description = schema.get("description", "").replace("``", "`")
    return schema | {"title": name} | ({"description": description} if description else {})


def _any_json(kind: Any) -> dict[str, Any]:
    if kind is object:
        return {"description": "Any JSON value"}
    raise NotImplementedError(kind)
