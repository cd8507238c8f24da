"""The ``jobs`` collection, as plain documents: work that must be done after the change that causes it is stored.

A job is inserted in the transaction that causes it. The process that claims it owns it until ``due_at``, which a claim
moves into the future. So a job whose process was killed becomes due again without further action. The database's clock
counts, not the clocks of the processes.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal

from bson import ObjectId
from msgspec import Struct
from pymongo import ReturnDocument

from chat_mvp.storage.beside import open_beside
from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import to_object_id

JobState = Literal["waiting", "dead"]


class NewJob(Struct, kw_only=True, frozen=True):
    """Work to be done. ``payload`` is what the handler of this ``kind`` needs, as plain BSON values."""

    kind: str
    payload: RawDocument


class JobRecord(Struct, kw_only=True):
    """A stored job. ``attempts`` counts how often it was started since it last made progress."""

    id: str
    kind: str
    payload: RawDocument
    state: JobState
    due_at: datetime
    attempts: int
    created_at: datetime
    error: str | None
    """The error of the last attempt."""


def job_document(job: NewJob, now: datetime) -> RawDocument:
    """Return the document of a new job, due at once."""
    return {
        "_id": ObjectId(),
        "kind": job.kind,
        "payload": job.payload,
        "state": "waiting",
        "due_at": now,
        "attempts": 0,
        "created_at": now,
    }


@asynccontextmanager
async def open_jobs(uri: str, name: str) -> AsyncIterator["Jobs"]:
    """Open the jobs of a database beside a server that may be running. ``StartupError`` when it does not answer."""
    async with open_beside(uri, name) as collections:
        yield Jobs(collections)


class Jobs:
    """Claiming, finishing and inspecting jobs."""

    def __init__(self, collections: Collections) -> None:
        """Use the ``jobs`` collection of this database."""
        self._jobs = collections["jobs"]

    async def claim(self, kinds: list[str], owner: str, *, lease_ms: int) -> JobRecord | None:
        """Return the job of these kinds that has been due for the longest time, owned by ``owner`` for ``lease_ms``."""
        query = {"state": "waiting", "kind": {"$in": kinds}, "$expr": {"$lte": ["$due_at", "$$NOW"]}}
        changes = {"due_at": _from_now(lease_ms), "owner": owner, "attempts": {"$add": ["$attempts", 1]}}
        with translated():
            document = await self._jobs.find_one_and_update(
                query, [{"$set": changes}], sort=[("due_at", 1)], return_document=ReturnDocument.AFTER
            )
        return None if document is None else _record(document)

    async def renew(self, job_id: str, owner: str, *, lease_ms: int) -> bool:
        """Own a job for another ``lease_ms``. Return false when another process has claimed it meanwhile."""
        return await self._update(job_id, owner, {"due_at": _from_now(lease_ms)})

    async def proceed(self, job_id: str, owner: str, payload: RawDocument, *, after_ms: int) -> bool:
        """Store the remaining work, due after ``after_ms``, and reset the count of attempts to zero."""
        changes = {"payload": {"$literal": payload}, "due_at": _from_now(after_ms), "attempts": 0, "error": None}
        return await self._update(job_id, owner, changes)

    async def postpone(self, job_id: str, owner: str, error: str, *, after_ms: int) -> bool:
        """Note that an attempt failed, and make the job due after ``after_ms``."""
        return await self._update(job_id, owner, {"due_at": _from_now(after_ms), "error": {"$literal": error}})

    async def bury(self, job_id: str, owner: str, error: str) -> bool:
        """Note that an attempt failed, and make no other attempt until someone requests it."""
        return await self._update(job_id, owner, {"state": "dead", "error": {"$literal": error}})

    async def finish(self, job_id: str, owner: str) -> bool:
        """Remove a job that is done."""
        with translated():
            result = await self._jobs.delete_one({"_id": to_object_id(job_id), "owner": owner})
        return result.deleted_count == 1

    async def fetch(self, *, state: JobState | None = None, limit: int) -> list[JobRecord]:
        """Return jobs, starting with the one that has been due for the longest time."""
        query: RawDocument = {} if state is None else {"state": state}
        with translated():
            documents = await self._jobs.find(query, sort=[("due_at", 1)], limit=limit).to_list(None)
        return [_record(document) for document in documents]

    async def count(self, state: JobState) -> int:
        """Return how many jobs are in this state."""
        with translated():
            return await self._jobs.count_documents({"state": state})

    async def retry(self, job_id: str) -> bool:
        """Make a job due now, and reset its attempts. Return false when there is no such job."""
        changes = {"state": "waiting", "due_at": "$$NOW", "attempts": 0}
        with translated():
            result = await self._jobs.update_one({"_id": to_object_id(job_id)}, [{"$set": changes}])
        return result.matched_count == 1

    async def remove(self, job_id: str) -> bool:
        """Remove a job without doing it. Return false when there is no such job."""
        with translated():
            result = await self._jobs.delete_one({"_id": to_object_id(job_id)})
        return result.deleted_count == 1

    async def _update(self, job_id: str, owner: str, changes: dict[str, Any]) -> bool:
        query = {"_id": to_object_id(job_id), "owner": owner}
        with translated():
            result = await self._jobs.update_one(query, [{"$set": changes}])
        return result.matched_count == 1


def _from_now(milliseconds: int) -> RawDocument:
    return {"$dateAdd": {"startDate": "$$NOW", "unit": "millisecond", "amount": milliseconds}}


def _record(document: RawDocument) -> JobRecord:
    fields = {name: document[name] for name in ("kind", "payload", "state", "due_at", "attempts", "created_at")}
    return JobRecord(id=str(document["_id"]), error=document.get("error"), **fields)
