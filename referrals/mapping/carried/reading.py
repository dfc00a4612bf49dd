"""What fits our own content is read; what does not is left to the reader of the message."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, TypeVar

from pydantic import ValidationError

from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.json import decimal_text
from bars_portal.exchange.fhir.reading import as_dict, as_text, codings, dicts
from referrals.content import Concept
from referrals.content.base import LINE

S = TypeVar("S")
T = TypeVar("T")
_VALUES = ("valueQuantity", "valueCodeableConcept", "valueString", "valueBoolean", "valueDateTime")
_OVER = frozenset({"entered-in-error", "inactive", "cancelled", "not-done"})


def tried(make: Callable[[], T]) -> T | None:
    """None for what our content does not allow."""
    try:
        return make()
    except ValidationError:
        return None


def each_tried(make: Callable[[S], T], items: Iterable[S]) -> tuple[T, ...]:
    """Of each item what our content allows."""
    made = (tried(partial(make, each)) for each in items)
    return tuple(each for each in made if each is not None)


def standing(resources: Iterable[Resource]) -> Iterator[Resource]:
    """Those that are not said to be over or wrong."""
    return (each for each in resources if as_text(each.get("status")) not in _OVER)


def concept_of(value: object) -> Concept:
    """CodeableConcept; of several codings the first that can be used. Raises ValidationError for none."""
    found = as_dict(value)
    words, usable = as_text(found.get("text")), each_tried(_coded, dicts(found.get("coding")))
    if usable:
        return replace(usable[0], text=words)
    displays = (as_text(each.get("display")) for each in codings(value))
    return Concept(text=words or next(filter(None, displays), ""))


def words_of(value: object) -> str:
    """A CodeableConcept in words."""
    found = as_dict(value)
    displays = (as_text(each.get("display")) or as_text(each.get("code")) for each in codings(value))
    return as_text(found.get("text")) or next(filter(None, displays), "")


def texts_of(values: object, name: str) -> str:
    """The texts of this name in a list of objects, a line each."""
    return "\n".join(filter(None, (as_text(each.get(name)) for each in dicts(values))))


def value_words(element: Resource) -> str:
    """Observation.value[x] in words, or its components."""
    name = next((each for each in _VALUES if each in element), "")
    said = _said(name, element.get(name))
    parts = (f"{words_of(each.get('code'))}: {value_words(each)}" for each in dicts(element.get("component")))
    return "\n".join(filter(None, (said, *parts)))


def date_of(value: object) -> date | None:
    """The day of a dateTime that names one."""
    try:
        return date.fromisoformat(as_text(value)[:10])
    except ValueError:
        return None


def code_in(concepts: object, system: str) -> str:
    """The code of this system, "" when there is none."""
    found = (as_text(each.get("code")) for each in codings(concepts) if is_of(each, system))
    return next(found, "")


def is_of(coding: Resource, system: str) -> bool:
    return same_system(as_text(coding.get("system")), system)


def _coded(coding: Resource) -> Concept:
    """Raises ValidationError without a code of a system."""
    system, code = as_text(coding.get("system")), as_text(coding.get("code"))
    return Concept(system=system, code=code, display=as_text(coding.get("display"))[:LINE])


def _said(name: str, value: Any) -> str:
    if name == "valueQuantity":
        number = as_dict(value).get("value")
        shown = decimal_text(number) if isinstance(number, int | float) else ""
        return f"{shown} {as_text(as_dict(value).get('unit'))}".strip()
    if name == "valueCodeableConcept":
        return words_of(value)
    if name == "valueBoolean":
        return "Yes" if value is True else "No"
    return as_text(value)
