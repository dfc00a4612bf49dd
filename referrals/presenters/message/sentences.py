"""A GUID inside somebody's own sentence: told in words; the sentence as it was sent is one click away."""

import re
from dataclasses import replace

from referrals.presenters.message.model import Alert, Code, Group, Item, MessageView, Row
from referrals.presenters.message.technical import UUID

_GUID = re.compile(rf"(?:urn:uuid:)?{UUID}")
IN_WORDS = "[technical id]"
_AS_SENT = "{}, as it was sent"


def without_guids(view: MessageView) -> MessageView:
    """The same page; what stands in the facts on top stands in the groups too, with its sentence whole."""
    return MessageView(
        facts=tuple(_row(each) for each in view.facts),
        warnings=tuple(_alert(each) for each in view.warnings),
        groups=tuple(_group(each) for each in view.groups),
    )


def _group(group: Group) -> Group:
    return replace(group, items=tuple(_item(each) for each in group.items))


def _alert(alert: Alert) -> Alert:
    item = _item(alert.item)
    noted = tuple(Code(_AS_SENT.format("Warning"), line) for line in alert.says if _has_guid(line))
    said = tuple(_plain(line) for line in alert.says)
    return replace(alert, item=replace(item, codes=_once((*item.codes, *noted))), says=said)


def _item(item: Item) -> Item:
    """What its parts say is noted with the item: only items show what stands behind their words."""
    return replace(_worded(item), codes=_once((*item.codes, *_noted(item))))


def _worded(item: Item) -> Item:
    return replace(
        item,
        title=_plain(item.title),
        rows=tuple(_row(each) for each in item.rows),
        parts=tuple(_worded(each) for each in item.parts),
    )


def _row(row: Row) -> Row:
    return Row(_plain(row.label), tuple(_plain(line) for line in row.lines))


def _noted(item: Item) -> list[Code]:
    own = [Code(_AS_SENT.format("Heading"), item.title)] if _has_guid(item.title) else []
    own += [
        Code(_AS_SENT.format(_plain(row.label)), text)
        for row in item.rows
        for text in (row.label, *row.lines)
        if _has_guid(text)
    ]
    return [*own, *(code for part in item.parts for code in _noted(part))]


def _plain(text: str) -> str:
    return _GUID.sub(IN_WORDS, text)


def _has_guid(text: str) -> bool:
    return _GUID.search(text) is not None


def _once(codes: tuple[Code, ...]) -> tuple[Code, ...]:
    return tuple(dict.fromkeys(codes))
