"""Finds ``@name`` in a Markdown text. A name in code or in an address is not a mention.

``tests/mentions.json`` shows the rule by examples. The web client is tested with the same examples. Every text with an
``@`` passes through this module, so no step looks at a character more than a fixed number of times.
"""

import re
from collections.abc import Iterator

from chat_mvp.limits import MAX_MENTIONS, MAX_USERNAME_CHARS, MIN_USERNAME_CHARS

_MAX_CONTAINERS = 32
"""The maximum depth of nested quotes and lists. Deeper markers are text."""

_TAB_COLUMNS = 4
_CODE_INDENT = 4
_QUOTE = 0
"""Represents a quote in the list of containers. A list item is represented by the columns of its indent."""

_SPACES = re.compile(r" *+")
_FENCE = re.compile(r"`{3,}+(?=[^`]*+$)|~{3,}+")
_RULE = re.compile(r"([-*_]) *+(?:\1 *+){2,}+$")
_UNDERLINE = re.compile(r"(?:-++|=++) *+$")
_HEADING = re.compile(r"#{1,6}+(?: |$)")
_ITEM = re.compile(r"(?:[-+*]|([0-9]{1,9}+)[.)])(?= |$)")

_ADDRESS_CHARS = r"""(?: [^\s<>"`|\[\]()] | \([^\s<>"`|\[\]()]*+\) )*+"""
"""Characters that may follow in an address. Parentheses only in pairs, as in the links that the web client makes."""

# Optional groups are not possessive: before Python 3.11.5, such a group that fails half-way does not go back.
_INLINE = re.compile(
    rf"""
      (?<![A-Za-z0-9_\\]) [\\_]++ @ (?P<emphasised>[A-Za-z0-9_.-]{{3,}}+)
    | (?<![A-Za-z0-9_.@\\-]) @ (?P<name>[A-Za-z0-9_.-]{{3,}}+)
    | \\[!-/:-@\[-`{{-~]
    | (?P<ticks>`++)
    # Addresses: in angle brackets, with a scheme, and by a host with a path.
    | <[A-Za-z][A-Za-z0-9+.-]{{1,31}}+:[^<>\x00-\x20]*+>
    | (?<![A-Za-z0-9]) (?:[A-Za-z][A-Za-z0-9]{{1,15}}+://|[Ww]{{3}}\.) {_ADDRESS_CHARS}
    | (?<![A-Za-z0-9@._-]) [A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++/ {_ADDRESS_CHARS}
    # A link: its text is text, its address and its title are not.
    | (?P<bracket>\[)
    | \] (?P<target>\( \s*+
        (?: <[^<>\n]*+> | [^\s()<>]*+(?:\([^\s()]*+\)[^\s()]*+)*+ )
        (?: \s++ (?: "[^"]*+" | '[^']*+' | \([^()]*+\) ) )?
        \s*+ \) )?
    """,
    re.VERBOSE,
)


def mentioned_names(text: str) -> list[str]:
    """Return the names that ``@name`` may mean, for at most ``MAX_MENTIONS`` occurrences.

    A full stop, a hyphen or an underscore may end a name or the sentence, so both readings are returned.
    """
    names: dict[str, None] = {}
    places = 0
    for part in _text_parts(text):
        if "@" not in part:
            continue
        for found in _names_in(part):
            for name in (found, found.rstrip(".-_")):
                if MIN_USERNAME_CHARS <= len(name) <= MAX_USERNAME_CHARS:
                    names[name] = None
            places += 1
            if places == MAX_MENTIONS:
                return list(names)
    return list(names)


def _text_parts(text: str) -> list[str]:
    """Return the paragraphs and headings of a text, without blocks of code."""
    blocks = _Blocks()
    for line in re.split(r"\r\n?|\n", text):
        blocks.add(line.expandtabs(_TAB_COLUMNS))
    return blocks.finish()


def _names_in(part: str) -> Iterator[str]:
    """Yield the names after each ``@`` of one paragraph that is neither in code nor in an address."""
    closing = _ticks_by_length(part)
    brackets = at = 0
    while (found := _INLINE.search(part, at)) is not None:
        at = found.end()
        name = found["emphasised"] or found["name"]
        if name is not None:
            yield name
        elif found["ticks"] is not None:
            at = _end_of_code(closing.get(at - found.start(), []), found)
        elif found["bracket"] is not None:
            brackets += 1
        elif part[found.start()] == "]":
            if brackets == 0:
                at = found.start() + 1
            brackets = max(0, brackets - 1)


def _ticks_by_length(part: str) -> dict[int, list[int]]:
    """Return the start positions of runs of backticks, by their length, the last one first."""
    places: dict[int, list[int]] = {}
    for run in re.finditer(r"`++", part):
        places.setdefault(run.end() - run.start(), []).append(run.start())
    for starts in places.values():
        starts.reverse()
    return places


def _end_of_code(starts: list[int], opening: re.Match[str]) -> int:
    """Return the end of the code that a run of backticks opens, or the end of the run when nothing closes it."""
    while starts and starts[-1] < opening.end():
        starts.pop()
    return starts[-1] + len(opening[0]) if starts else opening.end()


def _spaces(line: str, at: int) -> int:
    found = _SPACES.match(line, at)
    return 0 if found is None else found.end() - at


class _Blocks:
    """Takes the lines of a text one by one and keeps those that are not code, according to CommonMark."""

    __slots__ = ("_containers", "_fence", "_paragraph", "_parts")

    def __init__(self) -> None:
        self._containers: list[int] = []
        self._fence: str | None = None
        self._paragraph: list[str] = []
        self._parts: list[str] = []

    def finish(self) -> list[str]:
        """Return all paragraphs and headings."""
        self._end_paragraph()
        return self._parts

    def add(self, line: str) -> None:
        """Add the next line, which has no tabs."""
        if _spaces(line, 0) == len(line):
            self._add_blank()
            return
        at, matched = self._match_containers(line)
        is_inside = matched == len(self._containers)
        if self._fence is not None and is_inside:
            self._add_to_fence(self._fence, line, at)
            return
        # A fence ends with the quote or the list item that contains it.
        self._fence = None
        at, opened = self._open_containers(line, at, matched, interrupts=is_inside and bool(self._paragraph))
        if opened or not (is_inside or self._continues_paragraph(line, at)):
            self._end_paragraph()
            del self._containers[matched:]
            self._containers += opened
        self._add_leaf(line, at)

    def _add_blank(self) -> None:
        self._end_paragraph()
        if _QUOTE in self._containers:
            del self._containers[self._containers.index(_QUOTE) :]
            self._fence = None

    def _add_to_fence(self, fence: str, line: str, at: int) -> None:
        indent = _spaces(line, at)
        rest = line[at + indent :].rstrip(" ")
        if indent < _CODE_INDENT and len(rest) >= len(fence) and rest == fence[0] * len(rest):
            self._fence = None

    def _match_containers(self, line: str) -> tuple[int, int]:
        """Return where the line goes on after the containers that it continues, and the number of these."""
        at = 0
        for number, width in enumerate(self._containers):
            indent = _spaces(line, at)
            if width == _QUOTE:
                if indent >= _CODE_INDENT or not line.startswith(">", at + indent):
                    return at, number
                at = _behind_quote(line, at + indent)
            elif at + indent < len(line):
                if indent < width:
                    return at, number
                at += width
        return at, len(self._containers)

    def _open_containers(self, line: str, at: int, matched: int, *, interrupts: bool) -> tuple[int, list[int]]:
        """Return where the line goes on after the containers that it opens, and these containers."""
        opened: list[int] = []
        while matched + len(opened) < _MAX_CONTAINERS:
            indent = _spaces(line, at)
            start = at + indent
            if indent >= _CODE_INDENT or _RULE.match(line, start):
                break
            if line.startswith(">", start):
                at = _behind_quote(line, start)
                opened.append(_QUOTE)
                continue
            item = _ITEM.match(line, start)
            if item is None:
                break
            gap = _spaces(line, item.end())
            is_empty = item.end() + gap == len(line)
            if interrupts and not opened and (is_empty or item[1] not in {None, "1"}):
                break
            end = item.end() + (1 if is_empty or gap > _CODE_INDENT else gap)
            opened.append(end - at)
            at = min(end, len(line))
        return at, opened

    def _continues_paragraph(self, line: str, at: int) -> bool:
        """Return whether a line continues the paragraph before it although it lacks the markers of its containers."""
        indent = _spaces(line, at)
        start = at + indent
        if not self._paragraph or start == len(line):
            return False
        return indent >= _CODE_INDENT or not any(pattern.match(line, start) for pattern in (_FENCE, _RULE, _HEADING))

    def _add_leaf(self, line: str, at: int) -> None:
        indent = _spaces(line, at)
        start = at + indent
        if start == len(line):
            self._end_paragraph()
        elif indent >= _CODE_INDENT:
            # This is code, unless it continues a paragraph.
            if self._paragraph:
                self._paragraph.append(line[start:])
        elif fence := _FENCE.match(line, start):
            self._end_paragraph()
            self._fence = fence[0]
        elif _RULE.match(line, start) or (self._paragraph and _UNDERLINE.match(line, start)):
            self._end_paragraph()
        elif _HEADING.match(line, start):
            self._end_paragraph()
            self._parts.append(line[start:])
        else:
            self._paragraph.append(line[start:])

    def _end_paragraph(self) -> None:
        if self._paragraph:
            self._parts.append("\n".join(self._paragraph))
            self._paragraph.clear()


def _behind_quote(line: str, start: int) -> int:
    return start + (2 if line.startswith(" ", start + 1) else 1)
