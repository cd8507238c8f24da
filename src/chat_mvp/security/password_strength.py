"""How hard a password is to guess, estimated by zxcvbn in a thread of its own.

zxcvbn looks for common passwords, words, names, dates, repetitions and rows of keys, also with letters replaced by
signs, and counts how many guesses a program needs that tries these first. Two things bound its work: it gets the first
``MAX_JUDGED_PASSWORD_CHARS`` characters, with no more than ``MAX_SUBSTITUTES`` different signs that may stand for
letters, since it tries every way of reading them.
"""

import asyncio
import re
import unicodedata
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import combinations
from operator import itemgetter

from zxcvbn import zxcvbn
from zxcvbn.matching import L33T_TABLE

from chat_mvp.errors import UnavailableError
from chat_mvp.limits import (
    MAX_JUDGED_PASSWORD_CHARS,
    MAX_STRENGTHS_WAITING,
    MIN_PASSWORD_CHARS_BESIDE_NAMES,
    MIN_PASSWORD_SCORE,
)

RETRY_AFTER_MS = 2_000
MAX_SUBSTITUTES = 10
MIN_NAME_CHARS = 3
"""Shorter parts of a name stand in many words."""

_SUBSTITUTES = frozenset(sign for signs in L33T_TABLE.values() for sign in signs)
_OTHER_SIGN = "_"
_PARTS = re.compile(r"[^\W_]+")
MIN_REPEATED_CHARS = 4


class PasswordStrength:
    """Judges passwords off the event loop. ``close`` it when the program ends.

    One thread, because zxcvbn keeps the names of the account that it judges in a module of its own.
    """

    def __init__(self, *, max_waiting: int = MAX_STRENGTHS_WAITING) -> None:
        """Let ``max_waiting`` wait beside the one that is judged."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="password-strength")
        self._places = 1 + max_waiting

    async def complaint(self, password: str, names: Iterable[str]) -> str | None:
        """Return why a password is too easy to guess, never repeating any of it; ``UnavailableError`` for too many.

        ``names`` are the person's own: username, display name, e-mail address.
        """
        if self._places == 0:
            raise UnavailableError("Too many people are registering just now.", retry_after_ms=RETRY_AFTER_MS)
        self._places -= 1
        try:
            work = partial(strength_complaint, password, tuple(names))
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._places += 1

    def close(self) -> None:
        """Let the thread end."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def strength_complaint(password: str, names: Iterable[str]) -> str | None:
    """Return why a password is too easy to guess. Takes up to about 100 ms."""
    judged = judged_part(password)
    own = own_words(names)
    if _is_own_name(judged, own):
        return "is mostly your own name or address. Add another word or two. Uncommon words are better"
    # Two judgements at most: zxcvbn knows words that are repeated at once, and not those with a sign between.
    texts = {judged, without_separators(judged)}
    result = min((zxcvbn(text, user_inputs=own) for text in texts), key=itemgetter("guesses"))
    if result["score"] >= MIN_PASSWORD_SCORE:
        return None
    feedback = result["feedback"]
    sentences = [feedback["warning"], *feedback["suggestions"]]
    return " ".join(["is too easy to guess.", *filter(None, sentences)]).removesuffix(".")


def judged_part(password: str) -> str:
    """Return what is judged of a password, in the characters that a person sees."""
    # A compatible form may be longer; nothing is normalised that is not cut first.
    head = unicodedata.normalize("NFKC", password[:MAX_JUDGED_PASSWORD_CHARS])[:MAX_JUDGED_PASSWORD_CHARS]
    kept: set[str] = set()
    judged: list[str] = []
    for char in head:
        if char in _SUBSTITUTES and len(kept) < MAX_SUBSTITUTES:
            kept.add(char)
        judged.append(_OTHER_SIGN if char in _SUBSTITUTES - kept else char)
    return "".join(judged)


def without_separators(password: str) -> str:
    """Return the password's parts put together where one repeats another, as in "word-word1"; otherwise all of it."""
    parts = [part.lower() for part in _PARTS.findall(password) if len(part) >= MIN_REPEATED_CHARS]
    repeats = any(left in right or right in left for left, right in combinations(parts, 2))
    return "".join(_PARTS.findall(password)) if repeats else password


def own_words(names: Iterable[str]) -> list[str]:
    """Return the names in small letters, their parts, and the parts put together, each once and the longest first."""
    words: set[str] = set()
    for name in names:
        plain = unicodedata.normalize("NFKC", name).lower()
        # The local part of an address is a name of its own.
        for text in (plain, plain.partition("@")[0]):
            parts = _PARTS.findall(text)
            words |= {text, "".join(parts), *parts}
    return sorted((word for word in words if len(word) >= MIN_NAME_CHARS), key=lambda word: (-len(word), word))


def _is_own_name(password: str, own: Iterable[str]) -> bool:
    """Return whether too little of a password is left without the person's own names."""
    rest = lowered = password.lower()
    for word in own:
        rest = rest.replace(word, "")
    return rest != lowered and len(rest) < MIN_PASSWORD_CHARS_BESIDE_NAMES
