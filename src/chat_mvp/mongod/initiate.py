"""Makes a started mongod the primary of a replica set with one member and one user.

No other module outside ``storage`` uses the driver, because at this point the storage layer does not exist yet. This
module signs in with the key, as a member of the replica set. So it does not need the localhost exception, by which
everyone on this machine may use a new mongod. The exception is switched off.
"""

import asyncio
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from chat_mvp.errors import StartupError
from chat_mvp.mongod.config import HOST, REPLICA_SET
from chat_mvp.mongod.credentials import MEMBER, Credentials

ELECTION_SETTINGS = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500, "catchUpTimeoutMillis": 200}

ROLES = ("clusterMonitor", "dbAdminAnyDatabase", "readWriteAnyDatabase")
"""Rights for all data and for the state of the set. No rights for users, configuration, shutdown or parameters."""

_AUTHENTICATION_FAILED = 18
_ALREADY_INITIALIZED = 23
_NOT_YET_INITIALIZED = 94

_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.25
"""An election takes a few hundredths of a second.

Only one case takes long: the old port of mongod was taken by a program that does not answer. mongod then waits 30 s to
find out whether it is talking to itself, before it accepts its new address.
"""

_Client = AsyncMongoClient[dict[str, Any]]


async def ensure_primary(port: int, credentials: Credentials) -> None:
    """Return when the mongod on ``port`` accepts writes of the user in ``credentials``.

    A new mongod is initiated. One that last ran on another port gets its new address. The user, its password and roles,
    and the settings of the replica set are brought up to date. It is safe to repeat this after any interruption. There
    is no time limit: the caller sets it. Raises StartupError when the database refuses something.
    """
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            if await _advance(port, credentials):
                return
        except AutoReconnect:
            pass  # mongod closes connections when its role in the replica set changes
        except PyMongoError as error:
            raise StartupError(
                f"The database started but could not be set up: {str(error).partition(', full error')[0].rstrip('.')}.",
                remedy="See mongod.log in the data directory.",
            ) from error
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


async def _advance(port: int, credentials: Credentials) -> bool:
    """Do what is possible now, and return whether everything is done."""
    async with _connect(port, MEMBER, credentials.key, "local") as member:
        hello = await member.admin.command("hello")
        if hello.get("isWritablePrimary"):
            await _update_user(member, port, credentials)
            await _update_settings(member)
            return True
        # Without the name of a set, mongod has no configuration, has not read it yet, or does not find itself in it.
        if "setName" not in hello:
            await _configure(member, f"{HOST}:{port}")
        return False


def _connect(port: int, username: str, password: str, source: str) -> _Client:
    return AsyncMongoClient(
        HOST,
        port,
        directConnection=True,
        username=username,
        password=password,
        authSource=source,
        authMechanism="SCRAM-SHA-256",
        connectTimeoutMS=1000,
        serverSelectionTimeoutMS=2000,
        # Open no second connection for monitoring, because the client is closed a moment later.
        serverMonitoringMode="poll",
    )


async def _configure(member: _Client, host: str) -> None:
    """Initiate the set, or give its only member the address ``host`` if it has another."""
    try:
        config = (await member.admin.command("replSetGetConfig"))["config"]
    except OperationFailure as error:
        if error.code != _NOT_YET_INITIALIZED:
            raise
        await _initiate(member, host)
        return
    if config["members"][0]["host"] != host:
        config["members"][0]["host"] = host
        config["version"] += 1
        # Use force, because a node that does not find itself in the set cannot be its primary.
        await member.admin.command("replSetReconfig", config, force=True)


async def _initiate(member: _Client, host: str) -> None:
    config = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": host}], "settings": ELECTION_SETTINGS}
    try:
        await member.admin.command("replSetInitiate", config)
    except OperationFailure as error:
        # It has a configuration and is still reading it.
        if error.code not in {_ALREADY_INITIALIZED, _NOT_YET_INITIALIZED}:
            raise


async def _update_user(member: _Client, port: int, credentials: Credentials) -> None:
    wanted: dict[str, Any] = {
        "pwd": credentials.password,
        "roles": list(ROLES),
        "writeConcern": {"w": "majority", "j": True},
    }
    users = (await member.admin.command("usersInfo", credentials.username))["users"]
    if not users:
        await member.admin.command("createUser", credentials.username, **wanted)
    elif sorted(role["role"] for role in users[0]["roles"]) != sorted(ROLES) or not await _may_sign_in(
        port, credentials
    ):
        await member.admin.command("updateUser", credentials.username, **wanted)


async def _may_sign_in(port: int, credentials: Credentials) -> bool:
    async with _connect(port, credentials.username, credentials.password, "admin") as user:
        try:
            await user.admin.command("ping")
        except OperationFailure as error:
            if error.code != _AUTHENTICATION_FAILED:
                raise
            return False
        return True


async def _update_settings(member: _Client) -> None:
    config = (await member.admin.command("replSetGetConfig"))["config"]
    if any(config["settings"].get(name) != value for name, value in ELECTION_SETTINGS.items()):
        config["settings"].update(ELECTION_SETTINGS)
        config["version"] += 1
        await member.admin.command("replSetReconfig", config)
