"""Tolerant access to parsed FHIR JSON: odd shapes read as nothing, never as an exception."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit


def as_dict(value: object) -> dict[str, Any]:
    """The object itself, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """The list itself, or an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """The text itself, or an empty one."""
    return value if isinstance(value, str) else ""


def dicts(value: object) -> Iterator[dict[str, Any]]:
    """The objects among the members of a list."""
    return (item for item in as_list(value) if isinstance(item, dict))


def codings(concepts: object) -> Iterator[dict[str, Any]]:
    """Every Coding of a CodeableConcept or of a list of them."""
    for concept in dicts(concepts) if isinstance(concepts, list) else iter((as_dict(concepts),)):
        yield from dicts(concept.get("coding"))


def references(value: object) -> Iterator[dict[str, Any]]:
    """Every Reference below `value` that has a text in `reference`."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if isinstance(item.get("reference"), str):
                yield item
            stack.extend(member for member in item.values() if isinstance(member, (dict, list)))
        elif isinstance(item, list):
            stack.extend(item)


# Between the address of a resource and one of its versions (FHIR R4, "References").
HISTORY = "/_history/"


def id_in(reference: object, resource_type: str) -> str:
    """The id of a relative Reference "Type/id", whichever version it names; "" for another type or form."""
    text = as_text(as_dict(reference).get("reference")).partition(HISTORY)[0]
    kind, _, ident = text.partition("/")
    return ident if kind == resource_type else ""


def version_in(resource: dict[str, Any]) -> int | None:
    """meta.versionId where it is a number, as ours are; None for any other text, and for none."""
    text = as_text(as_dict(resource.get("meta")).get("versionId"))
    return int(text) if _NUMBER.fullmatch(text) else None


_NUMBER = re.compile(r"[0-9]{1,9}")


def extension(element: dict[str, Any], url: str) -> dict[str, Any]:
    """The first extension with this URL, or an empty object."""
    return next((each for each in dicts(element.get("extension")) if each.get("url") == url), {})


def next_page(page: dict[str, Any], resource_type: str) -> tuple[tuple[str, str], ...] | None:
    """How the rest of a search is asked for: the query of the link "next".

    None on the last page; () when the link is no search of this type. Only its query is used, never its
    address: that is somebody else's, and our token is not for it.
    """
    links = [each for each in dicts(page.get("link")) if each.get("relation") == "next"]
    if not links:
        return None
    try:
        url = urlsplit(as_text(links[0].get("url")))
        query = parse_qsl(url.query, keep_blank_values=True, max_num_fields=_MOST_PARAMS)
    except ValueError:
        return ()
    return tuple(query) if url.path.rstrip("/").rpartition("/")[2] == resource_type else ()


_MOST_PARAMS = 40
