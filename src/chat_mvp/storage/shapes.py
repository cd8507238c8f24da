"""Checks documents from a backup against what this program stores in a collection."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from beanie import PydanticObjectId
from bson import ObjectId, decode
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from pydantic import BaseModel, ConfigDict, Field, InstanceOf, ValidationError, create_model

from chat_mvp.protocol import ChosenPresence
from chat_mvp.storage.folding import fold_name
from chat_mvp.storage.schema import DOCUMENTS

_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
_ID = "_id"
_WHOLE_DOCUMENT = "the document"


def wrong_field(collection: str, document: bytes) -> str | None:
    """Return the name of a field that is missing or has a value that a server never stores there, or ``None``."""
    try:
        value = decode(document, _OPTIONS)
    except BSONError:
        # Also finds texts that are not UTF-8, and times outside the years 1 to 9999, which no server can read.
        return _WHOLE_DOCUMENT
    try:
        _shape_of_collection(collection).model_validate(value)
    except ValidationError as error:
        where = error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
        return str(where[0]) if where else _WHOLE_DOCUMENT
    return next((field for field, fits in _RULES.get(collection, {}).items() if not fits(value)), None)


def _is_json_object(text: str) -> bool:
    try:
        msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return True


def _is_pair(conversation: Mapping[str, Any]) -> bool:
    key = conversation["direct_key"]
    return key is None if conversation["kind"] != "direct" else _PAIR.fullmatch(key or "") is not None


_PAIR = re.compile(r"[0-9a-f]{24}:[0-9a-f]{24}")
_RULES: dict[str, dict[str, Callable[[Mapping[str, Any]], bool]]] = {
    "users": {
        "username_folded": lambda user: user["username_folded"] == fold_name(user["username"]),
        "email_folded": lambda user: user["email_folded"] == fold_name(user["email"]),
        "presence": lambda user: user.get("presence", "online") in get_args(ChosenPresence),
        "profile_json": lambda user: _is_json_object(user.get("profile_json", "{}")),
        "settings_json": lambda user: _is_json_object(user.get("settings_json", "{}")),
    },
    "conversations": {"direct_key": _is_pair},
}
"""What the types do not say, by the name of the field that breaks the rule."""


@cache
def _shape_of_collection(collection: str) -> type[BaseModel]:
    document = DOCUMENTS[collection]
    key = document.model_fields["id"].annotation
    # Beanie allows the key of most documents to be missing until they are stored.
    key = key if isinstance(key, type) else PydanticObjectId
    return _shape(document, id=(_stored(key), Field(alias=_ID)))


def _shape(model: type[BaseModel], **keys: Any) -> type[BaseModel]:
    """Return a model of the same fields that converts no values, so that each value must have the exact type."""
    fields: dict[str, Any] = {
        name: (_stored(field.annotation), ... if field.is_required() else field.get_default(call_default_factory=True))
        for name, field in model.model_fields.items()
        if name not in {"id", "revision_id"}
    }
    config = ConfigDict(strict=True, extra=model.model_config.get("extra", "ignore"))
    return create_model(f"{model.__name__}Shape", __config__=config, **fields, **keys)


def _stored(annotation: Any) -> Any:
    """Return the type with models replaced by their strict models, and ids by ObjectIds instead of texts."""
    if annotation is PydanticObjectId:
        return InstanceOf[ObjectId]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _shape(annotation)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is None or origin is Literal:
        return annotation
    inner = tuple(_stored(part) for part in parts)
    return Union[inner] if origin in {Union, UnionType} else origin[inner]  # noqa: UP007
