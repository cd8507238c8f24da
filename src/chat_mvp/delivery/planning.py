"""From operations to a batch: bringing into memory what they need, and applying them in turn."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from chat_mvp.delivery.batch import Batch, Operation
from chat_mvp.delivery.bus import Bus
from chat_mvp.delivery.rosters import Rosters
from chat_mvp.errors import ChatError
from chat_mvp.storage.messages import Messages, SentKey
from chat_mvp.storage.records import MessageRecord

Refusals = list[tuple[Operation, ChatError]]


class Planner:
    """Makes batches of what is believed of conversations; writes nothing."""

    def __init__(
        self,
        *,
        messages: Messages,
        rosters: Rosters,
        bus: Bus,
        is_reachable: Callable[[str], bool],
        queue_max_members: int,
        clock: Callable[[], datetime],
    ) -> None:
        """Read from ``messages`` and ``rosters``; batches publish to ``bus`` once they are let out."""
        self._messages = messages
        self._rosters = rosters
        self._bus = bus
        self._is_reachable = is_reachable
        self._queue_max_members = queue_max_members
        self._clock = clock
        self._now = clock()

    def begin(self) -> Batch:
        """Return an empty batch, in which operations can be applied that need nothing but what is in memory."""
        return self._batch({}, {})

    async def plan(self, operations: Sequence[Operation], *, look_up: bool) -> tuple[Batch, Refusals]:
        """Return a batch of the operations, and those it refuses. ``look_up`` asks first which sends are stored."""
        sent = await self._fetch_sent(operations) if look_up else {}
        while True:
            messages = await self._load(operations)
            batch = self._batch(messages, sent)
            refused = _apply(operations, batch)
            # Before a send is refused: it may be a repetition of one that was stored, whatever it says now.
            found = await self._fetch_sent(operation for operation, _ in refused if operation.sent_key not in sent)
            if not found:
                return batch, refused
            self._rosters.forget(batch.writes.touched())
            sent |= found

    async def _fetch_sent(self, operations: Iterable[Operation]) -> dict[SentKey, MessageRecord]:
        return await self._messages.fetch_sent({op.sent_key for op in operations if op.sent_key is not None})

    async def _load(self, operations: Sequence[Operation]) -> dict[str, MessageRecord]:
        """Bring into memory what the operations need, and return the messages that they name."""
        ids = {message_id for operation in operations for message_id in operation.message_ids}
        keys = {operation.direct_key for operation in operations if operation.direct_key is not None}
        conversations = {op.conversation_id for op in operations if op.conversation_id is not None}
        while True:
            with self._rosters.watching() as dropped:
                messages = await self._messages.fetch_by_ids(ids) if ids else {}
                if keys:
                    await self._rosters.load_direct(keys)
                named = conversations | {record.message.conversation_id for record in messages.values()}
                await self._rosters.load(named)
            needed = named | keys | {self._rosters.direct_id(key) for key in keys}
            if needed.isdisjoint(dropped):
                return messages
            # A block was set or lifted meanwhile, or a batch failed, which dropped a roster that is needed here.

    def _batch(self, messages: dict[str, MessageRecord], sent: dict[SentKey, MessageRecord]) -> Batch:
        # Never back, whatever the clock does: who asks what changed since a time relies on it.
        self._now = max(self._now, self._clock())
        return Batch(
            now=self._now,
            rosters=self._rosters,
            messages=messages,
            sent=sent,
            is_reachable=self._is_reachable,
            publish=self._bus.publish,
            queue_max_members=self._queue_max_members,
        )


def _apply(operations: Sequence[Operation], batch: Batch) -> Refusals:
    refused: Refusals = []
    for operation in operations:
        try:
            operation.apply(batch)
        except ChatError as error:
            refused.append((operation, error))
    return refused
