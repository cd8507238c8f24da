"""Starting after a kill: open transactions of the previous process are ended before anything is read or written."""

import asyncio

import pytest
from pymongo.errors import PyMongoError

from chat_mvp.storage.client import Database
from chat_mvp.storage.commit import MongoCommit

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_an_open_transaction_is_ended_and_holds_nothing_up(database: Database) -> None:
    notes = database.collections["take_over"]
    await notes.insert_one({"_id": 1, "text": "before"})
    killed = MongoCommit(database)
    await killed.take_over()
    session = killed._session
    assert session is not None
    await session.start_transaction()
    await notes.update_one({"_id": 1}, {"$set": {"text": "never"}}, session=session)

    await MongoCommit(database).take_over()

    async with asyncio.timeout(2):
        await notes.update_one({"_id": 1}, {"$set": {"text": "after"}})
    with pytest.raises(PyMongoError):
        await session.commit_transaction()
    found = await notes.find_one({"_id": 1})
    assert found is not None
    assert found["text"] == "after"


async def test_the_session_is_kept_for_the_commits_that_follow(database: Database) -> None:
    commit = MongoCommit(database)
    await commit.take_over()
    session = commit._session
    await commit.take_over()
    assert commit._session is session
