"""Whatever no presenter read: listed by its place in the message, so that nothing is dropped silently."""

from collections.abc import Iterator
from itertools import groupby

from bars_portal.exchange.fhir.reading import as_dict, as_text
from referrals.presenters.message.message import Message
from referrals.presenters.message.model import Item, Row
from referrals.presenters.message.reader import Notes, Path, Scalar, leaves, scalar_text
from referrals.presenters.message.technical import reason_not_shown
from referrals.presenters.message.words import line_ends, sentence

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
