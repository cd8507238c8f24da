"""Writes outside conversations, each in one transaction with the events that describe it.

The writer does the same for conversations (``commit.py``); these writes are rare and need none of its speed.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol, TypeVar

import structlog
from msgspec import Struct, field
from pymongo import WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from chat_mvp.clock import Now
from chat_mvp.events.types import Event
from chat_mvp.storage.client import Collections, Database, RawDocument
from chat_mvp.storage.errors import is_passing, translated, unavailable
from chat_mvp.storage.events import event_document

ANSWER_WITHIN_S = 6.0
"""How long a caller waits. Longer than one command on a hung database takes to fail."""
COMMIT_TIMEOUT_MS = 5_000
FIRST_PAUSE_S = 0.01
LONGEST_PAUSE_S = 0.25
ASK_AGAIN_AFTER_S = 0.5
"""Between two questions for the outcome of a commit that was not answered."""

_T = TypeVar("_T")
_LOG = structlog.get_logger(__name__)


class RecordedTransaction(Struct):
    """An open transaction. Commands belong to it when they are given its ``session``."""

    collections: Collections
    session: AsyncClientSession | None
    """``None`` only in tests, on databases without transactions."""
    recorded: list[Event] = field(default_factory=list)
    """What is stored with the transaction."""
    to_apply: list[Event] = field(default_factory=list)
    """What this process reacts to after the commit."""

    def record(self, event: Event) -> None:
        """Store that this transaction did what the event says."""
        self.recorded.append(event)
        self.to_apply.append(event)

    def confirm(self, event: Event) -> None:
        """Note that things are already as the event says. It is not stored; only this process reacts to it again."""
        self.to_apply.append(event)


Write = Callable[[RecordedTransaction], Awaitable[_T]]
"""Makes the changes and records their events. It may be called several times; only the last call counts."""
Committed = Callable[[Sequence[Event]], Awaitable[None]]


class Recorder(Protocol):
    """What services need of this module."""

    async def record(self, subject: str, write: Write[_T]) -> _T:
        """Make the changes of ``write`` and store their events, all or nothing, and return what ``write`` returned.

        When it returns, the changes are durable and this process has reacted to the events. Calls for the same
        ``subject`` run one after the other.

        ``UnavailableError`` when the database cannot do it now, or does not say whether it did. In the second case
        the reaction follows as soon as the database answers.
        """
        ...


class MongoRecorder:
    """Transactions on a replica set, each in a session of its own."""

    def __init__(
        self,
        database: Database,
        *,
        process: str,
        clock: Now,
        committed: Committed,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        """Call ``committed`` with the events of each transaction after it is stored.

        ``process`` is the id of this process, which is stored with the events.
        """
        self._client = database.client
        self._db: Collections = database.collections
        self._read_concern = database.read_concern
        self._process = process
        self._clock = clock
        self._committed = committed
        self._answer_within_s = answer_within_s
        self._running: dict[str, asyncio.Task[object]] = {}

    def close(self) -> None:
        """Cancel what is under way."""
        for task in self._running.values():
            task.cancel()

    async def record(self, subject: str, write: Write[_T]) -> _T:
        """Do as ``Recorder`` says. A caller that is cancelled does not stop what was begun."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._answer_within_s
        try:
            async with asyncio.timeout_at(deadline):
                # Also for one whose outcome is not known yet: events of one subject are applied in their order.
                while (earlier := self._running.get(subject)) is not None:
                    await asyncio.wait([earlier])
                task = loop.create_task(self._run(write, deadline), name="recorded write")
                self._running[subject] = task
                task.add_done_callback(lambda _: self._running.pop(subject))
                return await asyncio.shield(task)
        except TimeoutError:
            raise unavailable() from None

    async def _run(self, write: Write[_T], deadline: float) -> _T:
        loop = asyncio.get_running_loop()
        pause_s = FIRST_PAUSE_S
        with translated():
            async with self._client.start_session(causal_consistency=False) as session:
                while True:
                    transaction = RecordedTransaction(self._db, session)
                    try:
                        result = await self._attempt(transaction, session, write, deadline)
                    except PyMongoError as error:
                        if loop.time() + pause_s > deadline or not _is_conflict(error):
                            raise
                        await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311  (jitter)
                        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                    else:
                        break
                self._read_concern.advance(session.operation_time)
        await self._committed(transaction.to_apply)
        return result

    async def _attempt(
        self, transaction: RecordedTransaction, session: AsyncClientSession, write: Write[_T], deadline: float
    ) -> _T:
        document: RawDocument | None = None
        await session.start_transaction(
            read_concern=ReadConcern("snapshot"),
            write_concern=WriteConcern("majority", j=True),
            read_preference=ReadPreference.PRIMARY,
            max_commit_time_ms=COMMIT_TIMEOUT_MS,
        )
        try:
            result = await write(transaction)
            if transaction.recorded:
                document = event_document(transaction.recorded, now=self._clock(), process=self._process)
                await self._db["events"].insert_one(document, session=session)
            _check_in_time(deadline)
        except BaseException:
            await _abort(session)
            raise
        await self._commit(session, document)
        return result

    async def _commit(self, session: AsyncClientSession, document: RawDocument | None) -> None:
        """Commit. While no answer comes, ask again: what is stored must be applied, and what is not must not."""
        try:
            await self._send_commit(session)
        except PyMongoError as error:
            if document is None or not _is_open(error):
                raise
            _LOG.warning("outcome_unknown", types=document["types"])
        else:
            return
        is_stored = None
        while is_stored is None:
            await asyncio.sleep(ASK_AGAIN_AFTER_S)
            is_stored = await self._find_out(session, document)
        if not is_stored:
            raise unavailable()

    async def _find_out(self, session: AsyncClientSession, document: RawDocument) -> bool | None:
        """Return whether a transaction is stored, or ``None`` if that cannot be said yet."""
        try:
            await self._send_commit(session)
        except PyMongoError as error:
            if _is_open(error):
                return None
        else:
            return True
        # It did not happen, or the server knows the session no more. It forgets sessions after half an hour.
        try:
            return await self._db["events"].find_one({"_id": document["_id"]}, {"_id": 1}) is not None
        except PyMongoError:
            return None

    async def _send_commit(self, session: AsyncClientSession) -> None:
        # The driver itself tries a commit twice.
        await session.commit_transaction()


def _check_in_time(deadline: float) -> None:
    """Raise ``UnavailableError`` when the caller waits no longer."""
    if asyncio.get_running_loop().time() > deadline:
        raise unavailable()


def _is_conflict(error: PyMongoError) -> bool:
    """Return whether nothing was stored and another attempt can succeed at once."""
    return error.has_error_label("TransientTransactionError") or isinstance(error, DuplicateKeyError)


def _is_open(error: PyMongoError) -> bool:
    """Return whether a commit that failed like this may have happened all the same."""
    if error.has_error_label("TransientTransactionError"):
        return False
    return error.has_error_label("UnknownTransactionCommitResult") or is_passing(error)


async def _abort(session: AsyncClientSession) -> None:
    # The server ends it by itself after transactionLifetimeLimitSeconds.
    with suppress(PyMongoError):
        await session.abort_transaction()
