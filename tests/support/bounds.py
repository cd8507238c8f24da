"""Find what has no limit in a JSON Schema: texts, lists, numbers and objects of any size."""

from collections.abc import Iterator
from typing import Any

BOUNDED_BY_THEMSELVES = {"boolean", "null"}
_BOUNDS = {"string": ("maxLength",), "array": ("maxItems",), "integer": ("minimum", "maximum")}
_BOUNDS["number"] = _BOUNDS["integer"]


def unbounded(document: dict[str, Any], schema: dict[str, Any], path: str) -> Iterator[str]:
    """Yield the places in a schema, and in all it refers to, that have no bound. Schemas here do not recur."""
    if "$ref" in schema:
        target: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        yield from unbounded(document, target, path)
    elif choices := [choice for word in ("anyOf", "oneOf", "allOf") for choice in schema.get(word, ())]:
        for number, choice in enumerate(choices):
            yield from unbounded(document, choice, f"{path}|{number}")
    elif "enum" not in schema and "const" not in schema:
        kinds = schema.get("type")
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            yield from _unbounded_kind(document, schema, kind, path)


def _unbounded_kind(document: dict[str, Any], schema: dict[str, Any], kind: Any, path: str) -> Iterator[str]:
    if kind in BOUNDED_BY_THEMSELVES:
        return
    if kind in _BOUNDS:
        yield from (f"{path}: {kind} without {bound}" for bound in _BOUNDS[kind] if bound not in schema)
        if kind == "array":
            yield from unbounded(document, schema.get("items", {}), f"{path}[]")
        return
    if kind != "object":
        yield f"{path}: anything"
        return
    for name, inner in schema.get("properties", {}).items():
        yield from unbounded(document, inner, f"{path}.{name}")
    if "properties" in schema and not schema.get("additionalProperties"):
        # What has no name here is not kept.
        return
    if "maxProperties" not in schema:
        yield f"{path}: object without maxProperties"
    if isinstance(schema.get("additionalProperties"), dict):
        yield from unbounded(document, schema["additionalProperties"], f"{path}.*")
    if "propertyNames" in schema:
        yield from unbounded(document, {"type": "string"} | schema["propertyNames"], f"{path} key")


def unbounded_requests(openapi: dict[str, Any]) -> list[str]:
    """Return what has no bound in the parameters and bodies that an OpenAPI document describes."""
    found: list[str] = []
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            name = f"{method} {path}"
            for parameter in operation.get("parameters", ()):
                found += unbounded(openapi, parameter["schema"], f"{name} {parameter['name']}")
            for content in operation.get("requestBody", {}).get("content", {}).values():
                found += unbounded(openapi, content["schema"], f"{name} body")
    return found


def unbounded_frames(asyncapi: dict[str, Any]) -> list[str]:
    """Return what has no bound in the frames from a client that an AsyncAPI document describes."""
    found: list[str] = []
    for reference in asyncapi["operations"]["receiveFromClient"]["messages"]:
        name = reference["$ref"].rsplit("/", 1)[-1]
        found += unbounded(asyncapi, asyncapi["components"]["messages"][name]["payload"], name)
    return found
