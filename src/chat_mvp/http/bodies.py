"""Request bodies: JSON, decoded strictly into the handler's ``data`` type, and refused with the right code.

Litestar's own decoding is lenient (a string of digits passes for a number) and stops at the first wrong type, so that
a body which is no JSON at all may look like a wrong type. ``JsonBodies`` replaces it for every handler at once.
"""

import re
from typing import Any, TypeVar

import msgspec
from litestar.dto import AbstractDTO
from litestar.openapi.spec import Reference, Schema
from litestar.plugins import SerializationPlugin
from litestar.typing import FieldDefinition

from chat_mvp.errors import BadRequestError, UnsupportedMediaTypeError
from chat_mvp.storable import check_storable, with_nuls_for_halves
from chat_mvp.validation_messages import invalid_field

_Body = TypeVar("_Body")

_JSON_TYPE = re.compile(r"application/(?:json|[a-z0-9!#$&^_.+-]+\+json)", re.IGNORECASE)
_NOT_JSON = "The body is no valid JSON."
_TOO_DEEP = "The body is nested too deeply."


def decode_body(raw: bytes, body_type: type[_Body]) -> _Body:
    """Return the body as an instance of its type; unknown fields are ignored.

    ``BadRequestError`` for what is no JSON or nested too deeply, ``ValidationError`` naming the field for a wrong
    type, a value over its limit, a NUL or a lone surrogate anywhere in what is kept.
    """
    try:
        body = msgspec.json.decode(raw, type=body_type)
    except msgspec.ValidationError as error:
        _check_is_json(with_nuls_for_halves(raw) or raw)
        raise invalid_field(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        mended = with_nuls_for_halves(raw)
        if mended is None:
            raise BadRequestError(_NOT_JSON) from None
        return decode_body(mended, body_type)
    except RecursionError:
        raise BadRequestError(_TOO_DEEP) from None
    if b"\\u0000" in raw:
        check_storable(msgspec.to_builtins(body, enc_hook=_nothing))
    return body


def check_is_json(content_type: str | None) -> None:
    """Raise ``UnsupportedMediaTypeError`` unless a body says that it is JSON.

    A page of another site can make a browser send any body without asking the server first, but not one of this type.
    """
    if _JSON_TYPE.fullmatch((content_type or "").partition(";")[0].strip()) is None:
        raise UnsupportedMediaTypeError("Send the body as JSON, with Content-Type: application/json.")


class JsonBodies(SerializationPlugin):
    """Litestar plugin: the ``data`` of every handler is decoded by ``decode_body``."""

    def supports_type(self, field_definition: FieldDefinition) -> bool:
        """Return whether this is a body made of a struct."""
        return field_definition.name == "data" and any(
            isinstance(kind, type) and issubclass(kind, msgspec.Struct) for kind in _kinds(field_definition)
        )

    def create_dto_for_type(self, field_definition: FieldDefinition) -> type[AbstractDTO[Any]]:
        """Return the decoder for this body's type."""
        return type("JsonBody", (_JsonBody,), {"model_type": field_definition.annotation})


class _JsonBody(AbstractDTO[Any]):
    def decode_bytes(self, value: bytes) -> Any:
        check_is_json(self.asgi_connection.headers.get("content-type"))
        return decode_body(value, self.model_type)

    @classmethod
    def create_for_field_definition(cls, *_: Any, **__: Any) -> None:
        """Need nothing made in advance."""

    @classmethod
    def is_supported_model_type_field(cls, _: FieldDefinition) -> bool:
        """Leave what handlers return alone."""
        return False

    @classmethod
    def create_openapi_schema(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,  # noqa: ARG003
        schema_creator: Any,
    ) -> Reference | Schema:
        """Describe the body by its own type."""
        schema: Reference | Schema = schema_creator.for_field_definition(field_definition)
        return schema


def _kinds(field_definition: FieldDefinition) -> list[Any]:
    return [field_definition.annotation, *(inner.annotation for inner in field_definition.inner_types)]


def _nothing(_: object) -> None:
    # What stays encoded is decoded, and looked at, by the service that knows how long it may be.
    return None


def _check_is_json(raw: bytes) -> None:
    # A wrong type is noticed before the rest is read; only JSON can be of a wrong type. The rest is not built.
    try:
        raw.decode()
        msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRequestError(_NOT_JSON) from None
    except RecursionError:
        raise BadRequestError(_TOO_DEEP) from None
