"""The description of the HTTP interface: OpenAPI at /schema/openapi.json, and what routes say of their refusals."""

from collections.abc import Mapping
from http import HTTPStatus

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme, Tag

from chat_mvp.http.problems import Problem

_WHEN: Mapping[int, str] = {
    400: "The body is no JSON, or is nested too deeply (`bad_request`)",
    401: "Not, or no longer, signed in (`unauthenticated`, `token_expired`)",
    403: "Not allowed (`forbidden`, `cannot_message`, `email_unverified`)",
    404: "There is no such thing, or the caller may not know it (`not_found`)",
    409: "Does not fit the present state (`conflict`, `username_taken`, `email_taken`, `full`)",
    413: "The body is over 1 MiB (`too_large`)",
    422: "A value is not allowed; `errors` names the fields (`validation`)",
    429: "Too often; see `Retry-After` (`rate_limited`)",
    503: "The database cannot answer just now; see `Retry-After` (`unavailable`)",
}

DESCRIPTION = """\
Chat over HTTP. Everything that happens live happens on the WebSocket at `/ws`, which `/schema/asyncapi.json` describes.

Sign in with `POST /api/v1/auth/login` and send the access token as `Authorization: Bearer …`. Errors are problem
documents (RFC 9457) with a stable `code`. Lists come in pages: pass `next` back as `cursor`. Times are RFC 3339 in UTC
with milliseconds; ids are 24 hexadecimal digits.
"""
_TAGS = (
    ("accounts", "Registering, signing in and out"),
    ("users", "Profiles, and finding people"),
    ("contacts", "Contact list and block list"),
    ("conversations", "Direct conversations and groups"),
    ("messages", "History and sending"),
    ("health", "Whether the server lives and is ready"),
)


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """Return, for a route's ``responses=``, the refusals it may answer with."""
    return {
        status: ResponseSpec(
            data_container=Problem,
            generate_examples=False,
            description=_WHEN.get(status, HTTPStatus(status).phrase),
            media_type="application/problem+json",
        )
        for status in statuses
    }


def openapi_config(version: str) -> OpenAPIConfig:
    """Return what ``Litestar(openapi_config=…)`` needs to describe the interface of this version."""
    return OpenAPIConfig(
        title="chat-mvp",
        version=version,
        description=DESCRIPTION,
        path="/schema",
        tags=[Tag(name=name, description=description) for name, description in _TAGS],
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        security=[{"bearer": []}],
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer", description="An access token from signing in"),
            }
        ),
        use_handler_docstrings=True,
        render_plugins=[JsonRenderPlugin()],
    )


OPEN: list[dict[str, list[str]]] = [{}]
"""For a route's ``security=`` when it needs no token."""
