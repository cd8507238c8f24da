"""Renewing the words by which people are found, after an upgrade to a version that folds names in another way.

``meta`` says with which version of the folding they were made, and for which epoch: a restore brings back old words and
a new epoch.
"""

from typing import Any

from bson.codec_options import CodecOptions
from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from chat_mvp.storage.folding import FOLDING_VERSION, name_words

FOLDING_KEY = "folding"
BATCH = 500
"""Accounts in one round trip, which takes much less than the timeout of a socket."""

_NAMED = {"username": {"$type": "string"}, "display_name": {"$type": "string"}}
"""Every account that is not damaged; a damaged one must not keep the server from starting."""
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(unicode_decode_error_handler="replace")
"""Texts that are not UTF-8 can be read. Such an account keeps its words: its name is not the one that was read."""


async def renew_name_words(database: AsyncDatabase[dict[str, Any]], epoch: str) -> int:
    """Bring the words of all accounts up to date and return how many changed; does nothing when they are.

    Interrupted, it starts from the beginning at the next start. Names that change meanwhile keep their new words.
    """
    meta, users = database["meta"], database["users"].with_options(_OPTIONS)
    current = {"version": FOLDING_VERSION, "epoch": epoch}
    found = await meta.find_one({"key": FOLDING_KEY})
    if found is not None and found["value"] == current:
        return 0
    changed = 0
    fields = {"username": 1, "display_name": 1, "name_words": 1}
    batch = await users.find(_NAMED, fields, sort=[("_id", 1)], limit=BATCH).to_list(None)
    while batch:
        updates = [update for update in map(_update, batch) if update is not None]
        if updates:
            changed += (await users.bulk_write(updates, ordered=False)).modified_count
        following = _NAMED | {"_id": {"$gt": batch[-1]["_id"]}}
        batch = await users.find(following, fields, sort=[("_id", 1)], limit=BATCH).to_list(None)
    await meta.update_one({"key": FOLDING_KEY}, {"$set": {"value": current}}, upsert=True)
    return changed


def _update(account: dict[str, Any]) -> UpdateOne | None:
    words = name_words(account["username"], account["display_name"])
    if words == account.get("name_words"):
        return None
    # Only with the name that was read: another server may have changed it since, and its words with it.
    unchanged = {"_id": account["_id"], "display_name": account["display_name"]}
    return UpdateOne(unchanged, {"$set": {"name_words": words}})
