"""Turn operations into a batch: load what they need into memory, and apply them one after the other."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import structlog

from chat_mvp.delivery.applying import HalfDoneError, apply_operation
from chat_mvp.delivery.batch import MAX_BATCH_BYTES, Batch, Operation, Recipients
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.errors import ChatError, InternalError
from chat_mvp.storage.messages import Messages, SentKey
from chat_mvp.storage.records import MessageRecord

Refusals = list[tuple[Operation, ChatError]]

_LOG = structlog.get_logger(__name__)


class Plan(NamedTuple):
    """The result of planning: a batch, the refused operations, and the operations that did not fit."""

    batch: Batch
    refused: Refusals
    postponed: list[Operation]


class Planner:
    """Makes batches from the rosters in memory. It writes nothing."""

    def __init__(
        self,
        *,
        messages: Messages,
        rosters: Rosters,
        recipients: Recipients,
        process: str,
        clock: Callable[[], datetime],
        drop_rosters: Callable[[Iterable[str]], None],
    ) -> None:
        """Read from ``messages`` and ``rosters``. ``drop_rosters`` forgets rosters that a dropped plan has changed."""
        self._messages = messages
        self._rosters = rosters
        self._recipients = recipients
        self._process = process
        self._clock = clock
        self._drop_rosters = drop_rosters
        self._now = datetime.min.replace(tzinfo=UTC)

    def begin(self) -> Batch:
        """Return an empty batch for operations that need only what is in memory."""
        return self._batch({}, {})

    async def plan(self, operations: Sequence[Operation], *, look_up: bool) -> Plan:
        """Return a plan of the operations. With ``look_up``, first ask the database which of the sends are stored.

        An operation that fails unexpectedly is refused with ``InternalError``. One that raises a refusal after it
        changed something is refused with that error. The others are planned without it.
        """
        remaining = list(operations)
        failed: Refusals = []
        sent = await self._fetch_sent(remaining) if look_up else {}
        while True:
            messages = await self._load(remaining)
            batch = self._batch(messages, sent)
            try:
                refused, postponed = _apply(remaining, batch)
            except HalfDoneError as error:
                operation, cause = error.operation, error.__cause__
                _LOG.error("operation failed", operation=type(operation).__name__, exc_info=cause)
                self._drop_rosters(batch.writes.touched() | self._conversations_of([operation], messages))
                remaining.remove(operation)
                refusal = cause if isinstance(cause, ChatError) else InternalError("The server could not do this.")
                failed.append((operation, refusal))
                continue
            # A send that would be refused may repeat one that is stored. Check before it is refused.
            found = await self._fetch_sent(operation for operation, _ in refused if operation.sent_key not in sent)
            if not found:
                return Plan(batch, refused + failed, postponed)
            self._drop_rosters(batch.writes.touched())
            sent |= found

    async def _fetch_sent(self, operations: Iterable[Operation]) -> dict[SentKey, MessageRecord]:
        return await self._messages.fetch_sent({op.sent_key for op in operations if op.sent_key is not None})

    async def _load(self, operations: Sequence[Operation]) -> dict[str, MessageRecord]:
        """Load what the operations need into memory, and return the messages that they name."""
        ids = {message_id for operation in operations for message_id in operation.message_ids}
        keys = {operation.direct_key for operation in operations if operation.direct_key is not None}
        while True:
            dropped = self._rosters.watch()
            messages = await self._messages.fetch_by_ids(ids) if ids else {}
            if keys:
                await self._rosters.load_direct(keys)
            needed = self._conversations_of(operations, messages)
            await self._rosters.load(needed)
            if (needed | keys).isdisjoint(dropped):
                return messages
            # A block was set or lifted during the read, or a batch failed. Either dropped a roster that is needed here.

    def _conversations_of(self, operations: Iterable[Operation], messages: Mapping[str, MessageRecord]) -> set[str]:
        """Return the conversations that the operations may change, as far as this is known."""
        found: set[str | None] = set()
        for operation in operations:
            found.add(operation.conversation_id)
            found.update(messages[i].message.conversation_id for i in operation.message_ids if i in messages)
            if operation.direct_key is not None:
                found.add(self._rosters.direct_id(operation.direct_key))
        return {conversation_id for conversation_id in found if conversation_id is not None}

    def _batch(self, messages: dict[str, MessageRecord], sent: dict[SentKey, MessageRecord]) -> Batch:
        # The time must never go backwards, even if the clock does: clients ask for changes since a time.
        self._now = max(self._now, self._clock())
        return Batch(
            now=self._now,
            rosters=self._rosters,
            messages=messages,
            sent=sent,
            recipients=self._recipients,
            process=self._process,
        )


def _apply(operations: Sequence[Operation], batch: Batch) -> tuple[Refusals, list[Operation]]:
    """Apply operations until the batch is full. Return the refused operations and those that did not fit."""
    refused: Refusals = []
    for index, operation in enumerate(operations):
        if batch.writes.size >= MAX_BATCH_BYTES:
            return refused, list(operations[index:])
        refusal = apply_operation(operation, batch)
        if refusal is not None:
            refused.append((operation, refusal))
    return refused, []
