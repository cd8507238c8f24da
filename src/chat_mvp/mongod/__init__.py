"""The embedded MongoDB replica set: found, started, watched and stopped with the server.

``start_embedded`` is the way in; ``DirectoryLock`` is what keeps a second server off a data directory.
"""

from chat_mvp.mongod.embedded import EmbeddedMongo, start_embedded
from chat_mvp.mongod.lock import DirectoryLock

__all__ = ["DirectoryLock", "EmbeddedMongo", "start_embedded"]
