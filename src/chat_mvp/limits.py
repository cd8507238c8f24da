"""Every limit on what a client may send and on what the server keeps for it, with its unit and its reason.

``docs/limits.md`` lists them with what a client sees when it reaches one; a test compares the two.
"""

# ------------------------------------------------------------------------------------------- frames and connections

MAX_FRAME_BYTES = 128 * 1024
"""A longer client frame closes the connection with 1009."""
MAX_BODY_BYTES = 1024 * 1024
MAX_KNOWN = 3_000
"""Conversations a client may name in ``connect``."""
MAX_RESUME_CHANGES = 500
"""More missed changes of one conversation than this are answered with ``conversation.reset``."""
MAX_SUBSCRIBED_PRESENCES = 200
MAX_CONNECTIONS_PER_ACCOUNT = 20
CONNECT_TIMEOUT_S = 5.0
TYPING_TIMEOUT_S = 6.0
TYPING_REPEAT_S = 3.0
"""A repeated ``typing`` with ``start`` is passed on at most this often: half of ``TYPING_TIMEOUT_S``."""
MAX_TYPING_MEMBERS = 1_000
"""In larger conversations typing is not passed on."""
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
MAX_REACTIONS_PER_MESSAGE = 1_000
"""Of all people and emojis together: each names a person, and each change sends all of them to every member."""
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
MAX_CONVERSATIONS = 10_000
"""In which one person may be."""
MAX_UNSEEN_FROM_STRANGERS = 500
"""Conversations that wait for one person, put there by people they do not know: several times a team's groups."""
MAX_UNSEEN_FROM_ONE_STRANGER = 200
"""The same from one account, so that no account alone keeps the others out."""
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
MAX_SESSIONS_PER_ACCOUNT = 100
"""Devices that are signed in to one account."""
MAX_PASSWORDS_AT_ONCE = 2
"""Passwords that are hashed at once, each with 64 MiB of memory."""
MAX_PASSWORDS_WAITING = 200
"""Passwords that wait to be hashed: about ten seconds of work."""
MAX_FAMILIAR_ADDRESSES = 100_000
"""Pairs of account and address that are remembered to have signed in, since the start."""
MAX_CONTACTS = 5_000
"""In one contact list: it is read whole with each connect."""
MAX_BLOCKED = 5_000
"""In one block list."""
MAX_OBJECT_BYTES = 16 * 1024
"""``profile`` and ``settings`` of an account, each as JSON."""
MAX_OBJECT_DEPTH = 32

# -------------------------------------------------------------------------------------------- work at the same time

REFUSAL_PAUSE_S = 0.2
"""How long an answer ``rate_limited`` is held back at most: refusing a flood must cost less than serving it."""
MAX_LIMITED_KEYS = 100_000
"""Accounts or addresses that one budget keeps count of."""

MAX_COSTLY_AT_ONCE = 8
"""Searches, requests for changes and changes of contacts that are worked on at once."""
MAX_COSTLY_AT_ONCE_EACH = 2
"""The same of one account."""
MAX_COSTLY_WAITING = 500
"""The same that wait for their turn."""

# ------------------------------------------------------------------------------------------------------------ pages

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR_CHARS = 1_000
