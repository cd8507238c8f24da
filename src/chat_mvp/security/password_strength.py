"""Estimates how hard a password is to guess, with zxcvbn in its own thread.

zxcvbn looks for common passwords, words, names, dates, repetitions and rows of keys, also with letters replaced by
signs. It counts how many guesses a program needs that tries these first. Two limits bound its work. It gets only the
first ``MAX_JUDGED_PASSWORD_CHARS`` characters. These contain at most ``MAX_SUBSTITUTES`` different signs that may stand
for letters, because it tries every way of reading them.
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
"""Shorter parts of a name occur in many words."""

_SUBSTITUTES = frozenset(sign for signs in L33T_TABLE.values() for sign in signs)
_OTHER_SIGN = "_"
_PARTS = re.compile(r"[^\W_]+")
MIN_REPEATED_CHARS = 4


class PasswordStrength:
    """Judges passwords outside the event loop. Call ``close`` when the program ends.

    It uses one thread, because zxcvbn keeps the names of the account that it judges in a module variable.
    """

    def __init__(self, *, max_waiting: int = MAX_STRENGTHS_WAITING) -> None:
        """Let ``max_waiting`` passwords wait besides the one that is being judged."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="password-strength")
        self._free_slots = 1 + max_waiting

    async def complaint(self, password: str, names: Iterable[str]) -> str | None:
        """Return why a password is too easy to guess, without any part of it. ``UnavailableError`` when too many wait.

        ``names`` are the user's own: username, display name, e-mail address.
        """
        if self._free_slots == 0:
            raise UnavailableError(
                "Too many users are registering now. Try again in a moment.", retry_after_ms=RETRY_AFTER_MS
            )
        self._free_slots -= 1
        try:
            work = partial(strength_complaint, password, tuple(names))
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._free_slots += 1

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def strength_complaint(password: str, names: Iterable[str]) -> str | None:
    """Return why a password is too easy to guess. Takes up to about 100 ms."""
    judged = judged_part(password)
    own = own_words(names)
    if _is_own_name(judged, own):
        return "is mostly your own name or address. Add another word or two. Uncommon words are better"
    # At most two judgements: zxcvbn recognises words that are repeated directly, but not with a sign between them.
    texts = {judged, without_separators(judged)}
    result = min((zxcvbn(text, user_inputs=own) for text in texts), key=itemgetter("guesses"))
    if result["score"] >= MIN_PASSWORD_SCORE:
        return None
    feedback = result["feedback"]
    sentences = [feedback["warning"], *feedback["suggestions"]]
    return " ".join(["is too easy to guess.", *filter(None, sentences)]).removesuffix(".")


def judged_part(password: str) -> str:
    """Return the part of a password that is judged, in the characters that the user sees."""
    # A compatible form may be longer. Cut the text before it is normalised.
    head = unicodedata.normalize("NFKC", password[:MAX_JUDGED_PASSWORD_CHARS])[:MAX_JUDGED_PASSWORD_CHARS]
    kept_signs: set[str] = set()
    judged: list[str] = []
    for char in head:
        if char in _SUBSTITUTES and len(kept_signs) < MAX_SUBSTITUTES:
            kept_signs.add(char)
        judged.append(_OTHER_SIGN if char in _SUBSTITUTES - kept_signs else char)
    return "".join(judged)


def without_separators(password: str) -> str:
    """Return the password's parts joined if one repeats another, as in "word-word1". Otherwise return all of it."""
    parts = [part.lower() for part in _PARTS.findall(password) if len(part) >= MIN_REPEATED_CHARS]
    repeats = any(left in right or right in left for left, right in combinations(parts, 2))
    return "".join(_PARTS.findall(password)) if repeats else password


def own_words(names: Iterable[str]) -> list[str]:
    """Return the names in lower case, their parts, and the parts joined, each once and the longest first."""
    words: set[str] = set()
    for name in names:
        plain = unicodedata.normalize("NFKC", name).lower()
        # The local part of an address counts as a name.
        for text in (plain, plain.partition("@")[0]):
            parts = _PARTS.findall(text)
            words |= {text, "".join(parts), *parts}
    return sorted((word for word in words if len(word) >= MIN_NAME_CHARS), key=lambda word: (-len(word), word))


def _is_own_name(password: str, own: Iterable[str]) -> bool:
    """Return whether too little of a password is left without the user's own names."""
    rest = lowered = password.lower()
    for word in own:
        rest = rest.replace(word, "")
    return rest != lowered and len(rest) < MIN_PASSWORD_CHARS_BESIDE_NAMES
