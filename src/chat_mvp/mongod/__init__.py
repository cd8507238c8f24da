"""The embedded MongoDB replica set: it is found, started, supervised and stopped with the server.

``start_embedded`` is the entry point. ``DirectoryLock`` prevents a second server on the same data directory.
"""

from chat_mvp.mongod.embedded import EmbeddedMongo, start_embedded
from chat_mvp.mongod.lock import DirectoryLock

__all__ = ["DirectoryLock", "EmbeddedMongo", "start_embedded"]
