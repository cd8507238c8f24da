"""Logging: structlog, and the standard library's logging of other packages through the same renderer.

Secrets are not logged: values whose names say that they are secret are replaced, and so are credentials inside texts.
"""

import asyncio
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog

HIDDEN = "***"

_SECRET_NAME = re.compile(r"(?i)passw|secret|token|authorization|cookie|credential|api_?key|private_?key")
# Names of values that identify a secret but are not secret.
_NAMED_SAFELY = frozenset({"token_expires_in", "access_token_minutes", "refresh_token_days"})
_SECRET_TEXTS = (
    (re.compile(r"(?<=://)[^\s/@]*:[^\s/@]*(?=@)"), HIDDEN),  # user:password in an address
    (re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]+"), rf"\g<1>{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),  # a JSON web token anywhere in a text
)

# At "info" these loggers write what operators do not need: each handshake, each command to the database.
_QUIETER = ("uvicorn", "uvicorn.error", "uvicorn.access", "websockets", "pymongo", "httpx", "httpcore", "asyncio")


def configure_logs(
    *,
    shape: Literal["console", "json"],
    level: Literal["debug", "info", "warning", "error"],
    stream: TextIO | None = None,
) -> None:
    """Write all log entries of this process to ``stream`` (standard error), as one line or JSON object each.

    This replaces an earlier configuration, so it may be called again.
    """
    out = sys.stderr if stream is None else stream
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if shape == "json":
        rendering += [
            structlog.processors.format_exc_info,
            hide_secrets,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=plain)
        rendering += [hide_secrets, renderer]
    handler = logging.StreamHandler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=rendering))
    handler.addFilter(_without_needless_traceback)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
    for name in _QUIETER:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace every value that is, or contains, a secret."""
    for name, value in event.items():
        event[name] = _hidden(name, value)
    return event


def _hidden(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name) and name not in _NAMED_SAFELY and value is not None:
        return HIDDEN
    if isinstance(value, str):
        for pattern, replacement in _SECRET_TEXTS:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, dict):
        return {key: _hidden(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden("", inner) for inner in value]
    return value


def _without_needless_traceback(record: logging.LogRecord) -> bool:
    """Remove the traceback that uvicorn logs although the server made no mistake.

    There are two cases. The client sent a text frame that is not UTF-8: it gets 1007. Or a request was cancelled when
    the server stopped, because it waited for a database that hangs: uvicorn reports this in the line before.
    """
    error = record.exc_info[1] if record.exc_info else None
    is_cut_off = isinstance(error, asyncio.CancelledError)
    if record.name == "uvicorn.error" and (is_cut_off or "Invalid UTF-8" in record.getMessage()):
        record.levelno, record.levelname, record.exc_info = logging.WARNING, "WARNING", None
    return True
