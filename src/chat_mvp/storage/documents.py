"""The collections: what each document holds and which indexes it needs.

Beanie creates the indexes at start (``doctor`` checks them). Index options are part of the contract: the unique ones
hold promises (one direct conversation for a pair, one message for a ``client_message_id``, no gap or repeat in
``seq``), the TTL ones bound what can grow.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from beanie import Document, Indexed, PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field
from pymongo import ASCENDING, IndexModel

from chat_mvp.protocol import AckStatus, ConversationKind, MessageKind, Notify, Priority, Role, Visibility

DAY_S = 24 * 60 * 60
CONNECTION_TTL_S = 5 * 60
"""A connection whose process died disappears after this long."""


class UserDocument(Document):
    """An account with its profile, settings and last known presence. Written through Beanie."""

    username: str
    username_folded: Annotated[str, Indexed(unique=True)]
    email: str
    email_folded: Annotated[str, Indexed(unique=True)]
    email_verified: bool = False
    """Nothing verifies addresses yet. Accounts of earlier versions have true here all the same."""
    password_hash: str
    display_name: str
    name_words: list[str]
    """Folded username and words of the display name, for finding people by the beginning of any of them."""
    avatar_url: str | None = None
    bio: str = ""
    status_text: str = ""
    role: str = "member"
    profile_json: str = "{}"
    settings_json: str = "{}"
    presence: str = "online"
    """The presence the person chose; whether they are there is known from their connections."""
    last_seen: datetime | None = None
    created_at: datetime

    class Settings:
        """Name and indexes of the collection."""

        name = "users"
        indexes: ClassVar[list[IndexModel]] = [IndexModel([("name_words", ASCENDING), ("_id", ASCENDING)])]


class AuthSessionDocument(Document):
    """One signed-in device. Only hashes of refresh tokens are kept. Written through Beanie."""

    user_id: Annotated[PydanticObjectId, Indexed()]
    device_name: str
    address: str
    token_hash: Annotated[str, Indexed(unique=True)]
    """Of the refresh token that is good now."""
    spent_hash: str | None = None
    """Of the one before it, which for ten seconds still gets the same answer."""
    spent_at: datetime | None = None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime

    class Settings:
        """Name and indexes of the collection; the TTL index is made apart, since its length has changed."""

        name = "auth_sessions"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("spent_hash", ASCENDING)], sparse=True),
        ]


class ContactDocument(Document):
    """A user in another user's contact list or block list. Written through Beanie."""

    owner_id: PydanticObjectId
    other_id: Annotated[PydanticObjectId, Indexed()]
    listed: bool
    nickname: str | None = None
    blocked: bool = False
    blocked_at: datetime | None = None
    created_at: datetime

    class Settings:
        """Name and indexes of the collection."""

        name = "contacts"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("owner_id", ASCENDING), ("other_id", ASCENDING)], unique=True),
        ]


class StoredOwedRange(BaseModel):
    """The messages that wait for their recipients until they confirm them: ``after < seq <= up_to``."""

    model_config = ConfigDict(extra="forbid")

    after: int
    up_to: int | None


class ConversationDocument(Document):
    """A conversation and its counters. Written by the writer, as plain documents."""

    kind: ConversationKind
    name: str | None
    description: str
    visibility: Visibility
    avatar_url: str | None
    max_participants: int | None
    post: str
    member_count: int
    created_by: PydanticObjectId
    created_at: datetime
    updated_at: datetime
    activity_at: datetime
    last_seq: int
    rev: int
    changed_at: datetime | None = None
    """When one of its messages was last changed after it was sent; ``activity_at`` is when the last one was sent."""
    pinned_count: int = 0
    public_after_seq: int = 0
    """The last message before it became public."""
    direct_key: str | None
    """The two user ids of a direct conversation in ascending order, so that a pair has one."""
    owed: StoredOwedRange | None = None
    """``None`` in a conversation of an older version until its next message: what waits has an entry in the queue."""

    class Settings:
        """Name and indexes of the collection."""

        name = "conversations"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel(
                [("direct_key", ASCENDING)],
                unique=True,
                partialFilterExpression={"direct_key": {"$type": "string"}},
            ),
            IndexModel(
                [("name", ASCENDING)],
                name="public_name",
                partialFilterExpression={"visibility": "public"},
            ),
        ]


class StoredMarks(BaseModel):
    """How far a person has received and read a conversation, and since when."""

    model_config = ConfigDict(extra="forbid")

    delivered_seq: int
    read_seq: int
    delivered_at: datetime | None = None
    read_at: datetime | None = None


class MembershipDocument(Document):
    """One person in one conversation, with role, marks and own settings. Written as plain documents."""

    conversation_id: PydanticObjectId
    user_id: PydanticObjectId
    role: Role
    visible: bool
    """False for the peer of a direct conversation until its first message."""
    joined_at: datetime
    updated_at: datetime
    joined_seq: int
    delivered_seq: int
    read_seq: int
    delivered_at: datetime | None = None
    """When ``delivered_seq`` came to where it is."""
    read_at: datetime | None = None
    muted_until: datetime | None
    pinned: bool
    archived: bool
    draft: str
    notify: Notify
    frozen_marks: StoredMarks | None = None
    """The marks that the others know, while later ones are withheld from them."""
    unread_from: int | None = None
    added_by: PydanticObjectId | None = None
    """Who put the person there without being known to them; left out for everyone else."""
    unread_from_read: int | None = None
    """The value of ``read_seq`` for which ``unread_from`` holds."""
    hidden_seq: int | None = None
    """The person never sees what was said up to here."""

    class Settings:
        """Name and indexes of the collection."""

        name = "memberships"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("conversation_id", ASCENDING), ("user_id", ASCENDING)], unique=True),
            IndexModel(
                [("user_id", ASCENDING), ("added_by", ASCENDING)],
                name="added_by_strangers",
                partialFilterExpression={"added_by": {"$type": "objectId"}},
            ),
            # ``visible`` makes it differ: Beanie takes two indexes of the same fields in another order for one.
            IndexModel([("user_id", ASCENDING), ("conversation_id", ASCENDING), ("visible", ASCENDING)]),
        ]


class StoredThread(BaseModel):
    """What a message knows of the replies to it."""

    count: int
    last_seq: int


class StoredReaction(BaseModel):
    """One emoji on a message, and the people who put it there."""

    emoji: str
    user_ids: list[PydanticObjectId]


class StoredEdit(BaseModel):
    """An earlier text of a message, and when it was replaced."""

    text: str
    at: datetime


class MessageDocument(Document):
    """A message with everything that ever changed in it. Written by the writer, as plain documents."""

    conversation_id: PydanticObjectId
    seq: int
    rev: int
    made_rev: int
    """The revision that brought the message: it tells a new message from a changed one while catching up."""
    sender_id: PydanticObjectId
    client_message_id: str
    kind: MessageKind
    text: str
    priority: Priority
    status: AckStatus
    """What the first acknowledgement said, so that a repeated one says the same."""
    created_at: datetime
    # What is empty is left out of the stored document.
    attachments: list[dict[str, Any]] = Field(default_factory=list)
    reply_to: PydanticObjectId | None = None
    thread_root: PydanticObjectId | None = None
    thread: StoredThread | None = None
    mentions: list[PydanticObjectId] = Field(default_factory=list)
    reactions: list[StoredReaction] = Field(default_factory=list)
    pinned: bool = False
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    changed_at: datetime | None = None
    """When it was last changed in any way; left out of what never was, whose time is ``created_at``."""
    edits: list[StoredEdit] = Field(default_factory=list)

    class Settings:
        """Name and indexes of the collection."""

        name = "messages"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("conversation_id", ASCENDING), ("seq", ASCENDING)], unique=True),
            IndexModel([("conversation_id", ASCENDING), ("rev", ASCENDING)]),
            IndexModel([("sender_id", ASCENDING), ("client_message_id", ASCENDING)], unique=True),
            IndexModel(
                [("thread_root", ASCENDING), ("seq", ASCENDING)],
                partialFilterExpression={"thread_root": {"$type": "objectId"}},
            ),
            # Not only conversation and seq: of two indexes with the same keys, beanie makes one.
            IndexModel(
                [("conversation_id", ASCENDING), ("pinned", ASCENDING), ("seq", ASCENDING)],
                name="pinned",
                partialFilterExpression={"pinned": True},
            ),
        ]


class QueueKey(BaseModel):
    """For whom which message waits, in the order in which they are read: a person's queue is one range of keys."""

    recipient_id: PydanticObjectId
    conversation_id: PydanticObjectId
    seq: int


class QueueDocument(Document):
    """A message that one recipient has not acknowledged. Written by the writer, as plain documents.

    Its key is all that it is looked for by, which spares other indexes: an entry is written and removed with every
    message (docs/decisions/0010-queue-by-key.md has the figures).
    """

    id: QueueKey  # type: ignore[assignment]
    message_id: PydanticObjectId
    priority: int
    """0 for high, 1 for normal, so that ascending order is the order of delivery."""
    attempts: int
    created_at: datetime

    class Settings:
        """Name and indexes of the collection; the TTL index is made apart, since its length is a setting."""

        name = "message_queue"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("_id.recipient_id", ASCENDING)], name="urgent", partialFilterExpression={"priority": 0}),
        ]


class ConnectionDocument(Document):
    """One live WebSocket of any process, kept fresh by heartbeats. Written as plain documents."""

    user_id: Annotated[PydanticObjectId, Indexed()]
    device_id: str | None
    process: str
    connected_at: datetime
    heartbeat: datetime

    class Settings:
        """Name and indexes of the collection."""

        name = "active_connections"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("heartbeat", ASCENDING)], expireAfterSeconds=CONNECTION_TTL_S),
        ]


class JobDocument(Document):
    """Work that must be done once what caused it is stored. Written as plain documents."""

    kind: str
    payload: dict[str, Any]
    state: str
    """``waiting``, or ``dead`` after too many attempts."""
    due_at: datetime
    """When it may be claimed; a claim moves this into the future for as long as its owner may take."""
    owner: str | None = None
    """The process that claimed it last."""
    attempts: int
    error: str | None = None
    created_at: datetime

    class Settings:
        """Name and indexes of the collection."""

        name = "jobs"
        indexes: ClassVar[list[IndexModel]] = [IndexModel([("state", ASCENDING), ("due_at", ASCENDING)])]


class EventDocument(Document):
    """The events of one transaction (``chat_mvp.events``). Written as plain documents, in that transaction."""

    at: datetime
    process: str
    """The process that wrote it."""
    types: list[str]
    """Which types of events are in it, so that readers can choose."""
    body: str

    class Settings:
        """Name of the collection; the TTL index is made apart, since its length is a setting."""

        name = "events"


class ConsumerDocument(Document):
    """How far a consumer of events has come. Written as plain documents.

    Its key is the name of the consumer.
    """

    id: str  # type: ignore[assignment]
    types: list[str]
    """Which events it wants."""
    state: str
    """``new`` until its first rebuild has ended, then ``running``; ``lost`` when it must rebuild as events are gone."""
    cursor: dict[str, Any] | None = None
    """The resume token of MongoDB after which it goes on."""
    at: datetime | None = None
    """Everything that was stored up to then is handled."""
    owner: str | None = None
    """The process that claimed it last."""
    leased_until: datetime
    handled: int = 0
    failed: int = 0
    set_aside: int = 0
    """How many events were ever set aside."""
    error: str | None = None
    failing_since: datetime | None = None

    class Settings:
        """Name of the collection."""

        name = "consumers"


class SetAsideDocument(Document):
    """An event that a consumer could not handle. Written as plain documents."""

    consumer: str
    source: str
    """The document of ``events`` it comes from, and its number there."""
    position: int
    event: str
    """The event as text, as it was stored."""
    error: str
    at: datetime
    """When it was set aside."""
    retry: bool = False
    """Whether someone asked for another attempt."""

    class Settings:
        """Name and indexes of the collection."""

        name = "set_aside_events"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("consumer", ASCENDING), ("retry", ASCENDING)]),
            IndexModel([("consumer", ASCENDING), ("source", ASCENDING), ("position", ASCENDING)], unique=True),
        ]


class MetaDocument(Document):
    """Facts about the database itself, such as its epoch and its schema version. Written as plain documents."""

    key: Annotated[str, Indexed(unique=True)]
    value: Any

    class Settings:
        """Name and indexes of the collection."""

        name = "meta"


ALL_DOCUMENTS: tuple[type[Document], ...] = (
    UserDocument,
    AuthSessionDocument,
    ContactDocument,
    ConversationDocument,
    MembershipDocument,
    MessageDocument,
    QueueDocument,
    ConnectionDocument,
    JobDocument,
    EventDocument,
    ConsumerDocument,
    SetAsideDocument,
    MetaDocument,
)
