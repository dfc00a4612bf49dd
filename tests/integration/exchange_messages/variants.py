"""Sound messages that nobody published: every use case, every state of the table, little and much told."""

from collections.abc import Iterator
from copy import deepcopy
from uuid import UUID

from bars_portal.exchange.fhir.codes import CAD_USE_CASES, REFERRAL_USE_CASES, VALIDATION_USE_CASES, UseCase
from tests.integration.exchange.calling import Json
from tests.integration.exchange_messages.answers import of_type
from tests.unit.exchange_fhir.changes import (
    BOOKINGS,
    EVERY,
    because,
    destination,
    for_cad,
    on_header,
    planned,
    seen,
    versioned,
)
from tests.unit.exchange_fhir.factory import Change, coded, contact, phone, urn
from tests.unit.exchange_fhir.samples import HUB, encounter, having, nth, rejected

Variant = tuple[str, str, tuple[Change, ...]]


def used_for(use_case: str) -> Change:
    def change(raw: Json) -> None:
        for request in of_type(raw, "ServiceRequest"):
            request["category"][0]["coding"][1]["code"] = use_case
        for appointment in of_type(raw, "Appointment"):
            appointment["serviceCategory"] = [coded("usecases-categories-bars", use_case)]

    return change


def two_concepts(raw: Json) -> None:
    """Category and use case apart, not as two codings of one."""
    request = nth(raw, "ServiceRequest")
    request["category"] = [{"coding": [coding]} for coding in request["category"][0]["coding"]]


def little_known(raw: Json) -> None:
    for name in ("identifier", "name", "gender", "birthDate"):
        nth(raw, "Patient").pop(name, None)


def other_contacts(raw: Json) -> None:
    """The call-back is not the patient, and comes second."""
    second = contact(2, phone("07700900124"), {"system": "email", "value": "a@example.org", "rank": 2})
    relation = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}]}
    nth(raw, "Patient")["contact"] = [second, contact(1, phone("07700900123")) | {"relationship": [relation]}]


def with_ids(raw: Json) -> None:
    """Ids of the sender's own on everything but the focus and the Slot, whose ids are ours."""
    focus = nth(raw, "MessageHeader")["focus"][0]["reference"]
    for number, entry in enumerate(raw["entry"]):
        if entry["fullUrl"] != focus and entry["resource"]["resourceType"] != "Slot":
            entry["resource"]["id"] = str(UUID(int=0x8000_4000_8000_0000_0000_0000 + number))


def with_placeholders(raw: Json) -> None:
    """Ids that are none: that of the fullUrl, words, and what FHIR would not have as an id."""
    for number, entry in enumerate(raw["entry"]):
        names = (entry["fullUrl"][9:], f"resource-{number}", f"{entry['fullUrl']}/no. {number}")
        if entry["resource"]["resourceType"] != "Slot":
            entry["resource"]["id"] = names[number % len(names)]


def profiled(raw: Json) -> None:
    for entry in raw["entry"]:
        profile = f"https://fhir.hl7.org.uk/StructureDefinition/UKCore-{entry['resource']['resourceType']}"
        entry["resource"]["meta"] = {"lastUpdated": "2030-02-01T10:00:00.8185338+00:00", "profile": [profile]}


def told_more(raw: Json) -> None:
    """Resources that the definitions allow and nobody needs, with narrative and characters of all kinds."""
    text = '<div xmlns="http://www.w3.org/1999/xhtml">5 &lt; 7 <b>é ẅ 漢 \U0001f691</b><br/></div>'
    flag = {"resourceType": "Flag", "status": "active", "subject": deepcopy(nth(raw, "CarePlan")["subject"])}
    flag |= {"category": [coded("flag-categories-bars", "SS")], "code": {"text": "Dog; 'loose' \"big\" <b>&"}}
    nth(raw, "CarePlan")["text"] = {"status": "additional", "div": text}
    raw["entry"].append({"fullUrl": urn(50), "resource": flag})


def third_encounter(raw: Json) -> None:
    new_case = encounter("planned", identifier=[{"system": "https://cad.example/Id", "value": "CAD-7"}])
    raw["entry"].append({"fullUrl": urn(50), "resource": new_case})


_CLINICAL = sorted(REFERRAL_USE_CASES - CAD_USE_CASES)
_OTHER = rejected("OTH")["reasonCode"]

_TABLE: list[Variant] = [
    *((code, "booking-new", (used_for(code),)) for code in sorted(UseCase)),
    *((code, "referral-new", (used_for(code),)) for code in _CLINICAL),
    *(
        (f"{code} {status}", "referral-new", (for_cad(used_for(code), seen(status)),))
        for code in sorted(CAD_USE_CASES)
        for status in ("triaged", "in-progress", "finished")
    ),
    *((code, "validation-new", (used_for(code),)) for code in sorted(VALIDATION_USE_CASES)),
    ("triaged", "referral-new", (seen("triaged"),)),
    ("in-progress", "validation-new", (seen("in-progress"),)),
    ("on hold", "validation-update", (having("ServiceRequest", "status", "on-hold"),)),
    *((status, "referral-update", (seen(status),)) for status in ("triaged", "finished")),
    ("deleted", "referral-entered-in-error", (because("delete"),)),
    (
        "deleted",
        "validation-cancelled",
        (having("ServiceRequest", "status", "entered-in-error"), because("delete")),
    ),
    ("in error", "validation-cancelled", (having("ServiceRequest", "status", "entered-in-error"),)),
    ("no definition", "validation-cancelled", (on_header("definition", None),)),
    ("as new", "booking-cancelled", (because("new"),)),
    ("as new", "booking-entered-in-error", (because("new"),)),
    ("deleted", "booking-cancelled", (because("delete"),)),
    ("deleted", "booking-entered-in-error", (because("delete"),)),
    ("request completed", "validation-full", (having("ServiceRequest", "status", "completed"),)),
    ("action needed", "validation-full", (planned("active"),)),
    ("update", "validation-full", (because("update"),)),
    ("new case", "validation-full", (third_encounter,)),
    *((code, "validation-full", (used_for(code),)) for code in ("a4t2", "a4t3")),
    ("other reason", "validation-rejected", (having("Encounter", "reasonCode", _OTHER, 1),)),
    (
        "in the guide's words",
        "validation-rejected",
        (seen("triaged", 1), having("ServiceRequest", "status", "revoked")),
    ),
    ("in words", "validation-rejected", (having("Encounter", "reasonCode", [{"text": "No"}], 1),)),
    *(
        (f"{code} {status}", "cad-response", (used_for(code), seen(status, 1)))
        for code in sorted(CAD_USE_CASES)
        for status in ("planned", "in-progress", "finished")
    ),
    ("update", "cad-response", (because("update"),)),
    ("revoked", "cad-rejection", (having("ServiceRequest", "status", "revoked"),)),
    ("other reason", "cad-rejection", (having("Encounter", "reasonCode", _OTHER, 1),)),
    *((code, "referral-did-not-attend", (used_for(code),)) for code in _CLINICAL),
]


def _of_every_type() -> Iterator[Variant]:
    for key in sorted(EVERY):
        yield "little known", key, (little_known,)
        yield "contacts", key, (other_contacts,)
        yield "placeholders", key, (with_placeholders,)
        yield "profiles and stamps", key, (profiled,)
        yield "1.0.0-beta", key, (versioned("1.0.0-beta"),)
        yield "versioned definition", key, (_versioned_definition,)
        yield "http service id", key, (destination(endpoint=HUB.service_id.token.replace("https:", "http:")),)
        yield "sender's ids", key, (with_ids,)
        if key not in BOOKINGS:
            yield "two concepts", key, (two_concepts,)
    for key in ("referral-new", "referral-update", "validation-new", "validation-full"):
        yield "told more", key, (told_more,)


def _versioned_definition(raw: Json) -> None:
    nth(raw, "MessageHeader")["definition"] += "|1.0.0"


VARIANTS = [*_TABLE, *_of_every_type()]
