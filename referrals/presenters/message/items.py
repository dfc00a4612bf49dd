"""One resource as one item: labelled rows from a table, its narrative, and what stands behind its words."""

from collections.abc import Iterable, Mapping, Sequence

from referrals.presenters.message.extensions import extension_rows
from referrals.presenters.message.model import Item, Row
from referrals.presenters.message.narrative import narrative_text
from referrals.presenters.message.reader import Part
from referrals.presenters.message.values import lines_of
from referrals.presenters.message.words import date_words

# Element to label, in the order of the page; "onset[x]" is a choice of types.
Fields = Mapping[str, str]


def rows_of(part: Part, fields: Fields) -> list[Row]:
    """A row for each element that is there."""
    found = ((label, lines_of(part, name, label)) for name, label in fields.items())
    return [Row(label, tuple(lines)) for label, lines in found if lines]


def make_item(
    part: Part,
    title: str,
    rows: Iterable[Row],
    *,
    parts: Sequence[Item] = (),
    is_folded: bool = False,
) -> Item:
    """Closes a resource: known extensions, what its narrative adds, when it was last changed."""
    shown = [*rows, *extension_rows(part)]
    shown += _narrative(part, title, shown)
    _record_details(part)
    return Item(title, tuple(shown), tuple(parts), tuple(part.notes.codes), is_folded)


def row(label: str, lines: Iterable[str]) -> list[Row]:
    """One row, or none when there is nothing to say."""
    kept = tuple(filter(None, lines))
    return [Row(label, kept)] if kept else []


def _narrative(part: Part, title: str, shown: Sequence[Row]) -> list[Row]:
    said = " ".join([title, *(line for each in shown for line in (each.label, *each.lines))])
    return row("In the sender's words", [narrative_text(part.part("text"), said)])


def _record_details(part: Part) -> None:
    meta = part.part("meta")
    for name, label in (("lastUpdated", "Last updated"), ("versionId", "Version")):
        if text := meta.text(name):
            part.notes.code(label, date_words(text))
