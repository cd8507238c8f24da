"""All collections, the indexes of each, and which collections belong in a backup."""

from typing import NamedTuple

from beanie import Document
from beanie.odm.utils.typing import get_index_attributes
from pymongo import ASCENDING, IndexModel

from chat_mvp.storage.documents import (
    ALL_DOCUMENTS,
    DAY_S,
    AuthSessionDocument,
    ConnectionDocument,
    ConsumerDocument,
    EventDocument,
    MetaDocument,
    QueueDocument,
    SetAsideDocument,
)


def _name(document: type[Document]) -> str:
    return str(document.Settings.name)


DOCUMENTS = {_name(document): document for document in ALL_DOCUMENTS}
"""The documents by the names of their collections."""

EVENT_COLLECTIONS = (_name(EventDocument), _name(ConsumerDocument), _name(SetAsideDocument))
"""These belong to one history of the database only. Consumers that find them empty rebuild."""

EMPTIED_BY_A_RESTORE = (_name(AuthSessionDocument), _name(ConnectionDocument), *EVENT_COLLECTIONS)
"""A restored session could belong to a device that has signed out since, so everyone signs in again.

Connections end when their server stops.
"""

BACKED_UP = tuple(name for name in DOCUMENTS if name not in {*EMPTIED_BY_A_RESTORE, _name(MetaDocument)})
"""The facts in ``meta`` are in the manifest of a backup, and a restore writes them again."""


class TtlDays(NamedTuple):
    """How long documents are kept in the collections whose TTL is a setting."""

    queue: int
    events: int


def ttl_indexes(ttl: TtlDays) -> dict[str, IndexModel]:
    """Return the indexes that remove documents after these numbers of days, by the names of their collections."""
    queue = IndexModel([("created_at", ASCENDING)], name="queue_ttl", expireAfterSeconds=ttl.queue * DAY_S)
    events = IndexModel([("at", ASCENDING)], name="event_ttl", expireAfterSeconds=ttl.events * DAY_S)
    # A safety net: a task ends expired sessions before. Under its name of earlier versions, which removed them at once.
    sessions = IndexModel([("expires_at", ASCENDING)], name="expires_at_1", expireAfterSeconds=DAY_S)
    return {_name(QueueDocument): queue, _name(EventDocument): events, _name(AuthSessionDocument): sessions}


def index_models(collection: str, ttl: TtlDays) -> list[IndexModel]:
    """Return every index of a collection, as a server builds them at its start."""
    document = DOCUMENTS[collection]
    models = []
    for name, field in document.model_fields.items():
        marked = get_index_attributes(field)
        if marked is not None:
            models.append(IndexModel([(field.alias or name, marked[0])], **marked[1]))
    models += getattr(document.Settings, "indexes", [])
    expiry = ttl_indexes(ttl).get(collection)
    return models if expiry is None else [*models, expiry]
