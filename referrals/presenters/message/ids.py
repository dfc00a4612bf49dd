"""GUIDs within what somebody wrote: "[technical ID]" stands in the words, the GUID itself among the codes.

A value that is nothing but a GUID never gets here (technical.py); this is about sentences and addresses.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from referrals.presenters.message.model import Alert, Code, Group, Item, MessageView, Row
from referrals.presenters.message.technical import UUID

_WRITTEN = re.compile(rf"(?:urn:uuid:)?{UUID}")
# What stands in place of each GUID.
_Names = dict[str, str]


def without_ids(view: MessageView) -> MessageView:
    """The same page with no GUID in its words; each is listed with the codes of its item."""
    facts = tuple(_rows(view.facts, _names(_texts_of_rows(view.facts))))
    warnings = tuple(map(_alert, view.warnings))
    return MessageView(facts, warnings, tuple(map(_group, view.groups)))


def hide_ids(text: str) -> str:
    """A text of its own, which no list of codes goes with."""
    return _hidden(text, _names([text]))


def _group(group: Group) -> Group:
    return replace(group, items=tuple(_item(each, _names(_texts(each))) for each in group.items))


def _alert(alert: Alert) -> Alert:
    names = _names([*alert.says, *_texts(alert.item)])
    says = tuple(_hidden(each, names) for each in alert.says)
    return replace(alert, item=_item(alert.item, names, Row("Warning", alert.says)), says=says)


def _item(item: Item, names: _Names, *others: Row) -> Item:
    """Codes of its parts, and of what else is said with it, stand with the item: only it has a list."""
    if not names:
        return item
    found = _codes([*others, *_all_rows(item)], names)
    return replace(_plain(item, names), codes=tuple(dict.fromkeys((*item.codes, *found))))


def _plain(item: Item, names: _Names) -> Item:
    parts = tuple(_plain(each, names) for each in item.parts)
    rows = tuple(_rows(item.rows, names))
    return replace(item, title=_hidden(item.title, names), rows=rows, parts=parts)


def _rows(rows: Iterable[Row], names: _Names) -> Iterator[Row]:
    for each in rows:
        lines = tuple(_hidden(line, names) for line in each.lines)
        yield Row(_hidden(each.label, names), lines)


def _hidden(text: str, names: _Names) -> str:
    return _WRITTEN.sub(lambda found: names[found[0]], text)


def _codes(rows: Iterable[Row], names: _Names) -> Iterator[Code]:
    """[technical ID] in Assessment narrative: the GUID."""
    for each in rows:
        for written in _written((each.label, *each.lines)):
            yield Code(f"{names[written]} in {_hidden(each.label, names)}", written)


def _names(texts: Iterable[str]) -> _Names:
    """Numbered only where several have to be told apart."""
    found = list(dict.fromkeys(_written(texts)))
    if len(found) == 1:
        return {found[0]: "[technical ID]"}
    return {written: f"[technical ID {number}]" for number, written in enumerate(found, 1)}


def _written(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from _WRITTEN.findall(text)


def _texts(item: Item) -> Iterator[str]:
    return (text for row in _all_rows(item) for text in (row.label, *row.lines))


def _texts_of_rows(rows: Iterable[Row]) -> Iterator[str]:
    return (text for row in rows for text in (row.label, *row.lines))


def _all_rows(item: Item) -> Iterator[Row]:
    """Its title, its rows and those of its parts."""
    yield Row(item.title, ())
    yield from item.rows
    for part in item.parts:
        yield from _all_rows(part)
