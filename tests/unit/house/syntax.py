"""Rules of the Python syntax tree."""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

_TOO_BROAD = {"Exception", "BaseException", "ChatError"}
_SKIPPING = {"skip", "skipif", "importorskip", "xfail", "skipTest", "skipIf", "skipUnless", "expectedFailure"}


def frame_names(files: Iterable[Path], tags: frozenset[str]) -> list[str]:
    """Complain of frame types spelled out.

    A name with a dot is a frame's wherever it stands. The others are ordinary words (`read`, `error`), so they count
    where they name a type: `{"type": "read"}`, `frame.type == "read"`, `frame["type"] == "read"`, `tag="read"`.
    """
    dotted = {tag for tag in tags if "." in tag}
    found = []
    for path, node in _nodes(files):
        named = {text for text in _typed_as(node) if text in tags}
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in dotted:
            named.add(node.value)
        found += [f"{path}:{node.lineno}: the frame type {text!r} belongs in protocol/" for text in sorted(named)]
    return found


def broad_catches(files: Iterable[Path], root: Path, allowed: Mapping[str, str]) -> list[str]:
    """Complain of everything caught outside the places in `allowed` (path below `root`: reason), and of stale places.

    `ChatError` counts as broad: refusals become answers in two places, over HTTP and in frames, and nowhere else.
    Catching to tidy up and then raising the same again is not meant.
    """
    breaches = {
        (path, node.lineno): f"catches {', '.join(sorted(_caught(node) & _TOO_BROAD))}"
        for path, node in _nodes(files)
        if _caught(node) & _TOO_BROAD and not _passes_on(node)
    }
    return _outside(breaches, root, allowed)


def uses(files: Iterable[Path], attribute: str, root: Path, allowed: Mapping[str, str]) -> list[str]:
    """Complain of uses of `attribute` (called, or handed on) outside the places in `allowed`, and of stale places."""
    breaches = {
        (path, node.lineno): f"uses {attribute}"
        for path, node in _nodes(files)
        if isinstance(node, ast.Attribute) and node.attr == attribute
    }
    return _outside(breaches, root, allowed)


def skipped_tests(files: Iterable[Path]) -> list[str]:
    """Complain of tests that are skipped or expected to fail."""
    return [
        f"{path}:{node.lineno}: {node.attr}"
        for path, node in _nodes(files)
        if isinstance(node, ast.Attribute)
        and node.attr in _SKIPPING
        and _root_name(node) in {"pytest", "unittest", "self"}
    ]


def patched_modules(files: Iterable[Path], package: str) -> list[str]:
    """Complain of tests that replace parts of `package`: trouble is made by subclasses and signals, not by patching."""
    found = []
    for path in files:
        tree = _tree(path)
        own = {package} | {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package
            for alias in node.names
        }
        found += [
            f"{path}:{node.lineno}: replaces a part of {package}"
            for node in ast.walk(tree)
            if isinstance(node, ast.stmt | ast.Call) and ("unittest.mock" in _imported(node) or _patches(node, own))
        ]
    return found


def imports_beyond(path: Path, allowed: frozenset[str]) -> list[str]:
    """Complain of imports in `path` that are neither of the standard library nor of the packages in `allowed`."""
    return [
        f"{path}:{node.lineno}: imports {name}"
        for _, node in _nodes([path])
        for name in sorted(_imported(node))
        if name.split(".")[0] not in sys.stdlib_module_names and not _within(name, allowed)
    ]


def third_parties(files: Iterable[Path], package: str) -> set[str]:
    """Return the top-level modules that `files` import and that are neither `package` nor of the standard library."""
    tops = {name.split(".")[0] for _, node in _nodes(files) for name in _imported(node)}
    return tops - set(sys.stdlib_module_names) - {package}


def reaching_across_features(features: Path, package: str) -> list[str]:
    """Complain of features that import another's routes, handlers or schemas; its service is what it offers."""
    found = []
    for path, node in _nodes(sorted(features.rglob("*.py"))):
        own = path.relative_to(features).parts[0]
        reached = {_private_part(name, package, own) for name in _imported(node)} - {None}
        found += [f"{path}:{node.lineno}: imports {name}" for name in reached]
    return found


def _tree(path: Path) -> ast.Module:
    return _parsed(path.read_bytes())


@cache
def _parsed(source: bytes) -> ast.Module:
    return ast.parse(source)


def _nodes(files: Iterable[Path]) -> Iterator[tuple[Path, ast.expr | ast.stmt | ast.excepthandler]]:
    for path in files:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.expr | ast.stmt | ast.excepthandler):
                yield path, node


def _outside(breaches: Mapping[tuple[Path, int], str], root: Path, allowed: Mapping[str, str]) -> list[str]:
    places = {path: path.relative_to(root).as_posix() for path, _ in breaches}
    stale = allowed.keys() - places.values()
    return [f"{path}:{line}: {what}" for (path, line), what in breaches.items() if places[path] not in allowed] + [
        f"{place}: named as an exception to a rule that it keeps" for place in sorted(stale)
    ]


def _typed_as(node: ast.AST) -> Iterator[str]:
    """Yield the constants that `node` uses as the type of something."""
    pairs: list[tuple[str, ast.expr]] = []
    if isinstance(node, ast.Dict):
        pairs = [(key.value, value) for key, value in zip(node.keys, node.values, strict=True) if _is_text(key)]
    elif isinstance(node, ast.Call | ast.ClassDef):
        pairs = [(keyword.arg or "", keyword.value) for keyword in node.keywords]
    elif isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        if any(_reads_type(side) for side in sides):
            pairs = [("type", part) for side in sides for part in getattr(side, "elts", [side])]
    for name, value in pairs:
        if name in {"type", "tag"} and _is_text(value):
            yield value.value


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _reads_type(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "type"
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == "type"


def _caught(node: ast.AST) -> set[str]:
    """Names of the exceptions that `node` catches; a bare `except` catches BaseException."""
    if isinstance(node, ast.ExceptHandler):
        caught = [node.type] if node.type else [ast.Name("BaseException")]
    elif isinstance(node, ast.Call) and _last_name(node.func) == "suppress":
        caught = node.args
    else:
        return set()
    return {_last_name(part) for one in caught for part in (one.elts if isinstance(one, ast.Tuple) else [one])}


def _passes_on(node: ast.AST) -> bool:
    last = node.body[-1] if isinstance(node, ast.ExceptHandler) else None
    return isinstance(last, ast.Raise) and last.exc is None


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _root_name(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return getattr(node, "id", "")


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return set()


def _private_part(name: str, package: str, own: str) -> str | None:
    """Name the routes, handlers or schemas of a feature other than `own` that importing `name` reaches, if any."""
    parts = name.removeprefix(f"{package}.").split(".")
    private = len(parts) > 1 and parts[0] != own and parts[1] in {"routes", "handlers", "schemas"}
    return ".".join(parts[:2]) if private and name.startswith(f"{package}.") else None


def _within(name: str, packages: frozenset[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _patches(node: ast.AST, own: set[str]) -> bool:
    if not isinstance(node, ast.Call) or _last_name(node.func) not in {"setattr", "patch"} or not node.args:
        return False
    target = node.args[0]
    name = str(target.value).split(".")[0] if isinstance(target, ast.Constant) else _root_name(target)
    return name in own
