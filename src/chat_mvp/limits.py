"""Every limit on what a client may send and on what the server keeps for it, with its unit and its reason.

``docs/limits.md`` lists them with what a client sees when it reaches one; a test compares the two.
"""

# ------------------------------------------------------------------------------------------- frames and connections

MAX_FRAME_BYTES = 128 * 1024
"""A longer client frame closes the connection with 1009."""
MAX_BODY_BYTES = 128 * 1024
"""As for frames. The longest text, each character of it escaped as a pair of ``\\u…``, takes 120,000 bytes."""
MAX_KNOWN = 3_000
"""Conversations a client may name in ``connect``."""
MAX_RESUME_CHANGES = 500
"""More missed changes of one conversation than this are answered with ``conversation.reset``."""
MAX_SUBSCRIBED_PRESENCES = 200
MAX_CONNECTIONS_PER_ACCOUNT = 20
CONNECT_TIMEOUT_S = 5.0
TYPING_TIMEOUT_S = 6.0
MAX_BAD_FRAMES_PER_MINUTE = 10
MAX_WAITING_FRAMES = 1_000
"""Frames that may wait to be read by one client."""
MAX_WAITING_BYTES = 1024 * 1024
"""Bytes that may wait to be read by one client."""
MAX_TOKEN_CHARS = 1_000
"""An access or refresh token, in whatever place; those of this server have less than 400."""
MAX_COOKIE_CHARS = 8_000
"""The header ``Cookie``, which also carries those of other programs on the same host."""
MAX_DEVICE_ID_CHARS = 128
MAX_EPOCH_CHARS = 64
MAX_REF_CHARS = 64
MAX_REF = 2**53
"""Exact in a client written in JavaScript; references may be negative."""
TOKEN_WARNING_S = 60
FRAMES_PER_S = 1_000
FRAMES_BURST = 5_000
"""Frames on one connection, with limits on; far more than a well-behaved client sends."""

# --------------------------------------------------------------------------------------------------------- messages

MAX_TEXT_CHARS = 10_000
MAX_CLIENT_MESSAGE_ID_CHARS = 64
MAX_EMOJI_CHARS = 32
"""One emoji; the longest of Unicode has 14."""
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
MAX_CONVERSATION_NAME_CHARS = 100
MAX_DESCRIPTION_CHARS = 1_000
MAX_FIRST_MEMBERS = 1_000
"""People who may be named when a conversation is made; more are added afterwards."""
MAX_URL_CHARS = 2_000
MAX_DRAFT_CHARS = 10_000
MAX_SEQ = 2**53 - 1
"""Far above every message, and still exact in a client written in JavaScript."""

# --------------------------------------------------------------------------------------------- accounts and contacts

MIN_USERNAME_CHARS = 3
MAX_USERNAME_CHARS = 32
MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 256
MAX_JUDGED_PASSWORD_CHARS = 32
"""A password is judged by so many characters of it: the time to estimate it grows faster than its length."""
MIN_PASSWORD_SCORE = 3
"""Of 0 to 4 by zxcvbn: at least a hundred million guesses."""
MIN_PASSWORD_CHARS_BESIDE_NAMES = 8
"""What a password with the person's own names in it has beside them."""
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

# --------------------------------------------------------------------------------------------- parameters and pages

MAX_QUERY_CHARS = 100
MAX_QUERY_WORDS = 10
MAX_TIME_CHARS = 40
"""An RFC 3339 time; one to the nanosecond with an offset has 35."""
MIN_YEAR = 1970
"""The earliest year of a time from a client; the latest is 9999."""
DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR_CHARS = 1_000
