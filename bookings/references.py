"""Human-readable booking references: short, random, and hard to misread or to mishear."""

import re
from secrets import randbelow

# Without vowels (no words by accident) and without what looks or sounds alike.
ALPHABET = "2347CDFGHJKMNPQRTVWXY"
_LETTERS = re.compile(r"[^A-Z]")


def new_reference(organisation_name: str) -> str:
    """Such as RIV-7K3M-Q2; the first part is from the organisation's name. The database makes it unique."""
    prefix = _LETTERS.sub("", organisation_name.upper())[:3] or "BKG"
    return f"{prefix}-{_random(4)}-{_random(2)}"


def _random(length: int) -> str:
    """Drawn at once: each draw asks the operating system, and lets another thread go first."""
    drawn, letters = randbelow(len(ALPHABET) ** length), ""
    for _ in range(length):
        drawn, place = divmod(drawn, len(ALPHABET))
        letters += ALPHABET[place]
    return letters
