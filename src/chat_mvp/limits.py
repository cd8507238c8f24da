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
MAX_CATCHING_UP_AT_ONCE = 128
"""Connections that are brought up to date at once.

They are at different steps, and those at the same step share a query. So with fewer, each query serves fewer.
"""
MAX_CATCHING_UP_AT_ONCE_EACH = 2
"""The same of one account."""
CATCH_UP_FRAMES_PER_SLOT = 100
"""Frames that a connection gets while it catches up, before others have their turn."""
MAX_HELD_EVENTS = 20_000
"""Events that one connection has not got yet because it catches up. They are shared, so each costs a reference."""
MAX_HELD_BYTES = 4 * 1024 * 1024
"""Bytes of these events. If only one connection holds an event, it costs about four times its size."""
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
TOKEN_FUTURE_S = 60
"""How far in the future a token may have been issued: clocks of two servers differ by less.

One from further ahead was issued by a clock that has been set right since, and would be good for as much longer.
"""
FRAMES_PER_S = 1_000
FRAMES_BURST = 5_000
"""Frames on one connection, with limits on; far more than a well-behaved client sends."""

# --------------------------------------------------------------------------------------------------------- messages

MAX_TEXT_CHARS = 10_000
TEXT_BYTES_PER_SEND = 1_000
"""Bytes of text, in UTF-8, that an account may publish for each send that its rate allows."""
TEXT_BURST_BYTES_PER_SEND = 2_000
"""The same for each send that may be made at once."""
MIN_TEXT_BURST_BYTES = 400_000
"""Of text at once, however few sends the settings allow: ten texts of the maximum length, of any characters.

It is also more than one message with all its reactions can have.
"""
MAX_CLIENT_MESSAGE_ID_CHARS = 64
MAX_EMOJI_CHARS = 32
"""One emoji; the longest of Unicode has 14."""
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
MAX_UNSEEN_RESERVED = 10
"""The same from one account once ``MAX_UNSEEN_FROM_STRANGERS`` wait, so that a few accounts do not keep others out."""
MAX_UNSEEN_IN_ALL = 2_000
"""The same from strangers in all, these included: using them up takes more than 150 accounts."""
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
MAX_SESSIONS_PER_ACCOUNT = 100
"""Devices that are signed in to one account."""
MAX_PASSWORDS_AT_ONCE = 2
"""Passwords that are hashed at once, each with 64 MiB of memory."""
MAX_PASSWORDS_WAITING = 200
"""Passwords that wait to be hashed: about ten seconds of work."""
MAX_STRENGTHS_WAITING = 100
"""Passwords that wait to be judged: about five seconds of work at worst."""
MAX_FAMILIAR_ADDRESSES = 100_000
"""Pairs of account and address that are remembered to have signed in, since the start."""
MAX_CONTACTS = 5_000
"""In one contact list: it is read whole with each connect."""
MAX_BLOCKED = 5_000
"""In one block list."""
MAX_PROFILE_MEMBERSHIPS = 100_000
"""Memberships, and entries of contact lists, that are read to find who gets a changed profile.

As many as ten conversations of the largest size have.
"""
MAX_WAITING_PROFILES = 10_000
"""Changed profiles that wait to be sent, one for each person."""
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
"""The same that wait."""
MAX_PAGES_AT_ONCE = 8
"""Pages of messages that are read at once: one may have 200 messages of 10,000 characters."""
MAX_PAGES_AT_ONCE_EACH = 1
"""The same of one account."""
MAX_PAGES_WAITING = 5_000
"""The same that wait: after a restart everyone asks for some."""

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

# ---------------------------------------------------------------------------------------------------------- backups

MAX_BACKUP_PART_BYTES = 32 * 1024 * 1024
"""Of one part, compressed or not: parts are written at about 8 MiB, and one document may add 16 MiB."""
MAX_BACKUP_PARTS = 100_000
"""Some 800 GB of documents; a restore keeps a line of each in memory."""
MAX_BACKUP_MANIFEST_BYTES = 32 * 1024 * 1024
# ------------------------------------------------------------------------------------------- before anyone signs in

MAX_URL_BYTES = 8_000
"""RFC 9110 section 4.1 wants a server to take 8,000 octets."""
MAX_HEAD_BYTES = 16 * 1024
"""Names and values of all headers of one request, and of the trailers behind a chunked body."""
MAX_HEADERS = 100
MAX_OPEN_BODY_BYTES = 16 * 1024
"""In a request that needs no access token: everyone can send it."""
MAX_PIPELINED_REQUESTS = 16
"""Requests of one connection that may wait for the answer to the one before. Browsers send none."""
MAX_CONNECTIONS = 50_000
"""In the whole server; fewer where the system allows fewer open files."""
MAX_INTAKE_BYTES = 16 * 1024 * 1024
"""Bytes of bodies and first frames in memory, of the whole server."""
HEAD_TIMEOUT_S = 10.0
"""From the first byte of a request, or from the start of a connection, to the end of the headers."""
BODY_TIMEOUT_S = 10.0
"""For a body, besides the time that it needs at ``MIN_BODY_BYTES_PER_S``."""
MIN_BODY_BYTES_PER_S = 4_096
KEEP_ALIVE_S = 5.0
"""An HTTP connection may wait so long for its next request."""
MAX_PINGS_PER_S = 50
"""WebSocket pings on one connection; clients send one in many seconds."""
MAX_FRAGMENTS = 1_000
"""Of one WebSocket message: without a limit, empty ones hold memory and never come to the limit of a frame."""
READ_TIMEOUT_S = 20.0
"""A client may leave an answer unread so long."""
MAX_UNREAD_BYTES = 64 * 1024 * 1024
"""Of answers that clients have not read, in the whole server: a page of messages may have 8 MB."""
READ_BYTES = 8 * 1024
"""Read from one connection before the others have their turn: up to a thousand small frames, 15 ms of work."""
LINGER_S = 1.0
"""How long what a client still sends is thrown away, so that it reads why it was refused before it sees the end."""
MAX_DISCARDED_BYTES = 16 * 1024 * 1024
"""Of a body that is refused: so much of it is thrown away before the answer."""
MAX_DISCARDING_S = 5.0
"""How long a refused body is thrown away before the answer."""
