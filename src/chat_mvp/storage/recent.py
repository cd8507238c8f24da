"""Reads a few recent messages of many conversations, for many users who connect at once.

The members of a conversation have missed the same messages and have not read the same ones. So concurrent callers share
the queries. Every caller asks for few messages: more of them are read by ``storage.messages``.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from bson import ObjectId

from chat_mvp.storage.client import Collections, RawDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.ids import known_object_id
from chat_mvp.storage.messages import WITHOUT_EDITS, to_record
from chat_mvp.storage.records import MessageRecord, SeqRange
from chat_mvp.storage.sharing import SharedReads

FEW = 25
"""How many messages of one conversation are few."""
_RANGES_AT_ONCE = 100
"""Branches of one ``$or``. Each has the same index (``hint``), so it takes little time to plan the query."""
_MESSAGES_AT_ONCE = 1_000
"""Messages in one reply. Decoding them blocks the event loop for a few milliseconds."""
_BY_SEQ = [("conversation_id", 1), ("seq", 1)]
_BY_REV = [("conversation_id", 1), ("rev", 1)]
_HEAD = {"_id": 0, "conversation_id": 1, "seq": 1, "sender_id": 1, "kind": 1, "deleted_at": 1}


class ChangedRange(NamedTuple):
    """The messages of a conversation with ``rev > after_rev`` and ``above < seq <= up_to``."""

    conversation_id: str
    after_rev: int
    above: int
    up_to: int


class _Head(NamedTuple):
    """What decides whether a message counts as unread."""

    seq: int
    sender_id: ObjectId
    is_counted: bool


class RecentMessages:
    """Reads from the ``messages`` collection. Every read is majority-committed."""

    def __init__(self, collections: Collections) -> None:
        """Read from this database."""
        self._messages = collections["messages"]
        self._heads = SharedReads[SeqRange, list[_Head]](self._read_heads, max_keys=_RANGES_AT_ONCE)
        self._changes: SharedReads[ChangedRange, list[MessageRecord]] = SharedReads(
            self._read_changes, max_keys=_RANGES_AT_ONCE
        )

    async def count_unread(self, user_id: str, ranges: Iterable[SeqRange]) -> dict[str, int]:
        """Return the number of undeleted text messages of other users in ranges, by conversation.

        Each range has at most ``FEW`` messages, and there is one for each conversation.
        """
        user = known_object_id(user_id)
        return {
            each.conversation_id: sum(head.is_counted and head.sender_id != user for head in heads)
            for each, heads in (await self._heads.fetch(list(ranges))).items()
        }

    async def fetch_changed(self, ranges: Iterable[ChangedRange]) -> dict[str, list[MessageRecord]]:
        """Return the messages in ranges, each once, by ascending ``rev``, by conversation.

        Pass only conversations with few changes, and each at most once. If a query finds too many, all conversations of
        that query are left out.
        """
        found = await self._changes.fetch(list(ranges))
        return {each.conversation_id: records for each, records in found.items()}

    async def _read_heads(self, ranges: Sequence[SeqRange]) -> Mapping[SeqRange, list[_Head]]:
        either = [_seq_query(*each) for each in _merged(ranges)]
        found: dict[str, list[_Head]] = {}
        with translated():
            documents = await self._messages.find(
                {"$or": either}, _HEAD, hint=_BY_SEQ, batch_size=_MESSAGES_AT_ONCE
            ).to_list(None)
        for document in documents:
            is_counted = document["kind"] == "text" and document.get("deleted_at") is None
            head = _Head(document["seq"], document["sender_id"], is_counted)
            found.setdefault(str(document["conversation_id"]), []).append(head)
        return {
            each: [head for head in found.get(each.conversation_id, ()) if each.after < head.seq <= each.up_to]
            for each in ranges
        }

    async def _read_changes(self, ranges: Sequence[ChangedRange]) -> Mapping[ChangedRange, list[MessageRecord]]:
        """Return the changes by range. Return nothing when they are too many to be read at once."""
        either = [
            _seq_query(each.conversation_id, each.above, each.up_to) | {"rev": {"$gt": each.after_rev}}
            for each in ranges
        ]
        limit = 2 * FEW * len(ranges)
        latest: dict[str, dict[str, MessageRecord]] = {}
        with translated():
            cursor = self._messages.find(
                {"$or": either}, WITHOUT_EDITS, hint=_BY_REV, limit=limit, batch_size=_MESSAGES_AT_ONCE
            )
            documents = await cursor.to_list(None)
        if len(documents) == limit:
            return {}
        for document in documents:
            # A message that changes while the index is read can be found twice. The second one is its new state.
            record = to_record(document)
            message = record.message
            latest.setdefault(message.conversation_id, {})[message.id] = record
        return {
            each: sorted(_changed_in(each, latest.get(each.conversation_id, {}).values()), key=_rev) for each in ranges
        }


def _changed_in(where: ChangedRange, records: Iterable[MessageRecord]) -> Iterator[MessageRecord]:
    for record in records:
        message = record.message
        if message.rev > where.after_rev and where.above < message.seq <= where.up_to:
            yield record


def _rev(record: MessageRecord) -> int:
    return record.message.rev


def _merged(ranges: Collection[SeqRange]) -> Iterator[SeqRange]:
    """Return ranges without those that other ranges contain."""
    lowest: dict[tuple[str, int], int] = {}
    for each in ranges:
        key = each.conversation_id, each.up_to
        lowest[key] = min(each.after, lowest.get(key, each.after))
    for (conversation_id, up_to), after in lowest.items():
        yield SeqRange(conversation_id, after, up_to)


def _seq_query(conversation_id: str, above: int, up_to: int) -> RawDocument:
    return {"conversation_id": known_object_id(conversation_id), "seq": {"$gt": above, "$lte": up_to}}
