"""What every part of a request shares: concepts to FHIR and back, the frame of its resources, times."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any, Self, TypeVar
from uuid import UUID

from pydantic import ValidationError, model_validator
from pydantic import dataclasses as checked

from bars_portal.correspondence.entries import derived_url, full_url
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import KNOWN_CODES
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.json import as_dict, as_text, codings, decimal_text, dicts
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.cases.codes import LINE, STRICT, Concept, Moment
from referrals.cases.wire import head

SNOMED = "http://snomed.info/sct"
_STATES = "http://terminology.hl7.org/CodeSystem/"


@dataclass(frozen=True)
class Frame:
    """`case_id` gives every fullUrl, so that a later message of the case names the same things."""

    case_id: UUID
    journey_id: UUID
    now: datetime

    @property
    def request_url(self) -> str:
        return full_url(self.case_id)

    @property
    def stamp(self) -> str:
        return format_instant(self.now)

    def url(self, part: str) -> str:
        return derived_url(self.case_id, part)

    def ref(self, part: str) -> Resource:
        return {"reference": self.url(part)}

    def head(self, resource_type: str, *profiles: str) -> Resource:
        return head(resource_type, self.now, *profiles)


def concept_to_fhir(concept: Concept) -> Resource:
    """CodeableConcept."""
    coded = [coding(concept.system, concept.code, concept.display)] if concept.code else []
    return filled({"coding": coded, "text": concept.text})


def named_concept(concept: Concept) -> Resource:
    """CodeableConcept of which readers look at the text, also when it is coded."""
    found = concept_to_fhir(concept)
    return {**found, "text": concept.text or found["coding"][0]["display"]}


def coding(system: str, code: str, display: str) -> Resource:
    """Coding; one that came to us without words has those of its list, else the code itself."""
    words = display or KNOWN_CODES.get(system, {}).get(code) or code
    return {"system": system, "code": code, "display": words}


def state(system: str, code: str) -> Resource:
    """A state of FHIR's own as a CodeableConcept."""
    return {"coding": [{"system": f"{_STATES}{system}", "code": code, "display": code.capitalize()}]}


def filled(resource: Resource) -> Resource:
    """FHIR has no empty values: what was not stated is left out."""
    return {name: value for name, value in resource.items() if value not in ("", None, [], {})}


@checked.dataclass(frozen=True, config=STRICT)
class TimeFrame:
    """ServiceRequest.occurrencePeriod; after `end` a validation breaches."""

    start: Moment
    end: Moment | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError("The end must be after the start.")
        return self


def period(frame: TimeFrame | None) -> Resource:
    """Period; {} when nothing was stated."""
    if frame is None:
        return {}
    end = format_instant(frame.end) if frame.end else ""
    return filled({"start": format_instant(frame.start), "end": end})


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
        return replace(usable[0], text="" if words == usable[0].display else words)
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


class Incomplete(ValueError):
    """`sentence` says to the person who answers what is missing or does not fit."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def require(fulfilled: bool, sentence: str) -> None:
    if not fulfilled:
        raise Incomplete(sentence)
