# ruff: noqa: INP001 - a program that is copied into the image alone, not a package
"""Make the secrets and the replica set of docker-compose.yml. Both steps may be repeated and then change nothing.

    init.py secrets  makes the members' key, the password and the server's settings file, where they are missing
    init.py replset  initiates the replica set, and makes the server's user in it

A Python program in the server's own image, rather than a script for mongosh: the same file runs in the tests against
three mongods without Docker, and where the server's image is, pymongo is. It signs in as a member of the set, with the
key, so that no mongod has to let anybody in without a password for a moment.
"""

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from chat_mvp.mongod.initiate import ELECTION_SETTINGS, ROLES

NAME = "chat"
USERNAME = "chat_mvp"

_NOT_YET_INITIALIZED = 94
_ALREADY_INITIALIZED = 23
_AUTHENTICATION_FAILED = 18
_POLL_SECONDS = 0.5


class SetupError(Exception):
    """Said in one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the two steps; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.step == "secrets":
            make_secrets(options)
        else:
            make_replset(options)
    except (SetupError, OSError, PyMongoError) as error:
        sys.stderr.write(f"The replica set could not be set up: {str(error).partition(', full error')[0]}\n")
        return 1
    return 0


def make_secrets(options: argparse.Namespace) -> None:
    """Write the key for mongod, and the password and the settings for the server; keep what is there."""
    if not options.key_file.exists():
        _write(options.key_file, secrets.token_hex(256), options.mongo_owner)
    # The settings come last: where they are, everything is.
    if not options.settings_file.exists():
        password = secrets.token_urlsafe(32)
        uri = f"mongodb://{USERNAME}:{password}@{','.join(options.hosts)}/?replicaSet={NAME}&authSource=admin"
        _write(options.password_file, password, options.server_owner)
        _write(options.settings_file, f'mongo_uri = "{uri}"\n', options.server_owner)


def make_replset(options: argparse.Namespace) -> None:
    """Initiate the set unless one of its members is in one; make the user, or give it the password of the file."""
    deadline = time.monotonic() + options.seconds
    key = options.key_file.read_text().strip()
    password = options.password_file.read_text().strip()
    if not any(_has_config(host, key, deadline) for host in options.hosts):
        _initiate(options.hosts, key)
    with _connect(options.hosts, "__system", key, "local", replicaSet=NAME) as members:
        _wait_for_primary(members, deadline)
        _update_settings(members)
        _update_user(members, options.hosts, password)
    sys.stdout.write(f"The replica set {NAME} is ready: {', '.join(options.hosts)}\n")


def _has_config(host: str, key: str, deadline: float) -> bool:
    """Whether ``host`` belongs to a replica set already; waits until it answers."""
    while True:
        try:
            with _connect([host], "__system", key, "local", directConnection=True) as member:
                member.admin.command("replSetGetConfig")
        except OperationFailure as error:
            if error.code == _NOT_YET_INITIALIZED:
                return False
            raise
        except ConnectionFailure as error:
            if time.monotonic() > deadline:
                raise SetupError(f"{host} does not answer") from error
            time.sleep(_POLL_SECONDS)
        else:
            return True


def _initiate(hosts: Sequence[str], key: str) -> None:
    members = [{"_id": index, "host": host} for index, host in enumerate(hosts)]
    with _connect(hosts[:1], "__system", key, "local", directConnection=True) as first:
        try:
            first.admin.command("replSetInitiate", {"_id": NAME, "members": members, "settings": ELECTION_SETTINGS})
        except OperationFailure as error:
            if error.code != _ALREADY_INITIALIZED:
                raise


def _wait_for_primary(members: "MongoClient[dict[str, Any]]", deadline: float) -> None:
    while True:
        try:
            members.admin.command("ping")
        except ConnectionFailure as error:
            if time.monotonic() > deadline:
                raise SetupError("no primary was elected") from error
        else:
            return


def _update_settings(members: "MongoClient[dict[str, Any]]") -> None:
    config = members.admin.command("replSetGetConfig")["config"]
    if any(config["settings"].get(name) != value for name, value in ELECTION_SETTINGS.items()):
        config["settings"].update(ELECTION_SETTINGS)
        config["version"] += 1
        members.admin.command("replSetReconfig", config)


def _update_user(members: "MongoClient[dict[str, Any]]", hosts: Sequence[str], password: str) -> None:
    user: dict[str, Any] = {"pwd": password, "roles": list(ROLES), "writeConcern": {"w": "majority", "j": True}}
    if not members.admin.command("usersInfo", USERNAME)["users"]:
        members.admin.command("createUser", USERNAME, **user)
        return
    with _connect(hosts, USERNAME, password, "admin", replicaSet=NAME) as server:
        try:
            server.admin.command("ping")
        except OperationFailure as error:
            if error.code != _AUTHENTICATION_FAILED:
                raise
            members.admin.command("updateUser", USERNAME, **user)


def _connect(
    hosts: Sequence[str], username: str, password: str, source: str, **how: Any
) -> "MongoClient[dict[str, Any]]":
    return MongoClient(
        [*hosts],
        username=username,
        password=password,
        authSource=source,
        authMechanism="SCRAM-SHA-256",
        connectTimeoutMS=2000,
        serverSelectionTimeoutMS=3000,
        **how,
    )


def _write(path: Path, text: str, owner: tuple[int, int] | None) -> None:
    """Make the file complete or not at all, for ``owner`` alone and to read only."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).chmod(0o400)
    if owner is not None:
        os.chown(temporary, *owner)
    Path(temporary).replace(path)


def _owner(text: str) -> tuple[int, int]:
    user, _, group = text.partition(":")
    return int(user), int(group or user)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Make the secrets and the replica set of docker-compose.yml.")
    parser.add_argument("step", choices=["secrets", "replset"])
    parser.add_argument("--hosts", type=lambda text: text.split(","), required=True, help="host:port,host:port,…")
    parser.add_argument("--key-file", type=Path, default=Path("/key/keyfile"))
    parser.add_argument("--password-file", type=Path, default=Path("/settings/password"))
    parser.add_argument("--settings-file", type=Path, default=Path("/settings/chat-mvp.toml"))
    parser.add_argument("--mongo-owner", type=_owner, help="uid:gid that mongod runs as")
    parser.add_argument("--server-owner", type=_owner, help="uid:gid that the server runs as")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long to wait for the members")
    return parser


if __name__ == "__main__":
    sys.exit(main())
