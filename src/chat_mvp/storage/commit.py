"""The writer's transaction: everything one batch changes is stored together or not at all.

Every transaction states its own concerns; nothing is inherited from the client.
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
from chat_mvp.storage.pipeline import Meanwhile, run_together
from chat_mvp.storage.writes import Step, Writes

COMMIT_TIMEOUT_MS = 5_000

_DUPLICATE_KEY = 11000
_SESSION_KEYS = ("writer_session", "writer_session_2")
"""Under which the sessions of the process that writes stand in ``meta``."""

COMMITS_AT_ONCE = len(_SESSION_KEYS)


class StaleError(Exception):
    """What was believed of a conversation is not what is stored: nothing was written; reload and plan again."""


class TransientError(Exception):
    """The database could not do it now: nothing was written; plan again after a pause."""


class UnknownOutcomeError(Exception):
    """The commit was sent and no answer came: ask ``was_committed`` before anything else is written."""


class Progress(Protocol):
    """Hears how far a commit has come: each of the two at most once, and in this order."""

    def sent(self) -> None:
        """Hear that all commands are on their way to the database."""
        ...

    def executed(self) -> None:
        """Hear that the database executed all commands as expected, and only the commit is left."""
        ...


class Unobserved:
    """A ``Progress`` for callers that have nothing to do meanwhile."""

    def sent(self) -> None:
        """Do nothing."""

    def executed(self) -> None:
        """Do nothing."""


class Commit(Protocol):
    """What the writer needs of storage; the fault tests wrap it."""

    async def commit(self, writes: Writes, progress: Progress) -> None:
        """Store all of it durably, or raise ``StaleError``, ``TransientError`` or ``UnknownOutcomeError``."""
        ...

    async def was_committed(self, writes: Writes) -> bool:
        """After ``UnknownOutcomeError``: tell whether it is stored; ``UnavailableError`` when that cannot be said yet.

        The answer is final: what is not stored will not be either.
        """
        ...


class MongoCommit:
    """Transactions on a replica set, one at a time, in one session that is kept."""

    def __init__(self, database: Database, number: int = 0) -> None:
        """Write to this database; of the ``COMMITS_AT_ONCE`` in a process each has a ``number`` of its own."""
        self._client = database.client
        self._db: Collections = database.collections
        self._read_concern = database.read_concern
        self._session_key = _SESSION_KEYS[number]
        self._session: AsyncClientSession | None = None
        self._is_uncertain = False

    async def take_over(self) -> None:
        """End what a killed process before this one may have left under way; call it before anything is read.

        Otherwise its last commit could still happen after someone has read that it did not. ``TransientError`` when
        the database cannot do it now; then the first commit does it.
        """
        self._session = self._session or await self._begin_session()

    async def commit(self, writes: Writes, progress: Progress) -> None:
        """Store all of it with ``w: majority`` and the journal, or raise as ``Commit`` says."""
        # Before anything is waited for, see Writes.seal.
        steps = writes.seal()
        # The same session also after a failure: where the abort did not arrive, beginning anew in it is one.
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
        """Begin the session of this process, and end that of the one before it.

        A process that was killed inside a transaction leaves it behind. Until the server gives it up, after five
        seconds, no other session can write to its conversations. If that process still lives, its transaction fails
        and is taken again.
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
            if not step.is_right(answer):
                raise StaleError

    async def was_committed(self, writes: Writes) -> bool:
        """Ask for the commit once more in its own session, which the server answers with what became of it.

        Looking for the documents would not do: a commit that still waits in the buffers of a hung server would be
        found missing, and happen afterwards.
        """
        if self._session is not None and self._is_uncertain:
            try:
                await _finish(self._session)
            except UnknownOutcomeError as error:
                raise unavailable() from error
            except (TransientError, PyMongoError):
                # It did not happen, or the server knows the session no more.
                pass
            else:
                self._is_uncertain = False
                self._read_concern.advance(self._session.operation_time)
                return True
            self._is_uncertain = False
        # Servers forget sessions after half an hour; the events of the batch remain.
        if writes.event_id is None:
            return False
        with translated():
            return await self._db["events"].find_one({"_id": writes.event_id}, {"_id": 1}) is not None


async def _abort(session: AsyncClientSession) -> None:
    try:
        await session.abort_transaction()
    except PyMongoError:
        # The server ends it by itself after transactionLifetimeLimitSeconds.
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
