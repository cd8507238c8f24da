"""Which indexes each collection needs, read from its document."""

from beanie import Document
from beanie.odm.utils.typing import get_index_attributes
from pymongo import ASCENDING, IndexModel

from chat_mvp.storage.documents import DAY_S, QueueDocument


def index_models(document: type[Document]) -> list[IndexModel]:
    """Return the indexes that Beanie makes for a document at the start of the server."""
    models = []
    for name, field in document.model_fields.items():
        marked = get_index_attributes(field)
        if marked is not None:
            models.append(IndexModel([(field.alias or name, marked[0])], **marked[1]))
    return [*models, *getattr(document.Settings, "indexes", [])]


def queue_ttl_index(days: int) -> IndexModel:
    """Return the index that removes entries of the queue after so many days; its length is a setting."""
    return IndexModel([("created_at", ASCENDING)], name="queue_ttl", expireAfterSeconds=days * DAY_S)


def all_index_models(document: type[Document], *, queue_ttl_days: int) -> list[IndexModel]:
    """Return every index of the collection of a document."""
    extra = [queue_ttl_index(queue_ttl_days)] if document is QueueDocument else []
    return [*index_models(document), *extra]
