"""The collections as a whole: which there are, the indexes of each, and which of them belong in a backup."""

from beanie import Document
from beanie.odm.utils.typing import get_index_attributes
from pymongo import ASCENDING, IndexModel

from chat_mvp.storage.documents import (
    ALL_DOCUMENTS,
    DAY_S,
    AuthSessionDocument,
    ConnectionDocument,
    MetaDocument,
    QueueDocument,
)


def _name(document: type[Document]) -> str:
    return str(document.Settings.name)


DOCUMENTS = {_name(document): document for document in ALL_DOCUMENTS}
"""By the names of their collections."""

EMPTIED_BY_A_RESTORE = (_name(AuthSessionDocument), _name(ConnectionDocument))
"""A restored session could belong to a device that has signed out since, so everyone signs in again. Connections end
with their server."""

BACKED_UP = tuple(name for name in DOCUMENTS if name not in {*EMPTIED_BY_A_RESTORE, _name(MetaDocument)})
"""What ``meta`` says is in the manifest of a backup, and a restore writes it again."""


def queue_ttl_index(days: int) -> IndexModel:
    """Return the index that removes entries of the queue after so many days; its length is a setting."""
    return IndexModel([("created_at", ASCENDING)], name="queue_ttl", expireAfterSeconds=days * DAY_S)


def index_models(collection: str, *, queue_ttl_days: int) -> list[IndexModel]:
    """Return every index of a collection, as the start of a server makes them."""
    document = DOCUMENTS[collection]
    models = []
    for name, field in document.model_fields.items():
        marked = get_index_attributes(field)
        if marked is not None:
            models.append(IndexModel([(field.alias or name, marked[0])], **marked[1]))
    models += getattr(document.Settings, "indexes", [])
    return [*models, queue_ttl_index(queue_ttl_days)] if document is QueueDocument else models
