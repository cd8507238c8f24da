"""Request bodies: JSON, decoded strictly into the handler's ``data`` type, and refused with the right code.

Litestar's own decoding is lenient (it accepts a string of digits as a number). It also stops at the first wrong type,
so a body that is not JSON may look like a wrong type. ``JsonBodies`` replaces it for all handlers.
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
_NOT_JSON = "The body is not valid JSON."
_TOO_DEEP = "The body is nested too deeply."


def decode_body(raw: bytes, body_type: type[_Body]) -> _Body:
    """Return the body as an instance of its type. Unknown fields are ignored.

    ``BadRequestError`` for a body that is not JSON or is nested too deeply. ``ValidationError`` that names the field
    for a wrong type, a value over its limit, or a NUL or lone surrogate anywhere in the kept fields.
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
    """Raise ``UnsupportedMediaTypeError`` unless the content type of the body is JSON.

    A page of another site can make a browser send any body without asking the server first, except one of this type.
    """
    if _JSON_TYPE.fullmatch((content_type or "").partition(";")[0].strip()) is None:
        raise UnsupportedMediaTypeError("Send the body as JSON, with Content-Type: application/json.")


class JsonBodies(SerializationPlugin):
    """Litestar plugin: decodes the ``data`` of every handler with ``decode_body``."""

    def supports_type(self, field_definition: FieldDefinition) -> bool:
        """Return whether the type of this body is a struct."""
        return field_definition.name == "data" and any(
            isinstance(kind, type) and issubclass(kind, msgspec.Struct) for kind in _kinds(field_definition)
        )

    def create_dto_for_type(self, field_definition: FieldDefinition) -> type[AbstractDTO[Any]]:
        """Return the decoder for the type of this body."""
        return type("JsonBody", (_JsonBody,), {"model_type": field_definition.annotation})


class _JsonBody(AbstractDTO[Any]):
    def decode_bytes(self, value: bytes) -> Any:
        check_is_json(self.asgi_connection.headers.get("content-type"))
        return decode_body(value, self.model_type)

    @classmethod
    def create_for_field_definition(cls, *_: Any, **__: Any) -> None:
        """Do nothing: no preparation is needed."""

    @classmethod
    def is_supported_model_type_field(cls, _: FieldDefinition) -> bool:
        """Return false: the results of handlers are not changed."""
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
    # The service that knows the maximum length decodes and checks fields that stay encoded.
    return None


def _check_is_json(raw: bytes) -> None:
    # A wrong type is detected before the rest is read. Only JSON can have a wrong type. The rest is not built.
    try:
        raw.decode()
        msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRequestError(_NOT_JSON) from None
    except RecursionError:
        raise BadRequestError(_TOO_DEEP) from None
