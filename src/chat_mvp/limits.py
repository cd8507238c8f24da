"""Every limit on what a client may send and on what the server keeps for it, with its unit and its reason.

``docs/limits.md`` lists them with what a client sees when it reaches one; a test compares the two.
"""

# ------------------------------------------------------------------------------------------- frames and connections

MAX_FRAME_BYTES = 128 * 1024
"""A longer client frame closes the connection with 1009."""
MAX_BODY_BYTES = 1024 * 1024
MAX_KNOWN = 3_000
"""Conversations a client may name in ``connect``."""
MAX_READY_CONVERSATIONS = 500
"""Conversations in ``ready`` and in each ``ready.conversations``, about 130 KB: far below ``MAX_WAITING_BYTES``."""
MAX_INTRODUCED = 200
"""Conversations that one connect introduces as ``conversation.joined``."""
MAX_RESUME_CHANGES = 500
"""More missed changes of one conversation than this are answered with ``conversation.reset``."""
MAX_RESUME_CHANGES_PER_CONNECT = 10_000
"""Missed changes of all conversations together; the conversations beyond it are answered as well with a reset."""
MAX_RESUME_CONVERSATIONS = 500
"""Conversations whose changes one connect streams; each costs a query."""
MAX_COUNTED_UNREAD = 1_000
"""The highest ``unread``: it means that more than 999 messages are unread."""
MAX_COUNTED_QUEUE = 25_000
"""The highest ``queued`` in ``ready``."""
MAX_SCANNED_UNREAD = 2_000
"""Sequence numbers of one conversation that are looked at to count its unread messages."""
MAX_SCANNED_UNREAD_PER_CONNECT = 20_000
"""The same for all conversations of one connect, or of one page of a list."""
MAX_WATCHED_PRESENCES = 1_000
"""Contacts and direct peers whose presence one connection gets without asking for it."""
MAX_SUBSCRIBED_PRESENCES = 200
MAX_CONNECTIONS_PER_ACCOUNT = 20
CONNECTS_PER_S = 4
CONNECTS_BURST = 40
"""Connections of one account that begin; those beyond it wait for ``ready``."""
CONNECT_TIMEOUT_S = 5.0
TYPING_TIMEOUT_S = 6.0
MAX_BAD_FRAMES_PER_MINUTE = 10
MAX_WAITING_FRAMES = 1_000
"""Frames that may wait to be read by one client."""
MAX_WAITING_BYTES = 1024 * 1024
"""Bytes that may wait to be read by one client."""
TOKEN_WARNING_S = 60
FRAMES_PER_S = 1_000
FRAMES_BURST = 5_000
"""Frames on one connection, with limits on; far more than a well-behaved client sends."""

# --------------------------------------------------------------------------------------------------------- messages

MAX_TEXT_CHARS = 10_000
MAX_ATTACHMENTS = 20
MAX_EMOJIS_PER_MESSAGE = 20
MAX_PINNED_MESSAGES = 100
"""In one conversation."""
MAX_MENTIONS = 50
"""People found as mentions in one text."""
MAX_EDITS_KEPT = 100
"""Earlier texts kept of one message: with them it stays far below MongoDB's 16 MiB for one document."""

# ---------------------------------------------------------------------------------------------------- conversations

MAX_SMALL_CONVERSATION = 64
"""Up to this many members, the server sends receipts and computes ``others_…`` marks."""
MAX_MEMBERS = 10_000
"""Members of one conversation, whatever it asks for."""
MAX_SEQ = 2**53 - 1
"""Far above every message, and still exact in a client written in JavaScript."""

# --------------------------------------------------------------------------------------------- accounts and contacts

MIN_USERNAME_CHARS = 3
MAX_USERNAME_CHARS = 32
MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 256
MAX_EMAIL_CHARS = 254
"""RFC 5321 section 4.5.3.1.3 allows a path of 256, angle brackets included."""
MAX_DISPLAY_NAME_CHARS = 100
MAX_DEVICE_NAME_CHARS = 100
MAX_BIO_CHARS = 500
MAX_STATUS_CHARS = 140
MAX_NICKNAME_CHARS = 100
MAX_OBJECT_BYTES = 16 * 1024
"""``profile`` and ``settings`` of an account, each as JSON."""
MAX_OBJECT_DEPTH = 32

# ------------------------------------------------------------------------------------------------------------ pages

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR_CHARS = 1_000
