"""Opening the database: the drivers' clients, their timeouts, the checks at start, the indexes.

Two drivers stand here side by side, on purpose. Beanie needs Motor and serves the cold paths (users, sessions,
contacts). The send path uses PyMongo's own asynchronous client, which runs on the event loop without Motor's pool of
threads (docs/decisions/0002-two-drivers.md has the figures). Moving off Motor later means changing this file and the
three that import Beanie documents.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from beanie import init_beanie
from bson.timestamp import Timestamp
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from chat_mvp.errors import StartupError
from chat_mvp.storage.documents import ALL_DOCUMENTS
from chat_mvp.storage.errors import is_passing, translated
from chat_mvp.storage.meta import check_usable, ensure_epoch, fetch_epoch, server_name
from chat_mvp.storage.name_renewal import renew_name_words
from chat_mvp.storage.schema import TtlDays, ttl_indexes

RawDocument = dict[str, Any]
Collections = AsyncDatabase[RawDocument]

DEFAULT_EVENT_TTL_DAYS = 3
STREAM_TIMEOUT_MS = 120_000
"""A change stream answers only when it has found something or reached the end. Of events that nobody wants it passes
400,000 in a second, on one core."""

_DUPLICATE_KEY = 11000

# Short enough that a hung primary costs seconds, not minutes; longer than any single command of ours takes.
_TIMEOUTS: dict[str, Any] = {
    "serverSelectionTimeoutMS": 3_000,
    "connectTimeoutMS": 1_000,
    "socketTimeoutMS": 2_000,
    "heartbeatFrequencyMS": 2_000,
}
_OPTIONS: dict[str, Any] = {
    "tz_aware": True,
    "w": "majority",
    "journal": True,
    "readConcernLevel": "majority",
    "retryWrites": True,
    "retryReads": True,
}


class NotBefore(ReadConcern):
    """Majority-committed, and nothing older than what this process has stored.

    Majority alone would not do: a primary that was elected a moment ago may not know yet that the last writes of the
    one before it are committed, and show how things were before them. Who connects just then would be brought up to
    date without them, and never hear of them, since they were told to everybody before.
    """

    def __init__(self) -> None:
        """Begin with nothing stored."""
        super().__init__("majority")
        self._moment: Timestamp | None = None

    def advance(self, moment: Timestamp | None) -> None:
        """Show nothing older than ``moment``, at which a write was committed by a majority."""
        if moment is not None and (self._moment is None or moment > self._moment):
            self._moment = moment

    @property
    def document(self) -> RawDocument:
        """Return the concern as commands carry it."""
        moment = {} if self._moment is None else {"afterClusterTime": self._moment}
        return super().document | moment


class Database:
    """An open database. ``collections`` is for plain documents; Beanie's documents are bound beside it.

    Whatever is read from ``collections`` shows all that was stored by the time that ``read_concern`` knows of.
    """

    def __init__(
        self,
        client: AsyncMongoClient[RawDocument],
        motor: AsyncIOMotorClient[RawDocument],
        name: str,
        epoch: str,
        *,
        streams: AsyncMongoClient[RawDocument] | None = None,
    ) -> None:
        """Keep the clients; ``epoch`` names this database's history and changes when it is restored from a backup.

        ``streams`` is for change streams: it connects when it is first used, and waits longer for an answer.
        """
        self.client = client
        self._streams = client if streams is None else streams
        self.streams: Collections = self._streams.get_database(name, read_concern=ReadConcern("majority"))
        self.read_concern = NotBefore()
        self.collections: Collections = client.get_database(name, read_concern=self.read_concern)
        self.epoch = epoch
        self._motor = motor

    async def ping_write(self) -> None:
        """Write one small document with majority; raises the driver's error when the database takes no write."""
        await self.collections["meta"].update_one(
            {"key": "readiness"},
            {"$currentDate": {"value": True}},
            upsert=True,
        )

    async def fetch_time(self) -> datetime:
        """Return the time of the database's machine; ``UnavailableError`` when it does not answer."""
        with translated():
            hello = await self.client.admin.command("hello")
        moment: datetime = hello["localTime"]
        return moment

    async def close(self) -> None:
        """Close every connection."""
        await self._streams.close()
        await self.client.close()
        self._motor.close()


async def open_database(
    uri: str,
    name: str,
    *,
    queue_ttl_days: int,
    event_ttl_days: int = DEFAULT_EVENT_TTL_DAYS,
    before_first_use: Callable[[], None] = lambda: None,
) -> Database:
    """Connect, check that transactions are possible, bring indexes and names up to date, and return the open database.

    ``before_first_use`` is called for a database without an epoch, before anything is written there; it may raise.
    ``StartupError`` when the address is wrong, no MongoDB answers, it is no replica set or sharded cluster, or the
    database is half restored or of a newer version.
    """
    # Under this name a restore recognises servers that use the database.
    options = {**_OPTIONS, **_TIMEOUTS, "appname": server_name(name)}
    try:
        client: AsyncMongoClient[RawDocument] = AsyncMongoClient(uri, **options)
    except (InvalidURI, ConfigurationError) as error:
        raise StartupError(
            "The MongoDB address is not a valid connection string.",
            remedy="Give one like mongodb://user:password@host:27017/?replicaSet=rs0 with --mongo-uri.",
        ) from error
    try:
        await check_topology(client)
        await check_usable(client[name])
        if await fetch_epoch(client[name]) is None:
            before_first_use()
        await _make_indexes(uri, name, TtlDays(queue_ttl_days, event_ttl_days))
        motor: AsyncIOMotorClient[RawDocument] = AsyncIOMotorClient(uri, **options)
        await init_beanie(motor[name], document_models=list(ALL_DOCUMENTS), skip_indexes=True)
        epoch = await ensure_epoch(client[name])
        await renew_name_words(client[name], epoch)
    except PyMongoError as error:
        await client.close()
        raise startup_error(error) from error
    except StartupError:
        await client.close()
        raise
    streams: AsyncMongoClient[RawDocument] = AsyncMongoClient(uri, **{**options, "socketTimeoutMS": STREAM_TIMEOUT_MS})
    return Database(client, motor, name, epoch, streams=streams)


async def check_topology(client: AsyncMongoClient[RawDocument]) -> None:
    """Raise ``StartupError`` unless transactions are possible there."""
    hello = await client.admin.command("hello")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StartupError(
            "This MongoDB is neither a replica set nor a sharded cluster, and only those have transactions.",
            remedy="Start mongod with --replSet and run rs.initiate(), or leave --mongo-uri out for the embedded one.",
        )


async def _make_indexes(uri: str, name: str, ttl: TtlDays) -> None:
    # A client of its own without a socket timeout: building an index over a large collection takes as long as it takes.
    patient: dict[str, Any] = {**_TIMEOUTS, "socketTimeoutMS": None}
    client: AsyncIOMotorClient[RawDocument] = AsyncIOMotorClient(uri, **_OPTIONS, **patient)
    try:
        database = client[name]
        await init_beanie(database, document_models=list(ALL_DOCUMENTS))
        for collection, index in ttl_indexes(ttl).items():
            await _make_ttl(database[collection], index)
    finally:
        client.close()


async def _make_ttl(collection: Any, index: IndexModel) -> None:
    try:
        await collection.create_indexes([index])
    except OperationFailure:
        # The index stands with another length, of another setting or version.
        length = {name: index.document[name] for name in ("name", "expireAfterSeconds")}
        await collection.database.command({"collMod": collection.name, "index": length})


def startup_error(error: PyMongoError) -> StartupError:
    """Return what to tell the person at the terminal about a driver's error."""
    if isinstance(error, OperationFailure) and error.code in {13, 18}:
        return StartupError(
            "MongoDB refused the user name or password.",
            remedy="Check the credentials in --mongo-uri and the database that authSource names.",
        )
    if isinstance(error, OperationFailure) and error.code == _DUPLICATE_KEY:
        return StartupError(
            "The database holds two documents with the same key, where there may be one only.",
            remedy="Run chat-mvp doctor to see which, then remove one of each pair or restore a backup.",
        )
    if isinstance(error, OperationFailure) and is_passing(error):
        return StartupError(
            f"MongoDB broke this off (code {error.code}): it was stopped, restarted or busy.", remedy="Try again."
        )
    if isinstance(error, OperationFailure):
        return StartupError(
            f"MongoDB answered, but refused to prepare the database (code {error.code}).",
            remedy="Run chat-mvp doctor against the same address for details.",
        )
    return StartupError(
        "No MongoDB answers at this address.",
        remedy="Check the host, the port and the replicaSet name in --mongo-uri, and that MongoDB is running.",
    )
