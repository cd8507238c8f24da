"""Refusing the passwords that guessing programs try first.

Lists of leaked passwords are mostly variations of few words, so a short list of words and a few shapes catch what is
ten characters long and still guessed at once: rows of keys, repetitions, a well-known word with digits around it, the
person's own name.
"""

import re
import unicodedata

MIN_DISTINCT_CHARS = 3

_ROWS = (
    "12345678901234567890",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
)
_WALKS = tuple(row for way in _ROWS for row in (way * 2, way[::-1] * 2))

_WORD_LIST = """
abc abcd access admin administrator adminadmin adobe amanda andrew angel apple asdf asdfasdf asdfgh asdfghjkl ashley
azerty baby babygirl bailey banana barcelona baseball basketball batman beautiful blink bonjour butterfly changeit
changeme charlie cheese chelsea chocolate computer cookie correcthorsebatterystaple daniel default demo diamond
dragon elephant facebook flower football freedom fuckyou gfhjkm ginger google guest hallo hannah harley hello
helloworld hockey hunter iloveyou internet jennifer jessica jesus jordan joshua justin killer letmein liverpool
login london love loveyou lovely manchester master matthew merlin michael michelle minecraft monkey mustang mynoob
myspace naruto nicole ninja nothing opensesame orange pass passpass passport passw passwd password passwordpassword
passwort pepper pokemon princess qazwsx qazwsxedc querty qwer qwerty qwertyuiop qwertz rainbow ranger robert root
samsung secret shadow sophie soccer spiderman starwars summer sunshine superman superstar swordfish system temp test
tester testing testtest thomas thunder tigger trustno twitter user userpassword username wachtwoord welcome whatever
wilkommen willkommen winter wordpass yankees zaqwsx zxcvbn zxcvbnm motdepasse contrasena senha parola haslo salasana
"""
_WORDS = frozenset(_WORD_LIST.split())
_LEET = str.maketrans("013457$@!", "oieastsai")
_LETTERS = re.compile(r"[a-z]+")
_TRIMMINGS = re.compile(r"^[^a-z]+|[^a-z]+$")


def is_common(password: str, *own_names: str) -> bool:
    """Tell whether a guessing program would try this soon; ``own_names`` are the person's username and address."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    packed = "".join(character for character in plain if character.isalnum())
    return (
        len(set(plain)) < MIN_DISTINCT_CHARS
        or _is_walk(packed)
        or _is_walk(_shortest_period(plain))
        or _is_word_with_trimmings(plain)
        or any(packed == _pack(name) for name in own_names if name)
    )


def _pack(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _is_walk(text: str) -> bool:
    return any(text in walk for walk in _WALKS)


def _shortest_period(text: str) -> str:
    """Return the part that the text repeats, or the text itself."""
    return text[: (text + text).find(text, 1)]


def _is_word_with_trimmings(plain: str) -> bool:
    """Tell whether a well-known word, written once or more, is all there is besides digits and signs."""
    return any(
        bool(words := _LETTERS.findall(text))
        and len(set(words)) == 1
        and (words[0] in _WORDS or _shortest_period(words[0]) in _WORDS)
        for text in (plain, _TRIMMINGS.sub("", plain).translate(_LEET))
    )
