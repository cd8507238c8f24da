"""Rules of what is installed: every package of Python and npm at an exact version, from nowhere in particular."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[0-9][a-z0-9.]*)(?: ; (?P<marker>[^#]+))?")


def loose_constraints(lines: Iterable[str]) -> list[str]:
    """Complain of lines that are anything but a name, an exact version and perhaps a marker."""
    return [line for line in lines if line and not line.lstrip().startswith("#") and not _PIN.fullmatch(line)]


def unpinned(
    lines: Iterable[str],
    project: str,
    extras: set[str],
    requires: Callable[[str], Iterable[str]],
    version: Callable[[str], str],
) -> list[str]:
    """Complain of what `project` with `extras` needs here, near or far, and the constraints leave open or contradict.

    `requires` gives the requirements of an installed distribution, `version` its version.
    """
    here = [found for line in lines if (found := _PIN.fullmatch(line)) and _applies(found["marker"])]
    pins = {found["name"]: found["version"] for found in here}
    found = []
    for name in sorted(_needed(project, extras, requires)):
        if name not in pins:
            found.append(f"{name} is needed and has no exact version")
        elif pins[name] != version(name):
            found.append(f"{name} is pinned at {pins[name]}, installed is {version(name)}")
    return found


def undeclared(
    imported: Iterable[str], declared: Iterable[str], distributions: Mapping[str, Iterable[str]]
) -> list[str]:
    """Complain of imported modules whose distribution is not among the requirements `declared`.

    `distributions` names those that carry a top-level module. What only another dependency brings may go away with it.
    """
    names = {canonicalize_name(Requirement(requirement).name) for requirement in declared}
    return [
        f"{module} is imported, and no dependency is declared for it"
        for module in sorted(set(imported))
        if names.isdisjoint(map(canonicalize_name, distributions.get(module, [])))
    ]


def places_in_lock(lock: Path) -> list[str]:
    """Complain of entries of a package-lock.json that say where to fetch from, or that have no checksum."""
    packages: dict[str, dict[str, Any]] = json.loads(lock.read_bytes())["packages"]
    placed = [f"{name}: resolved {entry['resolved']}" for name, entry in packages.items() if "resolved" in entry]
    return placed + [
        f"{name}: no checksum"
        for name, entry in packages.items()
        if name and "integrity" not in entry and not entry.get("inBundle")
    ]


def _applies(marker: str | None) -> bool:
    return marker is None or Marker(marker).evaluate()


def _needed(project: str, extras: set[str], requires: Callable[[str], Iterable[str]]) -> set[str]:
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(canonicalize_name(project), frozenset(extras))]
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) not in seen:
            seen.add((name, wanted))
            waiting += _direct(requires(name), wanted)
    return {name for name, _ in seen} - {canonicalize_name(project)}


def _direct(requirements: Iterable[str], extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for requirement in map(Requirement, requirements):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield canonicalize_name(requirement.name), frozenset(requirement.extras)
