"""The ``events`` collection, as plain documents: one for all events of a transaction, written by that transaction.

``event_stream.py`` reads them in the order of the commits. They are removed after ``event_ttl_days``.
"""

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from datetime import datetime

from bson import ObjectId

from chat_mvp.events.codec import EncodedEvent, encode_event, join_events
from chat_mvp.events.types import Event
from chat_mvp.storage.beside import open_beside
from chat_mvp.storage.client import STREAM_TIMEOUT_MS, Collections, RawDocument


def event_document(events: Iterable[Event], *, now: datetime, process: str) -> RawDocument:
    """Return the document of the events of one transaction; ``process`` is the id of the process that writes it."""
    return document_of_encoded(list(map(encode_event, events)), now=now, process=process)


def document_of_encoded(events: Collection[EncodedEvent], *, now: datetime, process: str) -> RawDocument:
    """Do the same with events that are text already."""
    return {
        "_id": ObjectId(),
        "at": now,
        "process": process,
        "types": sorted({event.type for event in events}),
        "body": join_events(events),
    }


@asynccontextmanager
async def open_events(uri: str, name: str) -> AsyncIterator[Collections]:
    """Open a database beside a server that may be running, to read its events. ``StartupError`` as ``open_beside``."""
    async with open_beside(uri, name, socket_timeout_ms=STREAM_TIMEOUT_MS) as collections:
        yield collections
