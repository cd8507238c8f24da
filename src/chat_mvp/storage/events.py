"""The ``events`` collection, as plain documents: one for all events of a transaction, written by that transaction.

``event_stream.py`` reads them in the order of the commits. They are removed after ``event_ttl_days``.
"""

from collections.abc import Sequence
from datetime import datetime

from bson import ObjectId

from chat_mvp.events.codec import encode_events, type_of
from chat_mvp.events.types import Event
from chat_mvp.storage.client import RawDocument


def event_document(events: Sequence[Event], *, now: datetime, process: str) -> RawDocument:
    """Return the document of the events of one transaction; ``process`` is the id of the process that writes it."""
    return {
        "_id": ObjectId(),
        "at": now,
        "process": process,
        "types": sorted({type_of(event) for event in events}),
        "body": encode_events(events),
    }
