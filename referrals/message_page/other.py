"""Whatever no presenter read, and GUIDs within what somebody wrote: neither is dropped silently."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from bars_portal.exchange.fhir.json import as_dict, as_text
from referrals.cases.words import UUID
from referrals.message_page.items import Message
from referrals.message_page.reader import (
    Alert,
    Code,
    Group,
    Item,
    MessageView,
    Notes,
    Path,
    Row,
    Scalar,
    leaves,
    reason_not_shown,
    scalar_text,
)
from referrals.message_page.words import line_ends, sentence

_RESOURCE = 3  # ("entry", 3, "resource"): what follows is the place within the resource
_EXTENSIONS = ("extension", "modifierExtension")


def other_items(message: Message, notes: Notes) -> list[Item]:
    """An item for each resource that holds leaves which nobody has read."""
    unread = _unread(message, notes)
    grouped = groupby(unread, key=lambda found: _owner(found[0]))
    return [
        Item(_title(owner, message), tuple(_row(message, path, value) for path, value in found))
        for owner, found in grouped
    ]


def _unread(message: Message, notes: Notes) -> Iterator[tuple[Path, Scalar]]:
    for path, value in leaves(message.bundle.raw):
        if path not in notes.seen and scalar_text(value) and not reason_not_shown(path, value):
            yield path, value


def _owner(path: Path) -> Path:
    """The entry of a leaf, () for the Bundle's own."""
    return path[:2] if path[0] == "entry" else ()


def _title(owner: Path, message: Message) -> str:
    value = _at(message.bundle.raw, (*owner, "resource")) if owner else None
    resource = as_dict(value)
    if not resource:
        return "The message itself"
    kind, name = sentence(as_text(resource.get("resourceType"))) or "Unnamed", message.name_of(resource)
    return kind if name.casefold() in (kind.casefold(), "") else f"{kind}: {name}"


def _row(message: Message, path: Path, value: Scalar) -> Row:
    within = path[_RESOURCE:] if path[0] == "entry" else path
    text = scalar_text(value)
    return Row(_label(message, path, within), (line_ends(text),))


def _label(message: Message, path: Path, within: Path) -> str:
    """Name, family; an extension is named by the end of its address."""
    words: list[str] = []
    for place, step in enumerate(within):
        if isinstance(step, str) and step not in _EXTENSIONS:
            words.append(sentence(step.lstrip("_")))
        elif isinstance(step, int) and place and within[place - 1] in _EXTENSIONS:
            whole = path[: len(path) - len(within) + place + 1]
            url = as_text(as_dict(_at(message.bundle.raw, whole)).get("url"))
            words.append(sentence(url.rsplit("/", 1)[-1]) or "Extension")
    return ", ".join(word if not number else word.lower() for number, word in enumerate(words)) or "Value"


def _at(value: object, path: Path) -> object:
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


_WRITTEN = re.compile(rf"(?:urn:uuid:)?{UUID}")
# What stands in place of each GUID.
_Names = dict[str, str]


def without_ids(view: MessageView) -> MessageView:
    """The same page with no GUID in its words; each is listed with the codes of its item."""
    facts = tuple(_rows(view.facts, _names(_texts_of_rows(view.facts))))
    warnings = tuple(map(_alert, view.warnings))
    return MessageView(facts, warnings, tuple(map(_group, view.groups)))


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
