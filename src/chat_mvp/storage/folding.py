"""How names are compared: without regard to case, accents and the many ways of writing one letter."""

import re
import unicodedata

_PARTS = re.compile(r"\w+")


def fold_name(name: str) -> str:
    """Return the form under which a username or an e-mail address is unique."""
    return unicodedata.normalize("NFC", name.casefold())


def fold_text(text: str) -> str:
    """Return text as searches see it: compatible forms made one, no accents, no case. Folding twice changes nothing."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def name_words(username: str, display_name: str) -> list[str]:
    """Return everything by whose beginning a person is found, folded.

    That is the username, each word of the display name, and the parts of words with signs in them, so that both
    ``jean-luc`` and ``luc`` find Jean-Luc.
    """
    words = fold_text(display_name).split()
    parts = [part for word in words for part in _PARTS.findall(word)]
    return list(dict.fromkeys([fold_text(username), *words, *parts]))
