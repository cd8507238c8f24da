"""docker-compose.yml and the Dockerfile: read by docker compose if it is installed, and always read here."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from chat_mvp.mongod.config import render
from chat_mvp.mongod.layout import Layout

ROOT = Path(__file__).parents[2]
MEMBERS = ["mongo1", "mongo2", "mongo3"]
HOSTS = "--hosts=" + ",".join(f"{member}:27017" for member in MEMBERS)


def has_docker_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file as docker compose understands it, or as YAML does, which resolves its anchors the same."""
    text = (ROOT / "docker-compose.yml").read_text()
    loaded: dict[str, Any] = yaml.safe_load(text)
    if has_docker_compose():
        shown = subprocess.run(
            ["docker", "compose", "--file", "docker-compose.yml", "config", "--format", "json"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert shown.returncode == 0, shown.stderr
        understood = json.loads(shown.stdout)
        assert set(understood["services"]) == set(loaded["services"])
        assert set(understood["volumes"]) == set(loaded["volumes"])
    return loaded


def conditions(service: dict[str, Any]) -> dict[str, str]:
    return {name: needed["condition"] for name, needed in service.get("depends_on", {}).items()}


def mounts(service: dict[str, Any]) -> dict[str, str]:
    return {volume.split(":")[1]: volume for volume in service["volumes"]}


def test_every_key_is_one_that_compose_knows(compose: dict[str, Any]) -> None:
    known = {
        "build", "cap_add", "cap_drop", "command", "depends_on", "entrypoint", "environment", "healthcheck", "image",
        "network_mode", "networks", "ports", "pull_policy", "read_only", "restart", "security_opt",
        "stop_grace_period", "tmpfs", "user", "volumes",
    }  # fmt: skip
    assert {name for name in compose if not name.startswith("x-")} == {"name", "services", "networks", "volumes"}
    for service in compose["services"].values():
        assert set(service) <= known


def test_there_are_three_members_that_differ_in_their_data_only(compose: dict[str, Any]) -> None:
    members = [compose["services"][name] for name in MEMBERS]
    assert [mounts(member)["/data/db"] for member in members] == [f"{name}:/data/db" for name in MEMBERS]
    bare = [{key: value for key, value in member.items() if key != "volumes"} for member in members]
    assert bare[0] == bare[1] == bare[2]
    assert re.fullmatch(r"mongo:[78]\.0", bare[0]["image"])


def test_members_start_as_the_embedded_one_does(compose: dict[str, Any]) -> None:
    embedded = json.loads(render(Layout(Path("/data")), port=27017, cache_gb=0.25))
    command = compose["services"]["mongo1"]["command"]
    assert command[0] == "mongod"
    parameters = {
        name: json.loads(value)
        for name, _, value in (item.removeprefix("--setParameter=").partition("=") for item in command)
        if f"--setParameter={name}={value}" in command
    }
    unlike = {"diagnosticDataCollectionEnabled"}
    assert parameters == {name: value for name, value in embedded["setParameter"].items() if name not in unlike}
    assert "--keyFile=/key/keyfile" in command
    assert f"--replSet={embedded['replication']['replSetName']}" in command
    assert f"--networkMessageCompressors={embedded['net']['compression']['compressors']}" in command


def test_everything_starts_in_its_turn(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for member in MEMBERS:
        assert conditions(services[member]) == {"secrets": "service_completed_successfully"}
    assert conditions(services["replset"]) == dict.fromkeys(MEMBERS, "service_healthy")
    assert conditions(services["chat-mvp"]) == {"replset": "service_completed_successfully"}
    assert conditions(services["secrets"]) == {}


def test_what_stays_up_is_watched_and_started_again(compose: dict[str, Any]) -> None:
    for name in [*MEMBERS, "chat-mvp"]:
        service = compose["services"][name]
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"
        assert {"interval", "timeout", "start_period", "retries"} <= set(service["healthcheck"])
    for name in ("secrets", "replset"):
        assert compose["services"][name]["healthcheck"] == {"disable": True}
        assert "restart" not in compose["services"][name]


def test_both_steps_get_the_members(compose: dict[str, Any]) -> None:
    for step in ("secrets", "replset"):
        service = compose["services"][step]
        assert service["command"][0] == step
        assert HOSTS in service["command"]
        assert service["entrypoint"] == ["python", "/opt/mongo-replset/init.py"]


def test_every_volume_is_declared_and_used(compose: dict[str, Any]) -> None:
    used = {volume.split(":")[0] for service in compose["services"].values() for volume in service["volumes"]}
    assert used == set(compose["volumes"])


def test_secrets_are_written_in_one_place_and_each_is_seen_only_where_it_is_needed(compose: dict[str, Any]) -> None:
    services = compose["services"]
    writers = [
        name
        for name, service in services.items()
        if any(volume in {"key:/key", "settings:/settings"} for volume in service["volumes"])
    ]
    assert writers == ["secrets"]
    assert "/settings" not in {path for member in MEMBERS for path in mounts(services[member])}
    assert "/key" not in mounts(services["chat-mvp"])
    assert services["chat-mvp"]["environment"] == {"CHAT_MVP_SETTINGS_FILE": "/settings/chat-mvp.toml"}


def test_no_secret_stands_in_a_file(compose: dict[str, Any]) -> None:
    files = [ROOT / "docker-compose.yml", *(path for path in (ROOT / "docker").rglob("*") if path.is_file())]
    assert len(files) >= 4
    for path in files:
        text = path.read_text()
        assert not re.search(r"mongodb://[^{\s]*:[^{\s]*@", text), path
        assert "MONGO_INITDB" not in text, path
        quote = "[\"']" if path.suffix == ".py" else "[\"']?"  # in a program, only a literal is a secret
        assert not re.search(rf"(?i:password|secret|token)\s*[:=]\s*{quote}[\w-]{{6,}}", text), path
    assert not any("env_file" in service for service in compose["services"].values())


def test_only_the_server_can_be_reached_and_only_from_this_machine(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {name: service["ports"] for name, service in services.items() if "ports" in service} == {
        "chat-mvp": ["127.0.0.1:8080:8080"]
    }
    assert compose["networks"]["database"] == {"internal": True}
    for member in MEMBERS:
        assert services[member]["networks"] == ["database"]


def test_the_server_may_do_little(compose: dict[str, Any]) -> None:
    server = compose["services"]["chat-mvp"]
    assert server["cap_drop"] == ["ALL"]
    assert "cap_add" not in server
    assert server["read_only"] is True
    assert server["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in server  # the image's own, which is not root


def test_the_image_is_built_in_two_stages_and_does_not_run_as_root() -> None:
    instructions = [
        line.split(maxsplit=1)
        for line in (ROOT / "docker" / "Dockerfile").read_text().splitlines()
        if line[:1].isupper()
    ]
    assert [rest for word, rest in instructions if word == "FROM"] == ["python:3.13-slim AS build", "python:3.13-slim"]
    words = [word for word, _ in instructions]
    last_user = [rest for word, rest in instructions if word == "USER"][-1]
    assert last_user == "chat"
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert ["ENTRYPOINT", '["chat-mvp"]'] in instructions


def test_what_the_image_copies_is_there_and_what_it_needs_is_not_left_out() -> None:
    wanted = [
        line.removeprefix("!")
        for line in (ROOT / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    assert "docker/mongo-replset/init.py" in wanted
    assert [path for path in wanted if not (ROOT / path).exists()] == []


def test_the_owner_of_the_servers_files_is_the_user_of_the_image(compose: dict[str, Any]) -> None:
    owner = next(
        item.partition("=")[2]
        for item in compose["services"]["secrets"]["command"]
        if item.startswith("--server-owner")
    )
    uid, gid = owner.split(":")
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text()
    assert f"useradd --uid {uid} " in dockerfile
    assert f"groupadd --gid {gid} " in dockerfile
