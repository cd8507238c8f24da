"""Each rule can fail: it complains about a small bad example and accepts a good one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.house import packages, syntax, text
from tests.unit.house.files import code_files, text_files


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def put(name: str, content: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        return path

    return put


Write = Callable[[str, str], Path]


def test_the_walk_finds_ours_and_leaves_out_the_rest(write: Write, tmp_path: Path) -> None:
    ours = [write("src/a.py", ""), write(".ci/run", ""), write("justfile", ""), write("docs/b.md", "")]
    for other in [".venv/a.py", "frontend/node_modules/b.js", "src/chat_mvp/web/static/c.js", "src/__pycache__/d.py"]:
        write(other, "")
    assert sorted(text_files(tmp_path)) == sorted(ours)
    assert sorted(code_files(tmp_path)) == sorted(ours[:3])


def test_long_files(write: Write) -> None:
    fits, too_long = write("fits.py", "\n" * text.MAX_LINES), write("long.py", "\n" * (text.MAX_LINES + 1))
    assert text.long_files([fits, too_long]) == [f"{too_long}: 601 lines, at most 600"]


@pytest.mark.parametrize("parts", [("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("HA", "CK")])
def test_leftovers(write: Write, parts: tuple[str, str]) -> None:
    mark = "".join(parts)
    path = write("a.py", f"\n# {mark}: later\n")
    assert text.leftovers([path]) == [f"{path}:2: unfinished work: {mark}"]


def test_words_that_only_resemble_leftovers(write: Write) -> None:
    assert text.leftovers([write("a.py", "# todo el mundo, XXXL, HACKNEY, mastodon")]) == []


@pytest.mark.parametrize("root", ["work", "root", "home/ann", "Users/ann"])
def test_machine_paths(write: Write, root: str) -> None:
    assert len(text.machine_paths([write("a.md", f"see /{root}/file")])) == 1


def test_paths_that_every_machine_has(write: Write) -> None:
    root = "work"
    assert text.machine_paths([write("a.md", f"/etc/ssl /usr/bin/env ~/.local src/{root}_queue /api/v1/me")]) == []


@pytest.mark.parametrize(
    "parts", [("https://regis", "try.np", "mjs.org/x"), ("py", "pi", ".org"), ("--ex", "tra-in", "dex-url=x")]
)
def test_package_hosts(write: Write, parts: tuple[str, ...]) -> None:
    line = "".join(parts)
    assert len(text.package_hosts([write("a.txt", f"one\n{line}\n")])) == 1


@pytest.mark.parametrize("call", ["it.only('x')", "describe.skip('x')", "test.fixme('x')", "xit('x')"])
def test_skipped_script_tests(write: Write, call: str) -> None:
    assert len(text.skipped_script_tests([write("a.test.ts", f"{call}\n")])) == 1
    assert text.skipped_script_tests([write("a.test.ts", "it('x'); test.each([]); exit('x')")]) == []


@pytest.mark.parametrize(
    "code",
    [
        'send("message.new")',
        'f({"type": "read"})',
        'frame.type == "read"',
        'frame["type"] in ("ready", "read")',
        'class Read(Struct, tag="read"): ...',
    ],
)
def test_frame_names(write: Write, code: str) -> None:
    assert len(syntax.frame_names([write("a.py", code)], frozenset({"read", "message.new"}))) == 1


def test_words_that_are_also_frame_names(write: Write) -> None:
    path = write("a.py", 'log("read", state="read")\nraise Error("message.new is late")\nx = {"state": "read"}\n')
    assert syntax.frame_names([path], frozenset({"read", "message.new"})) == []


@pytest.mark.parametrize(
    "code",
    [
        "try: f()\nexcept Exception: pass",
        "try: f()\nexcept (OSError, errors.ChatError): pass",
        "try: f()\nexcept: pass",
        "with contextlib.suppress(BaseException): f()",
    ],
)
def test_broad_catches(write: Write, tmp_path: Path, code: str) -> None:
    path = write("cli/a.py", code)
    assert len(syntax.broad_catches([path], tmp_path, {})) == 1
    assert syntax.broad_catches([path], tmp_path, {"cli/a.py": "the edge of the program"}) == []


def test_catches_by_name_and_stale_permissions(write: Write, tmp_path: Path) -> None:
    path = write("a.py", "try: f()\nexcept (OSError, NotFoundError): pass\nexcept BaseException:\n undo()\n raise")
    assert syntax.broad_catches([path], tmp_path, {}) == []
    assert len(syntax.broad_catches([path], tmp_path, {"a.py": "once upon a time"})) == 1


def test_uses(write: Write, tmp_path: Path) -> None:
    path = write("features/a.py", "bus.publish(frame)\nBatch(publish=bus.publish)\npublish(frame)")
    assert syntax.uses([path], "publish", tmp_path, {}) == [f"{path}:1: uses publish", f"{path}:2: uses publish"]
    assert syntax.uses([path], "publish", tmp_path, {"features/a.py": "it is never stored"}) == []
    assert len(syntax.uses([path], "other", tmp_path, {"features/a.py": "once upon a time"})) == 1


@pytest.mark.parametrize(
    "code",
    ["pytest.skip('x')", "@pytest.mark.skipif(True)\ndef f(): ...", "pytest.importorskip('x')", "unittest.skip('x')"],
)
def test_skipped_tests(write: Write, code: str) -> None:
    assert len(syntax.skipped_tests([write("a.py", code)])) == 1
    assert syntax.skipped_tests([write("a.py", "cursor.skip(3)\nrows.skip = 2")]) == []


@pytest.mark.parametrize(
    "code",
    [
        "import unittest.mock",
        "from unittest.mock import patch",
        "monkeypatch.setattr('chat_mvp.storage.client.connect', f)",
        "from chat_mvp.delivery import writer\nmonkeypatch.setattr(writer, 'commit', f)",
    ],
)
def test_patched_modules(write: Write, code: str) -> None:
    assert len(syntax.patched_modules([write("a.py", code)], "chat_mvp")) == 1
    assert syntax.patched_modules([write("a.py", "monkeypatch.setattr(sys, 'argv', [])")], "chat_mvp") == []


def test_imports_beyond(write: Write) -> None:
    path = write("a.py", "import json\nfrom msgspec import Struct\nimport litestar.types\n")
    assert syntax.imports_beyond(path, frozenset({"msgspec"})) == [f"{path}:3: imports litestar.types"]


@pytest.mark.parametrize("code", ["from app.features.b.schemas import Body", "from app.features.b import routes"])
def test_reaching_across_features(write: Write, tmp_path: Path, code: str) -> None:
    write("features/b/service.py", "from app.features.b.schemas import Body\n")
    write("features/a/service.py", "from app.features.b.service import B\n")
    assert syntax.reaching_across_features(tmp_path / "features", "app.features") == []
    write("features/a/routes.py", code)
    assert len(syntax.reaching_across_features(tmp_path / "features", "app.features")) == 1


@pytest.mark.parametrize("line", ["a>=1", "a @ https://host/a.whl", "a==1 --hash=x", "a==1.*", "-r other.txt"])
def test_loose_constraints(line: str) -> None:
    assert packages.loose_constraints(["# words", "", "b==1.2.3", "c==2 ; sys_platform == 'win32'", line]) == [line]


def test_unpinned() -> None:
    installed = {
        "app": ["Near_One>=1", "far[more]; extra == 'dev'", "elsewhere; sys_platform == 'none'"],
        "near-one": [],
        "far": ["farther; extra == 'more'", "unasked; extra == 'less'"],
        "farther": [],
    }

    def complaints(*lines: str) -> list[str]:
        return packages.unpinned(lines, "app", {"dev"}, lambda name: installed[name], lambda _: "1")

    assert complaints("near-one==1", "far==1", "farther==1") == []
    elsewhere = "far==2 ; sys_platform == 'none'"
    assert complaints("near-one==1", "far==1", elsewhere, "farther==1") == []
    assert complaints("near-one==2", "far==1") == [
        "farther is needed and has no exact version",
        "near-one is pinned at 2, installed is 1",
    ]


def test_undeclared(write: Write) -> None:
    imported = syntax.third_parties(
        [write("a.py", "import json, yaml.nodes\nfrom own.b import c\nfrom .d import e\nimport attr")], "own"
    )
    assert imported == {"yaml", "attr"}
    carried = {"yaml": ["PyYAML"], "attr": ["attrs"]}
    assert packages.undeclared(imported, ["pyyaml>=6", "attrs; python_version > '3'"], carried) == []
    assert packages.undeclared(imported, ["pyyaml>=6"], carried) == [
        "attr is imported, and no dependency is declared for it"
    ]


def test_places_in_lock(write: Write) -> None:
    def lock(entry: dict[str, str]) -> Path:
        return write("package-lock.json", json.dumps({"packages": {"": {}, "node_modules/a": entry}}))

    assert packages.places_in_lock(lock({"integrity": "sha512-x"})) == []
    assert len(packages.places_in_lock(lock({"integrity": "sha512-x", "resolved": "https://host/a.tgz"}))) == 1
    assert len(packages.places_in_lock(lock({}))) == 1
