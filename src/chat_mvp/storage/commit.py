"""The writer's transaction. It stores everything that one batch changes, or nothing.

Every transaction states its own read and write concerns. It inherits nothing from the client.
"""

from collections.abc import Sequence
from typing import Protocol

from pymongo import WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from chat_mvp.storage.client import Collections, Database
from chat_mvp.storage.errors import is_passing, translated, unavailable
from chat_mvp.storage.pipeline import Meanwhile, Step, run_together
from chat_mvp.storage.write_commands import seal
from chat_mvp.storage.writes import Writes

COMMIT_TIMEOUT_MS = 5_000

_DUPLICATE_KEY = 11000
_SESSION_KEYS = ("writer_session", "writer_session_2")
"""The keys in ``meta`` for the sessions of the process that writes."""

COMMITS_AT_ONCE = len(_SESSION_KEYS)


class StaleError(Exception):
    """The conversations in the database differ from the rosters. Nothing was written: reload and plan again."""


class TransientError(Exception):
    """The database cannot do it now. Nothing was written: plan again after a pause."""


class UnknownOutcomeError(Exception):
    """The commit was sent, but no answer came. Call ``was_committed`` before anything else is written."""


class Progress(Protocol):
    """Is notified of the progress of a commit. Each method is called at most once, in this order."""

    def sent(self) -> None:
        """Note that all commands are sent to the database."""
        ...

    def executed(self) -> None:
        """Note that the database executed all commands as expected, and only the commit is left."""
        ...


class Unobserved:
    """A ``Progress`` for callers that do not need it."""

    def sent(self) -> None:
        """Do nothing."""

    def executed(self) -> None:
        """Do nothing."""


class Commit(Protocol):
    """What the writer needs of storage. The fault tests wrap it."""

    async def commit(self, writes: Writes, progress: Progress) -> None:
        """Store everything durably, or raise ``StaleError``, ``TransientError`` or ``UnknownOutcomeError``."""
        ...

    async def was_committed(self, writes: Writes) -> bool:
        """Return whether the batch is stored, after ``UnknownOutcomeError``.

        Raises ``UnavailableError`` when that is not known yet. The answer is final: a batch that is not stored will not
        be stored later.
        """
        ...


class MongoCommit:
    """Transactions on a replica set, one at a time, in one session that is reused."""

    def __init__(self, database: Database, number: int = 0) -> None:
        """Write to this database. Each of the ``COMMITS_AT_ONCE`` in a process has its own ``number``."""
        self._client = database.client
        self._db: Collections = database.collections
        self._read_concern = database.read_concern
        self._session_key = _SESSION_KEYS[number]
        self._session: AsyncClientSession | None = None
        self._is_uncertain = False

    async def take_over(self) -> None:
        """End the transactions that a killed predecessor may have left open. Call this before anything is read.

        Otherwise its last commit could still succeed after someone has read that it did not. ``TransientError`` when
        the database cannot do it now. Then the first commit does it.
        """
        self._session = self._session or await self._begin_session()

    async def commit(self, writes: Writes, progress: Progress) -> None:
        """Store everything with ``w: majority`` and the journal, or raise as ``Commit`` says."""
        # Seal before the first await, see ``seal``.
        steps = seal(writes)
        # Use the same session after a failure too. If the abort did not arrive, the new transaction aborts the old one.
        session = self._session = self._session or await self._begin_session()
        await session.start_transaction(
            read_concern=ReadConcern("snapshot"),
            write_concern=WriteConcern("majority", j=True),
            read_preference=ReadPreference.PRIMARY,
            max_commit_time_ms=COMMIT_TIMEOUT_MS,
        )
        try:
            await self._run(steps, session, progress.sent)
        except PyMongoError as error:
            await _abort(session)
            if is_passing(error):
                raise TransientError from error
            raise
        except BaseException:
            await _abort(session)
            raise
        progress.executed()
        try:
            await _finish(session)
        except UnknownOutcomeError:
            self._is_uncertain = True
            raise
        self._read_concern.advance(session.operation_time)

    async def _begin_session(self) -> AsyncClientSession:
        """Start the session of this process, and end the session of its predecessor.

        A process that was killed inside a transaction leaves the transaction open. Until the server ends it, after five
        seconds, no other session can write to its conversations. If that process still runs, its transaction fails and
        is tried again.
        """
        session = self._client.start_session(causal_consistency=False)
        try:
            before = await self._db["meta"].find_one_and_update(
                {"key": self._session_key},
                {"$set": {"value": session.session_id["id"]}},
                upsert=True,
            )
            if before is not None:
                await self._client.admin.command({"killSessions": [{"id": before["value"]}]})
        except PyMongoError as error:
            await session.end_session()
            if is_passing(error):
                raise TransientError from error
            raise
        return session

    async def _run(self, steps: Sequence[Step], session: AsyncClientSession, meanwhile: Meanwhile) -> None:
        commands = [step.command for step in steps]
        answers = await run_together(self._client, self._db.name, commands, session, meanwhile)
        for step, answer in zip(steps, answers, strict=False):
            for error in answer.get("writeErrors", ()):
                if error["code"] == _DUPLICATE_KEY:
                    raise StaleError
                raise OperationFailure("a write was refused", error["code"])
            if not step.is_expected(answer):
                raise StaleError

    async def was_committed(self, writes: Writes) -> bool:
        """Send the commit again in its own session. The server answers with its outcome.

        Looking for the documents is not enough. A commit may still wait in the buffers of a hung server. Its documents
        would be missing, and the commit would happen afterwards.
        """
        if self._session is not None and self._is_uncertain:
            try:
                await _finish(self._session)
            except UnknownOutcomeError as error:
                raise unavailable() from error
            except (TransientError, PyMongoError):
                # It did not happen, or the server has forgotten the session.
                pass
            else:
                self._is_uncertain = False
                self._read_concern.advance(self._session.operation_time)
                return True
            self._is_uncertain = False
        # Servers forget sessions after half an hour. The events of the batch are still there.
        if writes.event_id is None:
            return False
        with translated():
            return await self._db["events"].find_one({"_id": writes.event_id}, {"_id": 1}) is not None


async def _abort(session: AsyncClientSession) -> None:
    try:
        await session.abort_transaction()
    except PyMongoError:
        # The server ends it after transactionLifetimeLimitSeconds.
        return


async def _finish(session: AsyncClientSession) -> None:
    # The driver itself tries a commit twice.
    try:
        await session.commit_transaction()
    except PyMongoError as error:
        if error.has_error_label("TransientTransactionError"):
            raise TransientError from error
        if error.has_error_label("UnknownTransactionCommitResult") or is_passing(error):
            raise UnknownOutcomeError from error
        raise
