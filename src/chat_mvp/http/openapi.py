"""What the OpenAPI document says about routes besides their types: who may call them, and which errors they return."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from litestar.openapi.datastructures import ResponseSpec

from chat_mvp.http.problems import MEDIA_TYPE, Problem

OPEN: Final[list[dict[str, list[str]]]] = [{}]
"""For a route's ``security=`` when it needs no token."""

_WHEN: Final[Mapping[int, str]] = {
    400: "The body is not JSON, or is nested too deeply (`bad_request`)",
    401: "There is no valid token, or it has expired (`unauthenticated`, `token_expired`)",
    403: "Not allowed (`forbidden`, `cannot_message`, `email_unverified`)",
    404: "It does not exist, or the caller may not see it (`not_found`)",
    409: "Conflicts with the current state (`conflict`, `username_taken`, `email_taken`, `full`)",
    413: "The body is over its limit (`too_large`)",
    415: "The content type of the body is not JSON (`unsupported_media_type`)",
    422: "A value is not allowed; `errors` names the fields (`validation`)",
    429: "Too many requests; see `Retry-After` and `retry_after_ms` (`rate_limited`)",
    503: "The server or its database cannot answer now; see `Retry-After` (`unavailable`)",
}


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """Return the errors of a route for its ``responses=``. Every route may also answer with 429 and 503."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            generate_examples=False,
            description=_WHEN.get(status, HTTPStatus(status).phrase),
            media_type=MEDIA_TYPE,
        )
        for status in (*statuses, 429, 503)
    }
