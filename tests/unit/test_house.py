"""The project follows its own rules."""

import importlib.metadata
import runpy
import tomllib
from pathlib import Path

import msgspec
import pytest

from chat_mvp import protocol
from tests.unit.house import packages, syntax, text
from tests.unit.house.files import ROOT, code_files, python_files, text_files

SRC = ROOT / "src" / "chat_mvp"
TESTS = ROOT / "tests"
FRONTEND = ROOT / "frontend"

# Everything else names the exceptions that it expects.
CATCHES_BROADLY = {
    "cli/serving.py": "whatever goes wrong while the application stops, the server must still end",
    "consumers/handling.py": "whatever an event fails of, it is tried again and the others are handled",
    "consumers/worker.py": "whatever a rebuild fails of, it is tried again",
    "delivery/applying.py": "an operation that is refused or fails must not affect its neighbours",
    "delivery/in_flight.py": "one caller that cannot be answered must not keep the others waiting",
    "delivery/local.py": "what is stored is stored: one fault must not keep it from the others",
    "delivery/local_events.py": "what is stored is stored: one handler must not stop the others",
    "delivery/writer.py": "an operation that cannot be stored must neither end the writer nor affect its neighbours",
    "jobs/runner.py": "whatever a job fails of, it is tried again and the others are done",
    "supervision.py": "whatever a background task fails of, it must start again",
    "realtime/dispatch.py": "one of the two places where refusals become answers: frames",
    "realtime/socket.py": "the same before there is a frame to dispatch: signing in and catching up",
    "realtime/heartbeat.py": "a connection that could not be noted is no reason to end it",
    "realtime/presence.py": "what could not be written is kept for next time; presence outlives the database",
    "storage/sharing.py": "each of the callers of a shared read must hear what went wrong with it",
    "ops/health.py": "for whatever reason the database takes no write, the answer is that it is not ready",
}

# What is stored is published by the writer alone, after its commit; these publish what is never stored, or receipts.
PUBLISHES = {
    "delivery/bus.py": "signals, such as typing, are never stored",
    "delivery/local.py": "publishes the frames of committed events",
    "delivery/receipts.py": "gathers the receipts of committed events",
    "delivery/writer.py": "publishes each batch after its commit",
    "realtime/block_updates.py": "publishes blocks that are committed",
    "realtime/profiles.py": "sends changed profiles after their commit",
}


def frame_tags() -> frozenset[str]:
    structs = [
        value
        for value in vars(protocol).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value is not msgspec.Struct
    ]
    return frozenset(str(struct.__struct_config__.tag) for struct in structs if struct.__struct_config__.tag)


def test_files_are_short() -> None:
    assert text.long_files(code_files(ROOT)) == []


def test_nothing_is_left_for_later() -> None:
    assert text.leftovers(code_files(ROOT)) == []


def test_no_file_knows_one_machine() -> None:
    assert text.machine_paths(text_files(ROOT)) == []


def test_no_file_names_a_package_registry() -> None:
    assert text.package_hosts(path for path in text_files(ROOT) if path.name != "package-lock.json") == []


def test_only_the_protocol_names_frames() -> None:
    tags = frame_tags()
    assert {"connect", "message.send", "message.ack", "bye"} <= tags
    # Events have names of their own, some of which are those of frames.
    own_names = {SRC / "protocol", SRC / "events"}
    assert syntax.frame_names((it for it in python_files(SRC) if own_names.isdisjoint(it.parents)), tags) == []


def test_the_protocol_imports_msgspec_only() -> None:
    allowed = frozenset({"msgspec", "chat_mvp.limits", "chat_mvp.protocol"})
    assert [line for path in python_files(SRC / "protocol") for line in syntax.imports_beyond(path, allowed)] == []


def test_features_use_each_other_through_their_services() -> None:
    assert syntax.reaching_across_features(SRC / "features", "chat_mvp.features") == []


def test_exceptions_are_caught_by_name() -> None:
    assert syntax.broad_catches(python_files(SRC), SRC, CATCHES_BROADLY) == []


def test_nothing_is_published_before_it_is_committed() -> None:
    assert syntax.uses(python_files(SRC), "publish", SRC, PUBLISHES) == []


def test_no_test_is_skipped() -> None:
    assert syntax.skipped_tests(python_files(TESTS)) == []
    assert text.skipped_script_tests(path for path in code_files(FRONTEND) if ".test." in path.name) == []


def test_no_test_patches_the_program() -> None:
    assert syntax.patched_modules(python_files(TESTS), "chat_mvp") == []


def test_constraints_are_exact_and_complete() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert packages.loose_constraints(lines) == []
    complaints = packages.unpinned(
        lines,
        "chat-mvp",
        {"dev", "bench"},
        lambda name: importlib.metadata.requires(name) or [],
        importlib.metadata.version,
    )
    assert complaints == []


@pytest.mark.parametrize(
    ("folder", "extras"),
    [(SRC, []), (SRC / "bench", ["bench"]), (TESTS, ["bench", "dev"])],
    ids=["src", "bench", "tests"],
)
def test_what_is_imported_is_declared(folder: Path, extras: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = project["dependencies"] + [line for extra in extras for line in project["optional-dependencies"][extra]]
    files = [path for path in python_files(folder) if "bench" in extras or SRC / "bench" not in path.parents]
    imported = syntax.third_parties(files, "chat_mvp") - {"tests"}
    assert packages.undeclared(imported, declared, importlib.metadata.packages_distributions()) == []


def test_the_lock_of_the_web_client_names_no_place() -> None:
    assert packages.places_in_lock(FRONTEND / "package-lock.json") == []


@pytest.mark.parametrize("bound", ["PYTHON_FROM", "PYTHON_BELOW"])
def test_the_installer_takes_the_pythons_that_the_package_takes(bound: str) -> None:
    installer = runpy.run_path(str(ROOT / "tools" / "install.py"))
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    sign = {"PYTHON_FROM": ">=", "PYTHON_BELOW": "<"}[bound]
    assert sign + ".".join(map(str, installer[bound])) in requires.split(",")
