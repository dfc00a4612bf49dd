"""Differences in words, for pages and commands alike. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from directory.catalogue.comparing import Change, Difference

KINDS = {"added": "New", "changed": "Changed", "removed": "Made inactive"}
# Of no use to people who decide about a catalogue.
_UNSAID = frozenset({"source", "catalogue_id", "endpoint source"})


def summary(counts: Mapping[str, int]) -> str:
    """ "3 new, 1 changed, 0 made inactive, 12 as they were" """
    return (
        f"{counts['added']:,} new, {counts['changed']:,} changed, {counts['removed']:,} made inactive, "
        f"{counts['unchanged']:,} as they were"
    )


def counts_of(difference: Difference) -> dict[str, int]:
    kinds = {kind: difference.count(kind) for kind in KINDS}
    return {**kinds, "unchanged": difference.unchanged}


def described(difference: Difference, *, most: int) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(service id, what happens to it, a sentence for each field), the first `most` of them."""
    return (
        (each.service_id, KINDS[each.kind], tuple(sentences(each)))
        for each in islice(difference.changes, most)
    )


def sentences(change: Change) -> Iterator[str]:
    return field_sentences(change.fields(), new=change.kind == "added")


def field_sentences(fields: Mapping[str, Any], *, new: bool) -> Iterator[str]:
    """ "name: Old, now New". `fields` are pairs of before and after."""
    for name, (before, after) in fields.items():
        if name in _UNSAID or name.endswith(("catalogue_id", "source")):
            continue
        label = name.replace("_", " ")
        yield f"{label}: {_value(after)}" if new else f"{label}: {_value(before)}, now {_value(after)}"


def _value(value: Any) -> str:
    if value in (None, "", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, list):
        return ", ".join("-".join(map(str, each)) if isinstance(each, list) else str(each) for each in value)
    if isinstance(value, dict):
        return "; ".join(f"{key} {_value(each) if each else 'closed'}" for key, each in value.items())
    return str(value)
