"""Texts that chat programs get wrong, and texts that the protocol refuses."""

import random

TEXT_CHARS = 10_000

AWKWARD: dict[str, str] = {
    "family emoji": "👨‍👩‍👧‍👦 and 🏳️‍🌈 and 👩🏽‍🚀",
    "flags and keycaps": "🇩🇪🇯🇵 1️⃣ #️⃣",
    "right to left": "שלום עולם، مرحبا بالعالم",
    "direction marks": "\u202eabc\u202c \u2067x\u2069",
    "combining marks": "Z̷̡̛a̸͎l̵̰g̶o e\u0301 is not é",
    "not normalised": "\u212b \u00c5 A\u030a ﬁ ①",
    "spaces around": "  \t two spaces before, and after \n ",
    "line ends": "one\r\ntwo\rthree\n\nfive\u2028six\u0085seven",
    "control characters": "bell\x07 escape\x1b[31m delete\x7f",
    "beyond the first plane": "𝒳𠜎𐍈",
    "private use and noncharacters": "x \ue000\ufdd0\U0010ffff",
    "byte order mark": "\ufeffstarts with a mark",
    "looks like code": '<script>alert("1")</script> {"$ne": null} \'; DROP TABLE --',
    "looks like a key": "$where.a.b",
    "backslashes and quotes": '\\ \\\\ " \\" \\u0000 \\n',
    "one visible character": "x",
    "one combining mark on a dotted circle": "◌́",
    "all of the limit": "m" * TEXT_CHARS,
    "all of the limit in emoji": "😀" * TEXT_CHARS,
}

REFUSED: dict[str, str] = {
    "empty": "",
    "only spaces": " \t\r\n ",
    "only invisible": "\u200b\u200d\u2060\ufeff",
    "only direction marks": "\u200e\u202a\u202c\u2066\u2069",
    "only a variation selector": "\ufe0f",
    "NUL": "before\x00after",
    "high surrogate alone": "x\ud83d",
    "low surrogate alone": "\ude00x",
    "one over the limit": "m" * (TEXT_CHARS + 1),
    "one over the limit in emoji": "😀" * (TEXT_CHARS + 1),
}

_ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz     ",
    "äöüßéèñçøåłžščřąęğış",
    "абвгдежзийклмнопрстуфхцчшщъыьэюя ",
    "אבגדהוזחטיכלמנסעפצקרשת ",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهوي ",
    "日本語中文字한국어ไทยहिन्दी",
    "😀🎉🚀👍❤🔥👩‍💻🏽\u200d\ufe0f",
    "\u0300\u0301\u0308\u0323\u0331",
    "\"'\\{}[]<>$.&%\t\n\r\u2028\u202e",
    "𝒳𝔘𠜎𐍈\U0001f9d1\U0010fffd",
)


def awkward_texts(count: int, *, seed: int, longest: int = 200) -> list[str]:
    """Return ``count`` valid texts of mixed scripts, the same ones for the same seed."""
    dice = random.Random(seed)
    return [_awkward_text(dice, dice.randint(1, longest)) for _ in range(count)]


def _awkward_text(dice: random.Random, length: int) -> str:
    # Beginning with a letter makes it visible whatever follows.
    characters = [dice.choice("xyzאя日")]
    while len(characters) < length:
        alphabet = dice.choice(_ALPHABETS)
        characters += dice.choices(alphabet, k=dice.randint(1, 12))
    return "".join(characters[:length])
