"""Users: their own account, their public profile, and search."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import msgspec
from msgspec import UNSET, Raw, UnsetType

from chat_mvp.characters import line_complaint, name_complaint, paragraph_complaint
from chat_mvp.errors import NotFoundError, ValidationError, no_such_user
from chat_mvp.events.types import ProfileChanged
from chat_mvp.features.users.schemas import ProfilePatch
from chat_mvp.limits import MAX_OBJECT_BYTES, MAX_OBJECT_DEPTH, MAX_QUERY_WORDS
from chat_mvp.ops.disk import CheckRoom
from chat_mvp.protocol import OwnUser, User
from chat_mvp.security.fair_semaphore import FairSemaphore
from chat_mvp.storable import check_storable
from chat_mvp.storage.directory import UserDirectory, public_user
from chat_mvp.storage.folding import fold_text
from chat_mvp.storage.recorded import RecordedTransaction, Recorder
from chat_mvp.storage.records import UserRecord
from chat_mvp.storage.users import UserChanges, Users, damaged
from chat_mvp.validation_messages import invalid_value

_decode_object = msgspec.json.Decoder(dict[str, object]).decode


class UserService:
    """Returns and changes accounts."""

    def __init__(
        self,
        *,
        users: Users,
        directory: UserDirectory,
        recorder: Recorder,
        on_status_changed: Callable[[str, str], None],
        changing_status: Callable[[str], AbstractAsyncContextManager[object]],
        check_room: CheckRoom = lambda: None,
        costly_work: FairSemaphore,
    ) -> None:
        """Call ``on_status_changed`` with a user's id and new status text after it is stored.

        Both happen within ``changing_status(user_id)``, so that changes at once are shown in the order of storage.
        ``recorder`` stores the changes that others see. ``costly_work`` limits how many searches run at once.
        """
        self._check_room = check_room
        self._costly_work = costly_work
        self._users = users
        self._recorder = recorder
        self._directory = directory
        self._on_status_changed = on_status_changed
        self._changing_status = changing_status

    async def fetch_own(self, user_id: str) -> OwnUser:
        """Return a user's account as the user sees it."""
        return _own_user(await self._users.fetch(user_id))

    async def change(self, user_id: str, patch: ProfilePatch) -> OwnUser:
        """Change an account and return it. ``ValidationError`` names every invalid field.

        An empty display name is replaced by the username.
        """
        self._check_room()
        changes = _checked(patch)
        if isinstance(changes.display_name, str) and not changes.display_name.strip():
            changes.display_name = (await self._users.fetch(user_id)).username
        if changes.status_text is UNSET:
            return _own_user(await self._store(user_id, changes))
        async with self._changing_status(user_id):
            record = await self._store(user_id, changes)
            self._on_status_changed(user_id, record.status_text)
        return _own_user(record)

    async def _store(self, user_id: str, changes: UserChanges) -> UserRecord:
        if changes.display_name is UNSET and changes.bio is UNSET:
            return await self._users.update(user_id, changes)
        return await self._change_profile(user_id, changes)

    async def _change_profile(self, user_id: str, changes: UserChanges) -> UserRecord:
        async def write(transaction: RecordedTransaction) -> UserRecord:
            before, after = await self._users.update_profile(transaction, user_id, changes)
            shown = public_user(after)
            if shown != public_user(before):
                transaction.record(ProfileChanged(user=shown))
            return after

        return await self._recorder.record(f"profile {user_id}", write)

    async def fetch(self, user_id: str) -> User:
        """Return the public profile of a user. ``NotFoundError`` when no user has this id."""
        found = await self._directory.fetch_users([user_id])
        if user_id not in found:
            raise no_such_user()
        return found[user_id]

    async def fetch_by_username(self, username: str) -> User:
        """Return the user with this username, ignoring case. ``NotFoundError`` when there is none."""
        record = await self._users.fetch_by_username(username)
        if record is None:
            raise NotFoundError("There is no user with this username.")
        return public_user(record)

    async def search(
        self, caller_id: str, query: str, *, after: str | None, limit: int
    ) -> tuple[list[User], str | None]:
        """Return users found by the beginning of their username or of words of their display name.

        Case and accents do not matter. Each of several words must be found. The result is in the order of usernames,
        and begins after ``after``. The second value is the ``after`` of the next page. An empty query finds no one.
        """
        words = list(dict.fromkeys(fold_text(query).split()))[:MAX_QUERY_WORDS]
        if not words:
            return [], None
        async with self._costly_work.hold(caller_id):
            records = await self._users.search(words, after=after, limit=limit + 1)
        following = records[limit - 1].username if len(records) > limit else None
        return [public_user(record) for record in records[:limit]], following


def _own_user(record: UserRecord) -> OwnUser:
    try:
        profile, settings = _decode_object(record.profile_json), _decode_object(record.settings_json)
    except msgspec.MsgspecError as error:
        raise damaged(record.id, f"profile_json or settings_json: {error}") from None
    return OwnUser(
        **msgspec.structs.asdict(public_user(record)),
        email=record.email,
        email_verified=record.email_verified,
        role="admin" if record.role == "admin" else "member",
        status_text=record.status_text,
        profile=profile,
        settings=settings,
    )


def _checked(patch: ProfilePatch) -> UserChanges:
    complaints: dict[str, str] = {}
    texts = (
        ("display_name", patch.display_name, _display_name_complaint),
        ("bio", patch.bio, paragraph_complaint),
        ("status_text", patch.status_text, line_complaint),
    )
    for field, text, complain in texts:
        if text is not UNSET and (complaint := complain(text)) is not None:
            complaints[field] = complaint
    stored: dict[str, str] = {}
    for field, value in (("profile", patch.profile), ("settings", patch.settings)):
        if value is UNSET:
            continue
        try:
            stored[field] = _checked_object(value)
        except _UnfitError as error:
            complaints[field] = str(error)
    if complaints:
        sentences = (f"{field} {complaint}." for field, complaint in complaints.items())
        raise ValidationError(" ".join(sentences), fields=complaints)
    return UserChanges(
        display_name=patch.display_name,
        bio=patch.bio,
        status_text=patch.status_text,
        profile_json=_or_unset(stored.get("profile")),
        settings_json=_or_unset(stored.get("settings")),
    )


def _display_name_complaint(name: str) -> str | None:
    return name_complaint(name) if name.strip() else None


def _or_unset(value: str | None) -> str | UnsetType:
    return UNSET if value is None else value


class _UnfitError(Exception):
    """An object that cannot be stored, with the reason."""


def _checked_object(raw: Raw) -> str:
    """Return the JSON of an object. ``_UnfitError`` when it is not an object, too large, too deep or not storable."""
    too_much = f"must have at most {MAX_OBJECT_BYTES} bytes and {MAX_OBJECT_DEPTH} levels"
    if len(raw) > MAX_OBJECT_BYTES:
        raise _UnfitError(too_much)
    try:
        value = _decode_object(raw)
        check_storable(value)
    except msgspec.ValidationError as error:
        raise _UnfitError(invalid_value(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _UnfitError("is not valid JSON in UTF-8") from None
    except RecursionError:
        raise _UnfitError(too_much) from None
    except ValidationError as error:
        raise _UnfitError(next(iter(error.fields.values()))) from None
    if _is_too_deep(value):
        raise _UnfitError(too_much)
    return msgspec.json.encode(value).decode()


def _is_too_deep(value: dict[str, object]) -> bool:
    level: list[object] = [value]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_OBJECT_DEPTH:
            return True
        level = [inner for item in level for inner in _children(item)]
    return False


def _children(item: object) -> list[object]:
    inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return [child for child in inner if isinstance(child, dict | list)]
