"""Message templates (messages/*.json, and variants of them in messages/*.toml) and changes to them."""

import copy
import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bars_portal.simulator.selftest.model import Json
from bars_portal.simulator.selftest.paths import PathError, cut, found, put
from bars_portal.simulator.selftest.values import Values

FOLDER = Path(__file__).parent / "messages"
CHANGES = frozenset({"set", "remove", "drop", "double", "stamped"})


def names() -> frozenset[str]:
    """Every template that a scenario may name."""
    return frozenset(file.stem for file in FOLDER.iterdir() if file.suffix in {".json", ".toml"})


def build(name: str, changes: Mapping[str, Any], values: Values) -> Json:
    """The template with its placeholders filled and the changes made. Raises PathError, KeyError."""
    message = values.fill(_template(name))
    apply(message, changes, values)
    return dict(message)


def apply(message: Json, changes: Mapping[str, Any], values: Values) -> None:
    """In the order that testers expect: stamps, entries away, entries twice, members away, members set."""
    if stamped := changes.get("stamped"):
        _stamp(message, values.stamp(stamped))
    for kind in changes.get("drop", ()):
        _drop(message, kind)
    for kind in changes.get("double", ()):
        _double(message, kind)
    for path in changes.get("remove", ()):
        cut(message, path)
    for path, value in changes.get("set", {}).items():
        put(message, path, values.fill(value))


def _stamp(message: Json, instant: str) -> None:
    message["meta"]["lastUpdated"] = message["timestamp"] = instant
    for resource in found(message, "Bundle.entry[*].resource"):
        resource["meta"]["lastUpdated"] = instant


def _drop(message: Json, kind: str) -> None:
    entries = found(message, f"@{kind}")
    if not entries:
        raise PathError(f"the message has no {kind}")
    message["entry"].remove(entries[0])


def _double(message: Json, kind: str) -> None:
    entries = found(message, f"@{kind}")
    if not entries:
        raise PathError(f"the message has no {kind}")
    url = f"urn:uuid:00000000-0000-4000-8000-{len(message['entry']):012d}"
    message["entry"].append({**copy.deepcopy(entries[0]), "fullUrl": url})


@cache
def _template(name: str) -> Json:
    written = FOLDER / f"{name}.json"
    if written.is_file():
        read: Json = json.loads(written.read_text())
        return read
    return _variant(tomllib.loads((FOLDER / f"{name}.toml").read_text()))


def _variant(told: Mapping[str, Any]) -> Json:
    message = copy.deepcopy(_template(told["base"]))
    for kind in told.get("drop", ()):
        _drop(message, kind)
    for path in told.get("remove", ()):
        cut(message, path)
    for path, value in told.get("set", {}).items():
        put(message, path, value)
    return message
