"""When two spellings are one name (standard section 13): pure, and kept in the database as a key."""

import re
import unicodedata
from itertools import accumulate

# Letters of their own that people also write without.
_LETTERS = str.maketrans(
    {
        "\u00e6": "ae",
        "\u0153": "oe",
        "\u00f8": "o",
        "\u00f0": "d",
        "\u0111": "d",
        "\u00fe": "th",
        "\u0142": "l",
        "\u0127": "h",
        "\u0131": "i",
        "\u014b": "n",
    }
)


def fold(text: str) -> str:
    """Small letters without accents: composed, decomposed and typographic forms of one text become one."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join(char for char in plain if unicodedata.category(char) not in ("Mn", "Cf"))
    return kept.translate(_LETTERS)


def name_words(text: str) -> list[str]:
    """The folded words of a name; apostrophes, hyphens and other punctuation divide words as blanks do."""
    words = _divided(fold(text)).split()
    # A name of nothing but signs is a name too.
    return words or text.casefold().split()


_SIGNS = re.compile(r"[!-/:-@\[-`{-~]")


def _divided(text: str) -> str:
    if text.isascii():
        return _SIGNS.sub(" ", text)
    signs = ("P", "Z", "C", "Sk")
    return "".join(" " if unicodedata.category(each).startswith(signs) else each for each in text)


def name_key(text: str) -> str:
    """What all spellings of a name share: its folded letters without blanks or signs; "" for no name."""
    return "".join(name_words(text))


def asked_words(asked: str) -> list[str]:
    """The keys of the words that a search asks for: each is part of the key of whoever is meant."""
    keys = ("".join(_divided(fold(word)).split()) for word in asked.split())
    return list(filter(None, keys)) or name_words(asked)


def is_named(name: str, asked: str) -> bool:
    """Whether each word asked for begins a word of the name; "oneill" and "o neill" begin O'Neill.

    FHIR's search for a string: starts with, whatever the case and accents, the parts in any order.
    """
    words, wanted = name_words(name), asked_words(asked)
    tails = list(accumulate(reversed(words), lambda tail, word: word + tail))
    # Places up to which the words asked for are found; several may be one word of the name.
    reached = {0}
    for start in range(len(wanted)):
        for end in range(start + 1, len(wanted) + 1 if start in reached else 0):
            if not any(tail.startswith("".join(wanted[start:end])) for tail in tails):
                break
            reached.add(end)
    return bool(wanted) and len(wanted) in reached


def same_name(one: str, other: str) -> bool:
    """Never of two names that are not known."""
    return name_key(one) == name_key(other) != ""


def names_agree(one: str, other: str) -> bool:
    """First names of which one side may tell fewer: Ada and Ada Mary, not Ann and Anna."""
    shorter, longer = sorted((name_words(one), name_words(other)), key=lambda words: len("".join(words)))
    return "".join(shorter) in ("", *accumulate(longer))
