"""What the database computes for a search: folded names, compact postcodes, places."""

import re
import unicodedata

from django.db import models
from django.db.models import Func, TextField

_MOST_WORDS = 10
_LONGEST_WORD = 50
# As in the migration that keeps the words of every service; ASCII, so that both sides agree on it.
_BETWEEN_WORDS = re.compile(r"[\s!-/:-@\[-`{-~]+")
_INSIDE_WORDS = str.maketrans("", "", "'\u2019")


# Not `fold` of bars_portal/values.py: the database folds names of services too (`Folded`, and the words that
# triggers keep), and SQL has neither its casefold nor its letters and categories. What is asked for must be
# folded just as what is kept is, or a service is not found by its own name.
def fold(text: str) -> str:
    """ "Ysbyty Tŷ Éclair" -> "ysbyty ty eclair"; control characters become blanks."""
    decomposed = unicodedata.normalize("NFKD", text)
    # U+0300 to U+036F are the combining accents that `Folded` removes too.
    plain = "".join(char for char in decomposed if not "\u0300" <= char <= "\u036f")
    return "".join(char if unicodedata.category(char)[0] != "C" else " " for char in plain.lower())


def search_words(text: str) -> list[str]:
    """The folded words of what somebody typed, without punctuation; a few are enough, and bound the work."""
    words = _BETWEEN_WORDS.split(fold(text[:1_000]).translate(_INSIDE_WORDS))
    return [word[:_LONGEST_WORD] for word in words if word][:_MOST_WORDS]


class Folded(Func):
    """`fold` as an immutable SQL expression, so that a generated column can hold it."""

    # Accents are written as escapes of PostgreSQL's regular expressions.
    template = r"lower(regexp_replace(normalize(%(expressions)s, NFKD), '[\u0300-\u036f]', '', 'g'))"
    arity = 1
    output_field = TextField()


class Compact(models.Func):
    """A postcode without blanks, in capitals: the key of the postcode table."""

    template = "upper(replace(%(expressions)s, ' ', ''))"
    arity = 1
    output_field = models.TextField()


class Place(models.Func):
    """`Place(longitude, latitude)` as a point, which an index finds the neighbours of."""

    function = "point"
    arity = 2
    output_field = models.TextField()
