"""What was typed into a step, kept word for word, and pressed buttons that change its list.

A step is kept as one flat mapping {field: text}: fields of its list are "row-<n>-<field>", "rows" is how many
rows the page shows, "done" says that somebody pressed Continue.
"""

from collections.abc import Iterator, Mapping

from bars_portal.nhsuk.forms import DateField
from bars_portal.nhsuk.forms.dates import PARTS
from referrals.forms.base import Answers, Asked, PartForm
from referrals.forms.step import Given, Step

ROWS, DONE = "rows", "done"
# PostgreSQL keeps no null bytes: the substitute is refused by every field, in words, just as they are.
_NULL, _SUBSTITUTE = "\x00", "\x1a"


def row_prefix(number: int) -> str:
    return f"row-{number}"


def rows_of(step: Step, typed: Mapping[str, str], asked: Asked) -> int:
    """How many rows the page shows: at least one, at most what the step allows."""
    if step.row is None:
        return 0
    text = typed.get(ROWS, "1")
    said = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1
    return max(1, min(said, step.most(asked)))


def typed_answers(step: Step, posted: Mapping[str, str], asked: Asked) -> Answers:
    """What the step's fields were given, valid or not; anything else is left out."""
    rows = rows_of(step, posted, asked)
    names = [*_names(step.form), *(name for n in range(rows) for name in row_names(step, n))]
    kept = {name: posted[name].replace(_NULL, _SUBSTITUTE) for name in names if name in posted}
    return kept | ({ROWS: str(rows)} if step.row else {})


def row_names(step: Step, number: int) -> Iterator[str]:
    if step.row is not None:
        yield from (f"{row_prefix(number)}-{name}" for name in _names(step.row))


def with_row(step: Step, typed: Answers, asked: Asked) -> Answers:
    """One more empty row, if the list may have it."""
    return {**typed, ROWS: str(min(rows_of(step, typed, asked) + 1, step.most(asked)))}


def without_row(step: Step, typed: Answers, asked: Asked, gone: str) -> Answers:
    """The rows below move up; a number that is none changes nothing."""
    rows = rows_of(step, typed, asked)
    numbers = [n for n in range(rows) if str(n) != gone]
    kept = {name: text for name, text in typed.items() if not name.startswith("row-")}
    for new, old in enumerate(numbers):
        pairs = zip(row_names(step, new), row_names(step, old), strict=True)
        kept |= {name: typed[before] for name, before in pairs if before in typed}
    return {**kept, ROWS: str(max(1, len(numbers)))}


def flat(step: Step, given: Given) -> Answers:
    """Answers of a step as they are kept, as if somebody had typed them and pressed Continue."""
    kept = dict(given.fields)
    for number, row in enumerate(given.rows):
        kept |= {f"{row_prefix(number)}-{name}": text for name, text in row.items()}
    return kept | ({ROWS: str(max(1, len(given.rows)))} if step.row else {}) | {DONE: "1"}


def _names(form: type[PartForm]) -> Iterator[str]:
    for name, field in form.base_fields.items():
        if isinstance(field, DateField):
            yield from (f"{name}-{part}" for part in PARTS)
        else:
            yield name
