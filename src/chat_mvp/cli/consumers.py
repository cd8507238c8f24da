"""``chat-mvp consumers``: how far the consumers of events are, and what they could not handle."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple, TypeVar

from chat_mvp.characters import escaped
from chat_mvp.cli.backend import shared_address
from chat_mvp.cli.output import complain, print_json, print_line, print_table, printable
from chat_mvp.http.params import is_id
from chat_mvp.ops.logs import configure_logs
from chat_mvp.settings import Settings
from chat_mvp.storage.consumers import ConsumerRecord, Consumers, SetAsideEvent, open_consumers
from chat_mvp.times import format_optional, format_time, utc_now

MAX_SHOWN = 1_000
EXIT_NOT_FOUND = 1
HEADINGS = ("Name", "State", "Lag (s)", "Owner", "Handled", "Failed", "Set aside", "Last error", "Up to")

_Result = TypeVar("_Result")


class _Shown(NamedTuple):
    consumer: ConsumerRecord
    oldest_unhandled: datetime | None
    set_aside: int


def run_list(settings: Settings, *, as_json: bool) -> int:
    """Show the consumers and return the exit code."""
    found = _run(settings, _fetch)
    if as_json:
        print_json([_described(it) for it in found])
    elif not found:
        print_line("There are no consumers.")
    else:
        rows = [tuple("" if value is None else str(value) for value in _described(it).values()) for it in found]
        print_table(HEADINGS, rows)
    return 0


def run_set_aside(settings: Settings, *, as_json: bool) -> int:
    """Show the events that were set aside and return the exit code."""
    found = _run(settings, lambda consumers: consumers.fetch_set_aside(limit=MAX_SHOWN))
    if as_json:
        print_json([_described_event(entry) for entry in found])
    elif not found:
        print_line("No events are set aside.")
    else:
        rows = [tuple(str(value) for value in _described_event(entry).values()) for entry in found]
        print_table(("ID", "Consumer", "At", "Retry", "Error", "Event"), rows)
    return 0


def run_retry(settings: Settings, event_id: str) -> int:
    """Ask for another attempt at an event and return the exit code."""
    return _change(settings, event_id, lambda consumers: consumers.retry_set_aside(event_id), "will be tried again")


def run_remove(settings: Settings, event_id: str) -> int:
    """Forget an event and return the exit code."""
    return _change(settings, event_id, lambda consumers: consumers.remove_set_aside(event_id), "was removed")


def run_forget(settings: Settings, name: str) -> int:
    """Remove what is stored of a consumer and return the exit code."""
    if not _run(settings, lambda consumers: consumers.forget(name)):
        complain(f"There is no consumer {printable(name)}, or a server feeds it now.")
        return EXIT_NOT_FOUND
    print_line(f"Consumer {printable(name)} was forgotten.")
    return 0


def _change(settings: Settings, event_id: str, change: Callable[[Consumers], Awaitable[bool]], done: str) -> int:
    if not is_id(event_id) or not _run(settings, change):
        complain(f"No event {printable(event_id)} is set aside; chat-mvp consumers set-aside lists those that are.")
        return EXIT_NOT_FOUND
    print_line(f"Event {event_id} {done}.")
    return 0


async def _fetch(consumers: Consumers) -> list[_Shown]:
    set_aside = await consumers.count_set_aside()
    return [
        _Shown(record, await consumers.fetch_oldest_unhandled(record), set_aside.get(record.name, 0))
        for record in await consumers.fetch()
    ]


def _run(settings: Settings, work: Callable[[Consumers], Awaitable[_Result]]) -> _Result:
    configure_logs(shape="console", level="error")
    return asyncio.run(_with_consumers(settings, work))


async def _with_consumers(settings: Settings, work: Callable[[Consumers], Awaitable[_Result]]) -> _Result:
    async with shared_address(settings) as address, open_consumers(address.uri, settings.mongo_database) as consumers:
        return await work(consumers)


def _described(shown: _Shown) -> dict[str, str | int | float | None]:
    consumer, oldest = shown.consumer, shown.oldest_unhandled
    lag_s = 0.0 if oldest is None else max(0.0, (utc_now() - oldest).total_seconds())
    failing = consumer.failing_since is not None
    return {
        "name": printable(consumer.name),
        "state": "failing" if failing and consumer.is_owned else consumer.state,
        "lag_s": round(lag_s, 1),
        "owner": printable(consumer.owner or "") if consumer.is_owned else None,
        "handled": consumer.handled,
        "failed": consumer.failed,
        "set_aside": shown.set_aside,
        "error": None if consumer.error is None else escaped(consumer.error),
        "handled_up_to": format_optional(consumer.at),
    }


def _described_event(entry: SetAsideEvent) -> dict[str, str | bool]:
    return {
        "id": entry.id,
        "consumer": printable(entry.consumer),
        "at": format_time(entry.at),
        "retry": entry.retry,
        "error": escaped(entry.error),
        "event": escaped(entry.event),
    }
