"""``chat-mvp events``: committed events, for people who look for what happened and for scripts."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import to_builtins

from chat_mvp.characters import escaped
from chat_mvp.cli.backend import shared_address
from chat_mvp.cli.output import print_line, printable
from chat_mvp.errors import StartupError
from chat_mvp.events.codec import type_of
from chat_mvp.events.types import AnyEvent, Event
from chat_mvp.ops.logs import configure_logs
from chat_mvp.settings import Settings
from chat_mvp.storage.event_stream import CursorLostError, fetch_newest_events, open_event_stream
from chat_mvp.storage.events import open_events
from chat_mvp.times import format_time

MAX_SUMMARY_CHARS = 80
MAX_EVENTS = 100
_WAIT_S = 1.0


def run_tail(settings: Settings, types: Sequence[str], *, follow: bool, limit: int, as_json: bool) -> int:
    """Show events until Ctrl-C, or those that are stored, and return the exit code."""
    known = sorted(type_of(event_type) for event_type in AnyEvent.__args__)
    for name in types:
        if name not in known:
            raise StartupError(
                f"There is no type of events called {printable(name)}.", remedy=f"Choose from {', '.join(known)}."
            )
    configure_logs(shape="console", level="error")
    try:
        asyncio.run(_tail(settings, types, follow=follow, limit=limit, as_json=as_json))
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        # The program that reads the output has ended. Python would report this again when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


async def _tail(settings: Settings, types: Sequence[str], *, follow: bool, limit: int, as_json: bool) -> None:
    wanted = list(types) or None

    def show(at: datetime, events: Sequence[Event], unknown: Sequence[str]) -> None:
        for event in events:
            if wanted is None or type_of(event) in wanted:
                print_line(_as_json(at, event) if as_json else _as_line(at, event))
        for text in unknown if wanted is None else ():
            print_line(json.dumps({"at": format_time(at), "unknown": text}) if as_json else _unknown(at, text))

    async with (
        shared_address(settings) as address,
        open_events(address.uri, settings.mongo_database) as collections,
        open_event_stream(collections, wanted) as stream,
    ):
        # The stream is open: what is committed from here on comes from it, and some of it is among the newest too.
        newest = await fetch_newest_events(collections, wanted, limit=limit)
        for logged in newest:
            show(logged.at, logged.events, logged.unknown)
        shown = {logged.id for logged in newest}
        while follow:
            try:
                found = await stream.fetch(limit=MAX_EVENTS, within_s=_WAIT_S)
            except CursorLostError as error:
                raise StartupError(f"{error}", remedy="Start the command again.") from error
            for stored in found:
                if stored.id not in shown:
                    show(stored.at, stored.events, stored.unknown)


def _as_json(at: datetime, event: Event) -> str:
    # Everything beyond ASCII is escaped, so that no text steers the terminal.
    return json.dumps({"at": format_time(at), **to_builtins(event)})


def _as_line(at: datetime, event: Event) -> str:
    fields: dict[str, Any] = to_builtins(event)
    message = fields.get("message")
    inner = message or fields.get("conversation") or {}
    conversation = fields.pop("conversation_id", None) or inner.get("conversation_id") or inner.get("id") or "-"
    if message is not None:
        change = f"{fields['change']} " if "change" in fields else ""
        summary = f"{change}{message['seq']} {message['sender_id']}: {message['text']}"
    else:
        summary = " ".join(f"{name}={_short(value)}" for name, value in fields.items() if name != "type")
    return "\t".join((format_time(at), type_of(event), conversation, _cut(summary)))


def _unknown(at: datetime, text: str) -> str:
    return "\t".join((format_time(at), "unknown", "-", _cut(text)))


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("id") or value.get("user_id") or ",".join(value))
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _cut(text: str) -> str:
    line = escaped(" ".join(text.split()))
    return line if len(line) <= MAX_SUMMARY_CHARS else f"{line[: MAX_SUMMARY_CHARS - 1]}…"
