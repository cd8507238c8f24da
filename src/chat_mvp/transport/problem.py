"""RFC 9457 problem documents as bytes. Every refusal over HTTP has this form."""

import math
from email.utils import formatdate
from http import HTTPStatus
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, UnsetType

from chat_mvp.errors import ChatError
from chat_mvp.transport.headers import SECURITY_HEADERS

MEDIA_TYPE: Final = "application/problem+json"


class FieldProblem(msgspec.Struct):
    """The problem with one field."""

    field: str
    detail: str


class Problem(msgspec.Struct, omit_defaults=False):
    """An RFC 9457 problem document. ``code`` is stable. ``detail`` is one sentence for a user."""

    type: Annotated[str, msgspec.Meta(description="Always about:blank", examples=["about:blank"])]
    title: Annotated[str, msgspec.Meta(examples=["Conflict"])]
    status: Annotated[int, msgspec.Meta(examples=[409])]
    code: Annotated[str, msgspec.Meta(examples=["username_taken"])]
    detail: Annotated[str, msgspec.Meta(examples=["This username is taken."])]
    errors: list[FieldProblem]
    retry_after_ms: Annotated[int, msgspec.Meta(description="When to try again, if that can help")] | UnsetType = UNSET


def problem_of(error: ChatError) -> Problem:
    """Return the problem document of an error."""
    return Problem(
        type="about:blank",
        title=error.title,
        status=error.status,
        code=error.code,
        detail=error.detail,
        errors=[FieldProblem(field, detail) for field, detail in error.fields.items()],
        retry_after_ms=UNSET if error.retry_after_ms is None else error.retry_after_ms,
    )


def problem_headers(error: ChatError) -> dict[str, str]:
    """Return the headers of an error: ``Retry-After`` in whole seconds if a retry can help."""
    headers = {"Cache-Control": "no-store"}
    if error.retry_after_ms is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after_ms / 1000))
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return headers


def whole_problem(error: ChatError) -> tuple[dict[str, str], bytes]:
    """Return all headers and the body of an answer that is sent without the framework."""
    content = msgspec.json.encode(problem_of(error))
    headers = SECURITY_HEADERS | problem_headers(error)
    headers |= {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(content)), "Connection": "close"}
    return headers, content


def last_answer(error: ChatError) -> bytes:
    """Return a complete HTTP/1.1 answer with this error, for a connection that ends with it."""
    headers, content = whole_problem(error)
    headers["Date"] = formatdate(usegmt=True)
    lines = [f"HTTP/1.1 {error.status} {error.title}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + content
