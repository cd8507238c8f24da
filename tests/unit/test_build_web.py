"""What `just install` and the packaging do with the web client: when it is built again, and which files result."""

import gzip
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import brotli
import pytest

from tests.unit.house.files import ROOT


@pytest.fixture(scope="module")
def build_web() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_web", ROOT / "tools" / "build_web.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A web client that builds in a moment: its build copies `src`."""
    frontend = tmp_path / "frontend"
    (frontend / "src").mkdir(parents=True)
    (frontend / "src" / "index.html").write_text("<p>hello", encoding="utf-8")
    (frontend / "src" / "long.js").write_text("let answer = 42;\n" * 500, encoding="utf-8")
    build = "node -e \"require('fs').rmSync('dist', {recursive: true, force: true})\" && cp -r src dist"
    package = {"name": "small", "version": "1.0.0", "private": True, "scripts": {"build": build}}
    (frontend / "package.json").write_text(json.dumps(package), encoding="utf-8")
    lock = {"name": "small", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {"name": "small"}}}
    (frontend / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    (frontend / "node_modules").mkdir()
    (frontend / "node_modules" / ".package-lock.json").write_text('{"packages": {}}', encoding="utf-8")
    (tmp_path / "src" / "chat_mvp" / "web").mkdir(parents=True)
    return tmp_path


def static(checkout: Path) -> dict[str, bytes]:
    folder = checkout / "src/chat_mvp/web/static"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_is_built_when_its_sources_changed_and_not_otherwise(build_web: ModuleType, checkout: Path) -> None:
    assert build_web.build_if_changed(checkout) is True
    assert build_web.build_if_changed(checkout) is False
    (checkout / "frontend/src/index.html").write_text("<p>good morning", encoding="utf-8")
    assert build_web.build_if_changed(checkout) is True
    assert static(checkout)["index.html"] == b"<p>good morning"


def test_files_that_are_no_longer_built_are_removed(build_web: ModuleType, checkout: Path) -> None:
    build_web.build_if_changed(checkout)
    (checkout / "frontend/src/long.js").unlink()
    build_web.build_if_changed(checkout)
    assert set(static(checkout)) == {"index.html"}


def test_compressed_siblings_hold_the_same_and_come_out_the_same(build_web: ModuleType, checkout: Path) -> None:
    build_web.build_if_changed(checkout)
    first = static(checkout)
    assert set(first) == {"index.html", "long.js", "long.js.br", "long.js.gz"}
    assert brotli.decompress(first["long.js.br"]) == gzip.decompress(first["long.js.gz"]) == first["long.js"]
    (checkout / "src/chat_mvp/web/static/index.html").unlink()
    build_web.build_if_changed(checkout)
    assert static(checkout) == first


def test_a_build_that_fails_leaves_the_old_client(build_web: ModuleType, checkout: Path) -> None:
    build_web.build_if_changed(checkout)
    before = static(checkout)
    package = json.loads((checkout / "frontend/package.json").read_bytes())
    package["scripts"]["build"] = "node -e 'process.exit(3)'"
    (checkout / "frontend/package.json").write_text(json.dumps(package), encoding="utf-8")
    with pytest.raises(build_web.BuildError, match="npm run"):
        build_web.build_if_changed(checkout)
    assert static(checkout) == before


@pytest.mark.parametrize(
    ("locked", "present", "current"),
    [
        ({"a": {"version": "1"}}, {"a": {"version": "1"}}, True),
        ({"a": {"version": "2"}}, {"a": {"version": "1"}}, False),
        ({"a": {"version": "1"}}, {}, False),
        ({"a": {"version": "1", "optional": True}}, {}, True),
        ({}, {"a": {"version": "1"}}, False),
    ],
    ids=["the same", "another version", "one missing", "one missing that may be", "one too many"],
)
def test_npm_is_asked_only_when_its_packages_differ(
    build_web: ModuleType, checkout: Path, locked: object, present: object, current: bool
) -> None:
    frontend = checkout / "frontend"
    (frontend / "package-lock.json").write_text(json.dumps({"packages": {"": {}} | locked}), encoding="utf-8")
    (frontend / "node_modules/.package-lock.json").write_text(json.dumps({"packages": present}), encoding="utf-8")
    assert build_web.node_modules_current(frontend) is current


def test_without_sources_there_is_one_sentence(build_web: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(build_web.BuildError, match=r"no frontend/package\.json"):
        build_web.build_if_changed(tmp_path)
