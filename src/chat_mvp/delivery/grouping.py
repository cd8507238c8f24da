"""Groups what is read or sent together."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")


def grouped(items: Iterable[_Item], size_of: Callable[[_Item], int], *, at_most: int) -> Iterator[list[_Item]]:
    """Group consecutive items, as long as their sizes add up to ``at_most``. A larger item is alone in its group."""
    group: list[_Item] = []
    size = 0
    for item in items:
        if group and size + size_of(item) > at_most:
            yield group
            group, size = [], 0
        group.append(item)
        size += size_of(item)
    if group:
        yield group
