"""Error texts for invalid bodies and frames, made from the errors of msgspec."""

import re

import msgspec

from chat_mvp.errors import ValidationError

_FIELD = re.compile(r" - at (?P<key>`key` in )?`\$\.?(?P<path>[^`]*)`$")
_ENTRY = "[...]"
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")


def invalid_field(error: msgspec.ValidationError) -> ValidationError:
    """Return the refusal that names the field a msgspec error is about."""
    text = str(error)
    found, missing = _FIELD.search(text), _MISSING.search(text)
    path = found["path"] if found else ""
    part = "a key" if found and found["key"] else "an entry" if path.endswith(_ENTRY) else ""
    path = path.removesuffix(_ENTRY)
    if missing:
        field, detail = f"{path}.{missing['name']}".lstrip("."), "is required"
    else:
        field, detail = path or "body", invalid_value(error)
        if part:
            detail = f"has {part} that {detail}"
    return ValidationError(f"{field} {detail}.", fields={field: detail})


def invalid_value(error: msgspec.ValidationError) -> str:
    """Return what a msgspec error says of a value, as the end of a sentence that begins with the field."""
    return in_words(str(error).partition(" - at `")[0])


_WORDS = (
    (re.compile(r"^Expected `str` of length >= 1$"), "must not be empty"),
    (re.compile(r"^Expected `str` of length >= (\d+)$"), r"must have at least \1 characters"),
    (re.compile(r"^Expected `str` of length <= (\d+)$"), r"must have at most \1 characters"),
    (re.compile(r"^Expected `str` matching regex .*$"), "does not have the right form"),
    (re.compile(r"^Expected `array` of length <= (\d+)$"), r"must have at most \1 items"),
    (re.compile(r"^Expected `array` of length >= (\d+)$"), r"must have at least \1 items"),
    (re.compile(r"^Expected `object` of length <= (\d+)$"), r"must have at most \1 entries"),
    (re.compile(r"^Expected `(?:int|float)` >= (\S+)$"), r"must be at least \1"),
    (re.compile(r"^Expected `(?:int|float)` <= (\S+)$"), r"must be at most \1"),
    (re.compile(r"^Expected `int`, got `float`$"), "must be a whole number"),
    (re.compile(r"^Expected `([^`]+)`, got `([^`]+)`$"), r"must be \1, not \2"),
    (re.compile(r"^Invalid enum value .*$"), "is not an allowed value"),
    (re.compile(r"^(?:Number|Integer value) out of range$"), "has a number that is too large"),
)
_TYPES = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list"}
_TYPES |= {"object": "an object", "null": "null", "None": "null"}


def in_words(message: str) -> str:
    """Return a msgspec message as the end of a sentence that begins with the field."""
    for pattern, words in _WORDS:
        if pattern.match(message):
            return re.sub(
                r"\w+", lambda word: _TYPES.get(word[0], word[0]), pattern.sub(words, message).replace(" | ", " or ")
            )
    return "is not allowed"
