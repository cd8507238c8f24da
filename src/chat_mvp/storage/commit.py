"""The writer's transaction: everything one batch changes is stored together or not at all.

Every transaction states its own concerns; nothing is inherited from the client.
"""

import asyncio
import random
from typing import Protocol

from bson import ObjectId
from pymongo import WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from chat_mvp.storage.client import Collections, Database, RawDocument
from chat_mvp.storage.errors import is_passing, translated
from chat_mvp.storage.writes import Writes, commands

COMMIT_TIMEOUT_MS = 5_000
COMMIT_RETRY_S = (0.02, 0.5)

_DUPLICATE_KEY = 11000


class StaleError(Exception):
    """What was believed of a conversation is not what is stored: nothing was written; reload and plan again."""


class TransientError(Exception):
    """The database could not do it now: nothing was written; plan again after a pause."""


class UnknownOutcomeError(Exception):
    """The commit was sent and no answer came: ask ``was_committed`` before anything else is written."""


class Commit(Protocol):
    """What the writer needs of storage; the fault tests wrap it."""

    async def commit(self, writes: Writes) -> None:
        """Store all of it durably, or raise ``StaleError``, ``TransientError`` or ``UnknownOutcomeError``."""
        ...

    async def was_committed(self, writes: Writes) -> bool:
        """After ``UnknownOutcomeError``: tell whether it is stored."""
        ...


class MongoCommit:
    """Transactions on a replica set, one at a time, in one session that is kept."""

    def __init__(self, database: Database) -> None:
        """Write to this database."""
        self._client = database.client
        self._db: Collections = database.collections
        self._session: AsyncClientSession | None = None

    async def commit(self, writes: Writes) -> None:
        """Store all of it with ``w: majority`` and the journal, or raise as ``Commit`` says."""
        session = self._session or self._client.start_session(causal_consistency=False)
        self._session = None
        try:
            await session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", j=True),
                read_preference=ReadPreference.PRIMARY,
                max_commit_time_ms=COMMIT_TIMEOUT_MS,
            )
            try:
                for command, expected in commands(writes):
                    await self._run(command, expected, session)
            except PyMongoError as error:
                await _abort(session)
                if is_passing(error):
                    raise TransientError from error
                raise
            except BaseException:
                await _abort(session)
                raise
            await self._finish(session)
        except BaseException:
            await session.end_session()
            raise
        self._session = session

    async def _run(self, command: RawDocument, expected: int | None, session: AsyncClientSession) -> None:
        answer = await self._db.command(command, session=session)
        for error in answer.get("writeErrors", ()):
            if error["code"] == _DUPLICATE_KEY:
                raise StaleError
            raise OperationFailure("a write was refused", error["code"])
        if expected is not None and answer["n"] != expected:
            raise StaleError

    async def _finish(self, session: AsyncClientSession) -> None:
        # The driver itself tries a commit twice. Where the outcome stays unknown, the same session may ask again: the
        # server remembers what became of a transaction.
        for pause in (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, None):
            try:
                await session.commit_transaction()
            except PyMongoError as error:
                if error.has_error_label("TransientTransactionError"):
                    raise TransientError from error
                if not (error.has_error_label("UnknownTransactionCommitResult") or is_passing(error)):
                    raise
                if pause is None:
                    raise UnknownOutcomeError from error
                await asyncio.sleep(pause + random.uniform(*COMMIT_RETRY_S))  # noqa: S311  (jitter)
            else:
                return

    async def was_committed(self, writes: Writes) -> bool:
        """Look for one thing that only this batch can have written; majority-committed or not there."""
        if writes.new_messages:
            return await self._exists("messages", {"_id": ObjectId(writes.new_messages[0].message.id)})
        if writes.changed_messages:
            message = next(iter(writes.changed_messages.values())).message
            return await self._exists("messages", {"_id": ObjectId(message.id), "rev": {"$gte": message.rev}})
        if writes.new_conversations:
            return await self._exists("conversations", {"_id": ObjectId(writes.new_conversations[0].id)})
        # Only marks, roles or names: storing them a second time changes nothing.
        return False

    async def _exists(self, collection: str, query: RawDocument) -> bool:
        with translated():
            return await self._db[collection].find_one(query, {"_id": 1}) is not None


async def _abort(session: AsyncClientSession) -> None:
    try:
        await session.abort_transaction()
    except PyMongoError:
        # The server ends it by itself after transactionLifetimeLimitSeconds.
        return
