"""The one structural gate: a parsed body against the FHIR R4 models (design section 8).

fhir.resources costs milliseconds and is not lossless, so it judges only what is not plainly sound, and its
objects are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from os.path import commonprefix
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.bundle import Bundle
from pydantic import ValidationError

from bars_portal.exchange.fhir.identifiers import is_fhir_id
from bars_portal.exchange.fhir.json import ExactDecimal, as_dict, as_list
from bars_portal.exchange.fhir.limits import has_plain_texts, oddities, too_large
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.soundness import is_surely_sound, learn
from bars_portal.exchange.fhir.xml.table import Element, Kind, facts_of

RULE_ID = "structure"
MAX_ISSUES = 20

_REQUIRED = (OutcomeCode.REQUIRED, "is missing")
_TYPE = (OutcomeCode.INVALID, "is not of the type that FHIR R4 gives it")
_FORMAT = (OutcomeCode.VALUE, "is not in a form that FHIR R4 allows")
_UNKNOWN = (OutcomeCode.INVALID, "has an element that FHIR R4 does not know")

# The library's error types; anything else is reported as a broken form. Its texts may quote the input.
_MEANINGS = {
    "missing": _REQUIRED,
    "model_field_validation.missing": _REQUIRED,
    "extra_forbidden": _UNKNOWN,
    "model_type": _TYPE,
    "dict_type": _TYPE,
    "list_type": _TYPE,
    "string_type": _TYPE,
    "bool_type": _TYPE,
    "json_invalid": _TYPE,
    "json_type": _TYPE,
    "fhir-validation-wrong-resource-type": (OutcomeCode.INVALID, "is not the resource type expected here"),
}
# The one text of the library that is read: it lists names of FHIR's, none of the sender's.
_MISSING_CHOICE = "Expect any of field value from this list"
_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,60}")


def check_structure(raw: dict[str, Any]) -> tuple[Issue, ...]:
    """Everything in which a Bundle departs from FHIR R4's structure, at most 20 issues; () when sound.

    An id of a resource may be any text (standard section 12, "Ids"): it is only no usable one. Diagnostics
    name the element and the rule, never a value. Never raises, whatever the body holds.
    """
    if is_surely_sound(raw):
        return ()
    plain = with_plain_ids(raw)
    return () if plain is not raw and is_surely_sound(plain) else judge_structure(raw)


def judge_structure(raw: dict[str, Any]) -> tuple[Issue, ...]:
    """The same without the quick way, by the limits and the model library themselves."""
    if problem := too_large(raw):
        return (_issue(OutcomeCode.INVALID, problem, "Bundle"),)
    if issues := tuple(_model_issues(with_plain_ids(raw))):
        return issues
    # Only now is every element name one of FHIR's, so a path can be shown.
    odd = islice(oddities(raw, "Bundle"), MAX_ISSUES)
    if issues := tuple(_issue(OutcomeCode.INVALID, f"{each.path} {each.what}", each.path) for each in odd):
        return issues
    return tuple(islice(_mistyped(raw, "Bundle", "Bundle"), MAX_ISSUES))


# -- ids that FHIR would not have: a shallow copy without them is judged in their place


def with_plain_ids(raw: dict[str, Any]) -> dict[str, Any]:
    """The Bundle itself, or a copy in which every id of a resource has FHIR's form.

    A text that FHIR does not allow anywhere, such as a control character, stays where it is.
    """
    entries = raw.get("entry")
    plain = [_plain_entry(each) for each in entries] if isinstance(entries, list) else entries
    changes = {} if _are_same(plain, entries) else {"entry": plain}
    return _with(raw, changes | _plain(raw, "id"))


def _plain_entry(entry: Any) -> Any:
    resource = as_dict(as_dict(entry).get("resource"))
    plain = _plain_resource(resource)
    return entry if plain is resource else {**entry, "resource": plain}


def _plain_resource(resource: dict[str, Any]) -> dict[str, Any]:
    """Its own id, those of what it contains, and the Bundle.id that a MessageHeader.response names."""
    changes: dict[str, Any] = {}
    answer = as_dict(resource.get("response")) if resource.get("resourceType") == "MessageHeader" else {}
    if named := _plain(answer, "identifier"):
        changes["response"] = answer | named
    held = resource.get("contained")
    if isinstance(held, list):
        plain = [_with(each, _plain(each, "id")) if isinstance(each, dict) else each for each in held]
        if not _are_same(plain, held):
            changes["contained"] = plain
    return _with(resource, changes | _plain(resource, "id"))


def _plain(held: dict[str, Any], name: str) -> dict[str, str]:
    """{name: an id} where a text stands that FHIR would not have, else {}."""
    text = held.get(name)
    odd = isinstance(text, str) and not is_fhir_id(text) and has_plain_texts(text)
    return {name: "x"} if odd else {}


def _with(held: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {**held, **changes} if changes else held


def _are_same(some: Any, others: Any) -> bool:
    return some is others or all(one is other for one, other in zip(some, others, strict=True))


def _model_issues(raw: dict[str, Any]) -> Iterator[Issue]:
    try:
        Bundle.model_validate(raw)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        yield from (_explain(each["type"], each["loc"], each["msg"]) for each in found[:MAX_ISSUES])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        # Not a validation error but the library tripping over a resource type or shape it cannot look up.
        yield from _stumbles(raw)


def _explain(kind: str, loc: tuple[int | str, ...], text: str) -> Issue:
    if _MISSING_CHOICE in text:
        return _issue(_REQUIRED[0], f"{_path(loc)} lacks {_choice(text)}[x]", f"{_path(loc)}.{_choice(text)}")
    code, words = _MEANINGS.get(kind, _FORMAT)
    # The last step of an unknown element is the sender's own text.
    path = _path(loc[:-1] if kind == "extra_forbidden" else loc)
    return _issue(code, f"{path} {words}", path)


def _choice(text: str) -> str:
    """FHIRPath's name of the element that has several types: what they have in common, "event"."""
    shared: str = commonprefix(re.findall(r"'([A-Za-z0-9]+)'", text))  # noqa: RUF071 - names, no paths
    return shared


def _path(loc: tuple[int | str, ...]) -> str:
    path = "Bundle"
    for step in loc:
        if isinstance(step, int):
            path += f"[{step}]"
        elif _NAME.fullmatch(step):
            path += f".{step}"
    return path


def _stumbles(raw: dict[str, Any]) -> Iterator[Issue]:
    entries = as_list(raw.get("entry"))
    unknown = [
        f"Bundle.entry[{position}].resource"
        for position, entry in enumerate(entries)
        if not _is_known(as_dict(as_dict(entry).get("resource")).get("resourceType", "Resource"))
    ][:MAX_ISSUES]
    for path in unknown:
        yield _issue(OutcomeCode.INVALID, f"{path} is of no resource type that FHIR R4 knows", path)
    if not unknown:
        yield _issue(OutcomeCode.INVALID, "The Bundle does not have the structure of FHIR R4", "Bundle")


def _is_known(resource_type: object) -> bool:
    if not isinstance(resource_type, str):
        return False
    try:
        return get_fhir_model_class(resource_type) is not None
    except (LookupError, ValueError):
        return False


# The library reads true as 1, "1" as 1 and 0 as a day of 1970. Our reply may be asked for in XML, where none
# of them can be written.
_JSON_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.XHTML: (str,),
    Kind.BOOLEAN: (bool,),
    Kind.INTEGER: (int,),
    Kind.DECIMAL: (int, float, ExactDecimal),
}


def _mistyped(held: dict[str, Any], type_name: str, path: str) -> Iterator[Issue]:
    """Texts, numbers and booleans that are not written as JSON's own."""
    facts = facts_of(type_name).by_name
    for name, value in held.items():
        element = facts.get(name.removeprefix("_"))
        if element is None:
            continue
        for position, each in enumerate(as_list(value) if element.many else [value]):
            place = f"{path}.{name}[{position}]" if element.many else f"{path}.{name}"
            if isinstance(each, dict):
                yield from _mistyped(each, _type_of(each, name, element), place)
            elif each is not None and type(each) not in _JSON_TYPES.get(element.kind, (type(each),)):
                yield _issue(_TYPE[0], f"{place} {_TYPE[1]}", place)


def _type_of(held: dict[str, Any], name: str, element: Element) -> str:
    """What is beside a primitive, under its name with an underscore, is an Element."""
    if name.startswith("_"):
        return "Element"
    return held.get("resourceType", "Resource") if element.kind is Kind.RESOURCE else element.type_name


def _issue(code: OutcomeCode, diagnostics: str, path: str) -> Issue:
    return Issue(code, diagnostics, (path,), RULE_ID)


# -- what a worker judges at its start, so that the model library builds the models of every BaRS message then
# Built when they are first met, they would cost a partner up to 0.3 s, and a worker would grow for hours.

# What the messages of the standard carry (sections 3 and 6), and the published examples beyond it.
RESOURCE_TYPES = (
    *("MessageHeader", "Appointment", "ServiceRequest", "Task", "Communication"),
    *("Patient", "Practitioner", "PractitionerRole", "Organization", "HealthcareService", "Location"),
    *("Slot", "Schedule", "Encounter", "CarePlan", "Consent", "Flag"),
    *("AllergyIntolerance", "Condition", "MedicationStatement", "Observation", "Procedure"),
    *("Questionnaire", "QuestionnaireResponse"),
)


def warm() -> None:
    """Build models and shapes of the standard's messages at worker start, so that no request pays for it."""
    learn(RESOURCE_TYPES)
    for each in sample_messages():
        check_structure(each)


def sample_messages() -> Iterator[dict[str, Any]]:
    """One Bundle for each resource type, with each kind of element in it once, all of them empty."""
    met: set[str] = set()
    for name in RESOURCE_TYPES:
        resource = {"resourceType": name, **_sample(name, met)}
        yield {"resourceType": "Bundle", "type": "message", "entry": [{"resource": resource}]}


def _sample(type_name: str, met: set[str]) -> dict[str, Any]:
    """Elements that have elements; those of a type that was met before stay empty, so that it ends."""
    if type_name in met:
        return {}
    met.add(type_name)
    return {
        each.name: [_sample(each.type_name, met)] if each.many else _sample(each.type_name, met)
        for each in facts_of(type_name).by_name.values()
        if each.kind is Kind.COMPLEX
    }
