"""Reading the ``events`` collection in the order of the commits, through a change stream of MongoDB.

A cursor is the resume token of the database: a position in its log of all writes (oplog). It holds for as long as the
oplog goes back to it, and for as long as the collection exists.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from typing import NamedTuple

from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.errors import OperationFailure, PyMongoError

from chat_mvp.events.codec import decode_events
from chat_mvp.events.types import Event
from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.errors import is_passing, translated, unavailable

Cursor = RawDocument

BATCH_SIZE = 200
"""Documents of one answer: taking them in holds up the event loop for about 3 ms."""
MAX_BUFFERED = 2_000
MAX_BUFFERED_CHARS = 4_000_000
CLOSE_WITHIN_S = 0.5
AWAIT_MS = 1_000
"""How long the database waits for something new before it answers with nothing but a newer cursor."""

_CURSOR_ENDS = ("drop", "rename", "dropDatabase", "invalidate")
# Too old (286, and 280 of older versions), of another history (260), damaged (9, 40647, 40649, 50811).
_LOST_CODES = frozenset({9, 260, 280, 286, 40647, 40649, 50811})
# The log was cut off before the place where the database went on reading (136). Whether it still goes back to the
# cursor is known when the stream is opened again.
_CUT_OFF_CODE = 136
_RESUMABLE_LABEL = "ResumableChangeStreamError"
_NOT_RESUMABLE_LABEL = "NonResumableChangeStreamError"


class CursorLostError(Exception):
    """There is no way on from this cursor: events may be missing after it."""


class LoggedEvents(NamedTuple):
    """The events of one transaction, in their order, as they are kept."""

    id: str
    at: datetime
    events: list[Event]
    unknown: list[str]
    """Parts that this version does not understand, as they are; the whole text when it is damaged."""


class StoredEvents(NamedTuple):
    """The events of one transaction, in their order, and a position in the order of all transactions."""

    id: str
    cursor: Cursor
    """The position after them."""
    at: datetime
    events: list[Event]
    unknown: list[str]


class EventStream:
    """Events as they are committed. It reads ahead, up to a limit, while those before are being handled."""

    def __init__(self, changes: AsyncChangeStream[RawDocument], cursor: Cursor | None) -> None:
        """Read ``changes``, which begin after ``cursor``."""
        self._changes = changes
        self.cursor = cursor
        """The position after all that was returned. ``None`` until something is known."""
        self.is_at_end = False
        """Whether everything that was committed by the last answer of the database has been returned."""
        self._buffer: deque[RawDocument] = deque()
        self._buffered_chars = 0
        self._end: Cursor | None = None
        self._arrived = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._reader = asyncio.create_task(self._read(), name="event stream")

    async def fetch(self, *, limit: int, within_s: float) -> list[StoredEvents]:
        """Return the next transactions, about ``limit`` events together; an empty list when none comes in time.

        ``CursorLostError`` when events are missing from here on; ``UnavailableError`` when the database does not
        answer: then open another stream at ``cursor``.
        """
        if not self._buffer and not self._reader.done():
            self._arrived.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._arrived.wait()
        found: list[StoredEvents] = []
        count = 0
        while self._buffer and count < limit:
            change = self._buffer.popleft()
            found.append(self._take(change))
            count += len(found[-1].events) + 1
        if self._buffered_chars < MAX_BUFFERED_CHARS and len(self._buffer) < MAX_BUFFERED:
            self._has_room.set()
        if found:
            self.cursor = found[-1].cursor
        self.is_at_end = not self._buffer and self._end is not None
        if self.is_at_end:
            self.cursor = self._end
        elif not found and self._reader.done():
            # Raises what the reader ended with.
            await self._reader
        return found

    async def close(self) -> None:
        """End reading."""
        # This makes the database answer what the reader waits for. Otherwise the connection would live there for up to
        # a second longer, and a restore that begins in this second would take it for a server.
        with suppress(PyMongoError, TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._changes.close()
                await asyncio.wait([self._reader])
        # More than once, because the driver swallows a cancellation that comes while it receives an answer.
        while not self._reader.done():
            self._reader.cancel()
            await asyncio.wait([self._reader], timeout=0.1)
        if not self._reader.cancelled():
            self._reader.exception()

    def _take(self, change: RawDocument) -> StoredEvents:
        document = change["fullDocument"]
        self._buffered_chars -= len(_body(document))
        logged = _logged(document)
        return StoredEvents(logged.id, change["_id"], logged.at, logged.events, logged.unknown)

    async def _read(self) -> None:
        try:
            with _explained():
                while True:
                    await self._has_room.wait()
                    self._note(await self._changes.try_next())
        finally:
            self._end = None
            self._arrived.set()

    def _note(self, change: RawDocument | None) -> None:
        if change is not None and change["operationType"] in _CURSOR_ENDS:
            raise CursorLostError(f"The collection of events was removed ({change['operationType']}).")
        if change is None:
            if not self._changes.alive:
                raise unavailable()
            self._end = dict(self._changes.resume_token or {}) or None
        else:
            self._end = None
            self._buffer.append(change)
            self._buffered_chars += len(_body(change["fullDocument"]))
            if self._buffered_chars >= MAX_BUFFERED_CHARS or len(self._buffer) >= MAX_BUFFERED:
                self._has_room.clear()
        self._arrived.set()


@asynccontextmanager
async def open_event_stream(
    streams: Collections, types: Collection[str] | None = None, *, after: Cursor | None = None
) -> AsyncIterator[EventStream]:
    """Read the transactions with events of these types, all when left out, after a cursor or from now on.

    From now on means: everything that is committed after this was entered. ``CursorLostError`` and ``UnavailableError``
    as for ``EventStream.fetch``.
    """
    with _explained():
        changes = await streams["events"].watch(
            _pipeline(types), resume_after=after, batch_size=BATCH_SIZE, max_await_time_ms=AWAIT_MS
        )
    stream = EventStream(changes, after)
    try:
        yield stream
    finally:
        await stream.close()


async def fetch_cursor(streams: Collections) -> Cursor:
    """Return a cursor before everything that is committed from now on. ``UnavailableError`` as above."""
    with _explained():
        # Nothing but the end matters, and no event is called that.
        async with await streams["events"].watch(_pipeline([""]), max_await_time_ms=1) as changes:
            await changes.try_next()
            token = changes.resume_token
    if token is None:
        raise unavailable()
    return dict(token)


async def fetch_newest_events(
    collections: Collections, types: Collection[str] | None = None, *, limit: int
) -> list[LoggedEvents]:
    """Return the newest transactions with events of these types by their time, ``limit`` at most."""
    if limit == 0:
        return []
    query: RawDocument = {} if types is None else {"types": {"$in": list(types)}}
    with translated():
        documents = await collections["events"].find(query, sort=[("at", -1)], limit=limit).to_list(None)
    return [_logged(document) for document in reversed(documents)]


def _logged(document: RawDocument) -> LoggedEvents:
    body = _body(document)
    try:
        events, unknown = decode_events(body)
    except ValueError:
        events, unknown = [], [body]
    return LoggedEvents(str(document["_id"]), document["at"], events, unknown)


def _body(document: RawDocument) -> str:
    """Return the text of the events. Where there is none, it is something that counts as damaged text."""
    body = document.get("body")
    return body if isinstance(body, str) else repr(body)


def _pipeline(types: Collection[str] | None) -> list[RawDocument]:
    wanted: RawDocument = {"operationType": "insert"}
    if types is not None:
        wanted |= {"fullDocument.types": {"$in": list(types)}}
    fields = dict.fromkeys(("operationType", "fullDocument._id", "fullDocument.at", "fullDocument.body"), 1)
    return [{"$match": {"$or": [wanted, {"operationType": {"$in": list(_CURSOR_ENDS)}}]}}, {"$project": fields}]


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except PyMongoError as error:
        code = error.code if isinstance(error, OperationFailure) else None
        if code in _LOST_CODES or error.has_error_label(_NOT_RESUMABLE_LABEL):
            raise CursorLostError(f"The database does not go back to the cursor any more (code {code}).") from error
        if code == _CUT_OFF_CODE or is_passing(error) or error.has_error_label(_RESUMABLE_LABEL):
            raise unavailable() from error
        raise
