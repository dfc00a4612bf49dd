"""What comes first: whom to call, what is wrong, what is asked, by when, how urgent, and every warning."""

from collections.abc import Iterable
from datetime import datetime

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import FlagCategory, MessageEvent
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.json import as_dict, as_text, codings, dicts
from bars_portal.exchange.fhir.people import is_valid, name_of_person, way_to_call
from bars_portal.exchange.fhir.rules.case import (
    category_codes,
    request_of,
    requester_encounter,
    responder_encounter,
    use_case_codings,
)
from bars_portal.nhsuk.dates import format_relative
from bars_portal.nhsuk.words import format_phone
from referrals.message_page.items import Message, make_item, rows_of, way_words
from referrals.message_page.reader import Alert, Part, Row
from referrals.message_page.values import lines_of
from referrals.message_page.words import (
    code_words,
    concept_name,
    date_words,
    known_display,
    line_ends,
    read_moment,
    stands,
)
from referrals.parts.assessment import complaints_of, priority_of
from referrals.parts.flags import has_safeguarding, scene_is_unsafe

_RANK = "Extension-UKCore-ContactRank"
_LAST = 99


def callback_rows(bundle: MessageBundle, now: datetime) -> list[Row]:
    """Number and contact; both are there even when nothing was stated."""
    contacts = [each for patient in bundle.of_type("Patient") for each in dicts(patient.get("contact"))]
    first = next((each for each in contacts if _rank(each) == 1), None)
    number = _number(first, now) if first else ""
    who = _who(first, bundle, now) if first else ""
    return [
        Row("Call-back number", (number,) if number else ()),
        Row("Contact to call back", (who,) if who else ()),
    ]


def _rank(contact: Resource) -> int:
    ranks = (
        each.get("valuePositiveInt")
        for each in dicts(contact.get("extension"))
        if as_text(each.get("url")).endswith(_RANK)
    )
    found = next(ranks, _LAST)
    return found if isinstance(found, int) else _LAST


def _number(contact: Resource, now: datetime) -> str:
    first = way_to_call(contact.get("telecom"), now)
    value = as_text(first.get("value"))
    way = way_words(
        as_text(first.get("system")), as_text(first.get("use")) if is_valid(first, now) else "old"
    )
    return f"{format_phone(value)} ({way[:1].lower()}{way[1:]})" if value else ""


def _who(contact: Resource, bundle: MessageBundle, now: datetime) -> str:
    """Jack Grayson, nephew; a contact without a name who is the patient goes by the patient's."""
    words = [_relationship(each) for each in codings(contact.get("relationship"))]
    is_self = any(each.get("code") == "ONESELF" for each in codings(contact.get("relationship")))
    patient = next(iter(bundle.of_type("Patient")), {})
    named = name_of_person(contact, now)
    if not named and is_self:
        named = name_of_person(patient, now)
    return ", ".join(filter(None, [named, *words]))


def _relationship(coding: Resource) -> str:
    system, code = as_text(coding.get("system")), as_text(coding.get("code"))
    words = known_display(system, code) or as_text(coding.get("display")) or code
    return words[:1].lower() + words[1:] if words[1:2].islower() else words


def asks_for_care(bundle: MessageBundle) -> bool:
    """A new or updated request that stands: what is taken back or answered is stripped by right."""
    status = (bundle.focus or {}).get("status")
    return bundle.event == MessageEvent.SERVICEREQUEST_REQUEST and status in ("active", "on-hold")


_PRESENTING = "33962009"
# Systems of outcomes that name the concern, best first.
_CONCERNS = ("pathways-sg-codes", "pathways-pathway-codes", "ampds-dispatch-codes")
_ARP = "https://fhir.nhs.uk/CodeSystem/arp-priority-codes"
_LOOKED_FOR = {FlagCategory.SAFEGUARDING: "Safeguarding", FlagCategory.SCENE_SAFETY: "Scene safety"}
_KINDS = {"Encounter": "Case of the responder", "ServiceRequest": "Request"}
_LEADS = {"new": "New {}", "update": "Update of a {}", "delete": "{} taken back"}
_DISPOSITION = "pathways-dx-codes"


def top_facts(bundle: MessageBundle, now: datetime, *, is_over: bool = False) -> tuple[Row, ...]:
    """In a request that stands each is there, also when nothing was stated; else those that say something.

    `is_over`: what the message asked for is over since.
    """
    is_answer = bundle.event == MessageEvent.SERVICEREQUEST_RESPONSE
    asked = _fact("Answer", _answered(bundle)) if is_answer else _fact("What is asked", _asked(bundle))
    facts = (
        *callback_rows(bundle, now),
        _fact("Chief concern or presenting complaint", _concerns(bundle)),
        asked,
        _due(bundle, now, is_over=is_over),
        _fact("Priority", _priorities(bundle)),
    )
    if not asks_for_care(bundle):
        return tuple(each for each in facts if each.lines)
    return (*facts, *_silent(bundle))


def _silent(bundle: MessageBundle) -> list[Row]:
    """Warnings that every clinician looks for: nobody sent one."""
    flags = (code for flag in bundle.of_type("Flag") for code in codings(flag.get("category")))
    sent = {as_text(each.get("code")) for each in flags}
    return [Row(label, ()) for category, label in _LOOKED_FOR.items() if category.value not in sent]


def _fact(label: str, lines: Iterable[str]) -> Row:
    kept = dict.fromkeys(filter(None, lines))
    return Row(label, tuple(kept))


def _concerns(bundle: MessageBundle) -> list[str]:
    """Presenting complaints, else what the assessment names, else why the appointment was made."""
    complaints = [
        concept_name(each.get("code"))
        for each in bundle.of_type("Condition")
        if any(found.get("code") == _PRESENTING for found in codings(each.get("category")))
    ]
    complaints += complaints_of(bundle)
    named = [*complaints, *(name for system in _CONCERNS for name in _outcomes(bundle, system))]
    return named or [as_text(each.get("description")) for each in bundle.of_type("Appointment")]


def _asked(bundle: MessageBundle) -> list[str]:
    """The kind of message, its use case, and what the sender wrote."""
    request = request_of(bundle) or bundle.focus or {}
    lead = _LEADS.get(bundle.reason, "{}").format(next(iter(category_codes(request)), "booking"))
    kinds = [*codings(request.get("category")), *use_case_codings(bundle)]
    words = [as_text(each.get("text")) for each in dicts(request.get("category"))]
    status = as_text((bundle.focus or {}).get("status"))
    tasks = [as_text(each.get("description")) for each in bundle.of_type("Task")]
    return [
        lead[:1].upper() + lead[1:],
        *(_display(each) for each in kinds),
        *words,
        *map(line_ends, tasks),
        *_unusual(status),
    ]


def _answered(bundle: MessageBundle) -> list[str]:
    """The state of what the answer is about, with its reasons."""
    focus = bundle.focus or {}
    found = responder_encounter(bundle)
    answering = found if found is not None and found is not requester_encounter(bundle) else {}
    about = [focus, answering, *bundle.of_type("Appointment")]
    reasons = [each for found in dicts(answering.get("reasonCode")) for each in _words(found)]
    return [*map(_state, about), *reasons]


def _state(resource: Resource) -> str:
    """Case: Cancelled"""
    kind, status = as_text(resource.get("resourceType")), as_text(resource.get("status"))
    return f"{_KINDS.get(kind, kind)}: {code_words(status)}" if status else ""


def _unusual(status: str) -> list[str]:
    """A request that no longer stands must not be taken for one that does."""
    return [] if status in ("", "active", "booked") else [f"Status: {code_words(status)}"]


def _due(bundle: MessageBundle, now: datetime, *, is_over: bool) -> Row:
    """ServiceRequest.occurrencePeriod.end; how long it is until then only while the request stands."""
    request = request_of(bundle) or {}
    end = as_text(as_dict(request.get("occurrencePeriod")).get("end"))
    moment = read_moment(end)
    if is_over or not stands(request):
        return _fact("Was due by", [date_words(end)])
    return _fact("Due by", [format_relative(moment, now) if moment else end])


def _priorities(bundle: MessageBundle) -> list[str]:
    """Ambulance priority and disposition, else ServiceRequest.priority."""
    named = [*_outcomes(bundle, _ARP.rsplit("/", 1)[-1]), *_outcomes(bundle, _DISPOSITION)]
    code = priority_of(bundle, request_of(bundle) or {})
    return named or ([code_words(code)] if code else [])


def _outcomes(bundle: MessageBundle, system: str) -> list[str]:
    whole = f"https://fhir.nhs.uk/CodeSystem/{system}"
    activities = (each for plan in bundle.of_type("CarePlan") for each in dicts(plan.get("activity")))
    found = (coding for each in activities for coding in codings(each.get("outcomeCodeableConcept")))
    return [_display(each) for each in found if same_system(as_text(each.get("system")), whole)]


def _words(concept: Resource) -> list[str]:
    return [*(_display(each) for each in codings(concept)), line_ends(as_text(concept.get("text")))]


def _display(coding: Resource) -> str:
    system, code = as_text(coding.get("system")), as_text(coding.get("code"))
    return as_text(coding.get("display")) or known_display(system, code) or code


_ORDER = (FlagCategory.SAFEGUARDING, FlagCategory.SCENE_SAFETY)
_FLAG = {
    "status": "Status",
    "period": "In force",
    "author": "Raised by",
    "identifier": "Number",
}


def present_flag(part: Part, message: Message) -> Alert:
    titles, says = lines_of(part, "category", "Category"), lines_of(part, "code", "Warning")
    # A display that says something else than its code may cost a life.
    says += [f"Our code list says: {each.meaning}" for each in part.notes.codes if each.meaning]
    rows = [*rows_of(part, _FLAG), *message.about(part), *message.case(part)]
    item = make_item(part, ": ".join(titles) or "Warning", rows)
    # The worklist's own rule, asked about this flag alone.
    alone = MessageBundle({"entry": [{"resource": part.value}]})
    return Alert(item, tuple(says), has_safeguarding(alone) or scene_is_unsafe(alone), _order(part))


def _order(part: Part) -> int:
    codes = {as_text(each.get("code")) for each in codings(part.value.get("category"))}
    return next((place for place, each in enumerate(_ORDER) if each.value in codes), len(_ORDER))
