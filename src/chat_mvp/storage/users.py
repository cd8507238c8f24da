"""The ``users`` collection, through its Beanie document."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
import structlog
from beanie import PydanticObjectId
from msgspec import UNSET, UnsetType
from pymongo import ReturnDocument, UpdateOne
from pymongo.errors import DuplicateKeyError

from chat_mvp.errors import DamagedError, EmailTakenError, UsernameTakenError, no_such_user
from chat_mvp.protocol import ChosenPresence
from chat_mvp.storage.documents import UserDocument
from chat_mvp.storage.errors import translated
from chat_mvp.storage.folding import fold_name, name_words
from chat_mvp.storage.ids import to_object_id
from chat_mvp.storage.recorded import RecordedTransaction
from chat_mvp.storage.records import UserRecord

_MAX_SEARCH_MS = 1_000
"""A search that takes longer is stopped. Very many users can match a short beginning."""
_FIELDS = {name: UserDocument.model_fields[name].get_default() for name in UserRecord.__struct_fields__ if name != "id"}
_HIGHEST = "\U0010ffff"
"""Sorts after every character, so that ``word`` to ``word + _HIGHEST`` is everything that begins with the word."""

_LOG = structlog.get_logger(__name__)


class UserChanges(msgspec.Struct, kw_only=True):
    """The changes of a user to their account. ``UNSET`` fields stay as they are."""

    display_name: str | UnsetType = UNSET
    bio: str | UnsetType = UNSET
    status_text: str | UnsetType = UNSET
    presence: ChosenPresence | UnsetType = UNSET
    profile_json: str | UnsetType = UNSET
    settings_json: str | UnsetType = UNSET
    password_hash: str | UnsetType = UNSET


class Users:
    """Reads and writes accounts. Usernames and addresses are unique without regard to case.

    Another program may have stored a value of a wrong type in an account. Reading this one account raises
    ``DamagedError``. A list leaves it out, so that other users notice as little of it as possible.
    """

    async def insert(self, record: UserRecord) -> None:
        """Store a new account. ``UsernameTakenError`` or ``EmailTakenError`` when the name or the address is taken."""
        fields = {name: getattr(record, name) for name in UserRecord.__struct_fields__ if name != "id"}
        document = UserDocument(
            id=_object_id(record.id),
            username_folded=fold_name(record.username),
            email_folded=fold_name(record.email),
            name_words=name_words(record.username, record.display_name),
            **fields,
        )
        with translated():
            try:
                await document.insert()
            except DuplicateKeyError as error:
                if "email_folded" in (error.details or {}).get("keyPattern", {}):
                    raise EmailTakenError("This e-mail address is taken.") from None
                raise UsernameTakenError("This username is taken.") from None

    async def fetch(self, user_id: str) -> UserRecord:
        """Return the account. ``NotFoundError`` when there is none."""
        record = await self._find_one({"_id": to_object_id(user_id)})
        if record is None:
            raise no_such_user()
        return record

    async def fetch_many(self, ids: Iterable[str]) -> dict[str, UserRecord]:
        """Return those of the accounts that exist, by id."""
        wanted = [to_object_id(user_id) for user_id in ids]
        with translated():
            documents = await UserDocument.get_motor_collection().find({"_id": {"$in": wanted}}).to_list(None)
        return {record.id: record for record in _readable(documents)}

    async def fetch_by_username(self, username: str) -> UserRecord | None:
        """Return the account with this username, ignoring case."""
        return await self._find_one({"username_folded": fold_name(username)})

    async def fetch_by_login(self, login: str) -> UserRecord | None:
        """Return the account with this username or this e-mail address, ignoring case. Usernames contain no ``@``."""
        field = "email_folded" if "@" in login else "username_folded"
        return await self._find_one({field: fold_name(login)})

    async def fetch_ids_by_usernames(self, usernames: Iterable[str]) -> set[str]:
        """Return the ids of the users with one of these usernames, ignoring case."""
        query = {"username_folded": {"$in": [fold_name(username) for username in usernames]}}
        with translated():
            found = UserDocument.get_motor_collection().find(query, {"_id": 1})
            return {str(document["_id"]) async for document in found}

    async def search(self, words: Sequence[str], *, after: str | None, limit: int) -> list[UserRecord]:
        """Return users in the order of their usernames, only those after ``after``.

        Each folded word must be the beginning of the username or of a word of the display name.
        """
        conditions: list[dict[str, Any]] = [
            {"name_words": {"$elemMatch": {"$gte": word, "$lt": word + _HIGHEST}}} for word in words
        ]
        if after is not None:
            conditions.append({"username_folded": {"$gt": fold_name(after)}})
        found = UserDocument.get_motor_collection().find({"$and": conditions}).sort("username_folded").limit(limit)
        with translated():
            documents = await found.max_time_ms(_MAX_SEARCH_MS).to_list(None)
        return _readable(documents)

    async def update(self, user_id: str, changes: UserChanges) -> UserRecord:
        """Change an account and return it. ``NotFoundError`` when there is none.

        For changes that other users see, use ``update_profile`` in a transaction that records the change.
        """
        values: dict[str, Any] = msgspec.to_builtins(changes)
        record = await self.fetch(user_id)
        if not values:
            return record
        if "display_name" in values:
            values["name_words"] = name_words(record.username, values["display_name"])
        with translated():
            document = await UserDocument.get_motor_collection().find_one_and_update(
                {"_id": to_object_id(user_id)}, {"$set": values}, return_document=ReturnDocument.AFTER
            )
        if document is None:
            raise no_such_user()
        return _record(document)

    async def update_profile(
        self, transaction: RecordedTransaction, user_id: str, changes: UserChanges
    ) -> tuple[UserRecord, UserRecord]:
        """Change an account, and return the old and the new version. ``NotFoundError`` when there is none."""
        users, session = transaction.collections["users"], transaction.session
        query = {"_id": to_object_id(user_id)}
        values: dict[str, Any] = msgspec.to_builtins(changes)
        before = await users.find_one(query, session=session)
        if before is None:
            raise no_such_user()
        old = _record(before)
        if "display_name" in values:
            values["name_words"] = name_words(old.username, values["display_name"])
        if values:
            await users.update_one(query, {"$set": values}, session=session)
        return old, _record(before | values)

    async def save_last_seen(self, moments: Mapping[str, datetime]) -> None:
        """Store when users were last connected, in one round trip. An earlier time never replaces a later one."""
        if not moments:
            return
        operations = [
            UpdateOne({"_id": to_object_id(user_id)}, {"$max": {"last_seen": moment}})
            for user_id, moment in moments.items()
        ]
        with translated():
            await UserDocument.get_motor_collection().bulk_write(operations, ordered=False)

    async def _find_one(self, query: dict[str, Any]) -> UserRecord | None:
        with translated():
            document = await UserDocument.get_motor_collection().find_one(query)
        return None if document is None else _record(document)


def _object_id(value: str) -> PydanticObjectId:
    return PydanticObjectId(to_object_id(value))


def damaged(user_id: str, reason: str) -> DamagedError:
    """Return the error for an account that cannot be read, and log the reason."""
    _LOG.error("account damaged", user_id=user_id, reason=reason)
    return DamagedError("This account cannot be read. Ask the operator of the server to repair it.")


def _readable(documents: Iterable[Mapping[str, Any]]) -> list[UserRecord]:
    records = []
    for document in documents:
        # The reason is logged.
        with suppress(DamagedError):
            records.append(_record(document))
    return records


def _record(document: Mapping[str, Any]) -> UserRecord:
    user_id = str(document["_id"])
    fields = {name: document.get(name, default) for name, default in _FIELDS.items()}
    try:
        return msgspec.convert({"id": user_id, **fields}, UserRecord)
    except msgspec.ValidationError as error:
        raise damaged(user_id, str(error)) from None
