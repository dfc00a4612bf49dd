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

from bars_portal.exchange.fhir.limits import oddities, too_large
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.reading import as_dict, as_list
from bars_portal.exchange.fhir.soundness import is_surely_sound, learn
from bars_portal.exchange.fhir.xml.table import Kind, facts_of

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

    Diagnostics name the element and the rule, never a value. Never raises, whatever the body holds.
    """
    return () if is_surely_sound(raw) else judge_structure(raw)


def judge_structure(raw: dict[str, Any]) -> tuple[Issue, ...]:
    """The same without the quick way, by the limits and the model library themselves."""
    if problem := too_large(raw):
        return (_issue(OutcomeCode.INVALID, problem, "Bundle"),)
    if issues := tuple(_model_issues(raw)):
        return issues
    # Only now is every element name one of FHIR's, so a path can be shown.
    odd = islice(oddities(raw, "Bundle"), MAX_ISSUES)
    return tuple(_issue(OutcomeCode.INVALID, f"{each.path} {each.what}", each.path) for each in odd)


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
