"""Where something is in a message: `Encounter[1].status`, `Bundle.meta.versionId`, `@Patient.fullUrl`.

The first word is a resource type (the first entry of that type, `[n]` the one after n others, `[*]` each), or
Bundle for the Bundle itself; with @ the entry around the resource is meant. Members follow with dots, items
of a list with [n] or [*].
"""

import re
from typing import Any

from bars_portal.simulator.selftest.model import Json

_ROOT = re.compile(r"(@?)([A-Za-z]+)(?:\[(\d+|\*)\])?")
_MEMBER = re.compile(r"([A-Za-z_]+)((?:\[(?:\d+|\*)\])*)")
_INDEX = re.compile(r"\[(\d+|\*)\]")
_EMPTY: tuple[Any, ...] = ([], {})


class PathError(Exception):
    """A path that is none, or that leads nowhere in the message that is to be changed."""


def values_at(resource: Json, path: str) -> list[Any]:
    """Every value at the path; nothing when it leads nowhere. Raises PathError for what is no path."""
    root, *members = path.split(".")
    values = _roots(resource, root)
    for member in members:
        values = [value for each in values for value in _step(each, *_read(member))]
    return values


def put(resource: Json, path: str, value: Any) -> None:
    """Sets the one place that the path names; what lies above it must be there. Raises PathError."""
    holder, key = _place(resource, path)
    if isinstance(holder, list) and key == len(holder):
        holder.append(value)
    else:
        holder[key] = value


def cut(resource: Json, path: str) -> None:
    """Takes the member or item away, and what is empty then above it. Raises PathError."""
    holder, key = _place(resource, path)
    try:
        del holder[key]
    except (KeyError, IndexError) as problem:
        raise PathError(f"{path} is not in the message") from problem
    above = _above(path)
    if holder in _EMPTY and above:
        cut(resource, above)


def _place(resource: Json, path: str) -> tuple[Any, Any]:
    """The container and the key or index in it."""
    above, (name, indexes) = _above_member(path), _read(path.rpartition(".")[2])
    holders = values_at(resource, above)
    if len(holders) != 1 or not isinstance(holders[0], dict):
        raise PathError(f"{path} is not one place in the message")
    holder: Any = holders[0]
    key: Any = name
    for index in indexes:
        holder = holder.get(key) if isinstance(holder, dict) else _item(holder, key)
        if not isinstance(index, int) or not isinstance(holder, list):
            raise PathError(f"{path} is not one place in the message")
        key = index
    return holder, key


def _item(holder: list[Any], index: int) -> Any:
    return holder[index] if index < len(holder) else None


def _above_member(path: str) -> str:
    above = path.rpartition(".")[0]
    if not above:
        raise PathError(f"{path} names no member")
    return above


def _above(path: str) -> str:
    """The place around: an item's list, a member's object; "" at a resource."""
    if path.endswith("]"):
        return path[: path.rindex("[")]
    above = path.rpartition(".")[0]
    return above if "." in above else ""


def _roots(resource: Json, root: str) -> list[Any]:
    match = _ROOT.fullmatch(root)
    if match is None:
        raise PathError(f"{root} is neither Bundle nor a resource type")
    entry_wanted, kind, index = match.groups()
    if resource.get("resourceType") == kind and not entry_wanted:
        return [resource]
    entries = [each for each in _list(resource.get("entry")) if _kind(each) == kind]
    chosen = entries if index == "*" else entries[int(index or 0) :][:1]
    return chosen if entry_wanted else [each["resource"] for each in chosen]


def _read(member: str) -> tuple[str, list[int | str]]:
    match = _MEMBER.fullmatch(member)
    if match is None:
        raise PathError(f"{member} is no member")
    return match[1], [each if each == "*" else int(each) for each in _INDEX.findall(match[2])]


def _step(value: Any, name: str, indexes: list[int | str]) -> list[Any]:
    if not isinstance(value, dict) or name not in value:
        return []
    values = [value[name]]
    for index in indexes:
        lists = [each for each in values if isinstance(each, list)]
        values = [item for each in lists for item in (each if index == "*" else each[int(index) :][:1])]
    return values


def _kind(entry: Any) -> str:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return str(resource.get("resourceType")) if isinstance(resource, dict) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
