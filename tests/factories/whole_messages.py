"""A whole message of every kind for every Application, as our own code writes it from all that may be stated.

What the rows of the guide ask of single elements is looked up in these (docs/requirements.toml).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import (
    ARPPriority,
    EncounterStatus,
    FlagCategory,
    MessageReason,
    RejectedReason,
    SceneSafety,
    ServiceRequestStatus,
    UseCase,
)
from bars_portal.exchange.fhir.profiles import Definition
from bars_portal.patients.details import ContactDetails, Telecom
from bookings.mapping.sent import booking_entries, booking_message, cancelled_appointment, patient_url
from bookings.models import BookingDraft
from referrals.cases.codes import Concept
from referrals.cases.states import ReplyKind
from referrals.cases.wire import HeldRequest
from referrals.parts.content import RequestContent
from referrals.parts.flags import Flag, RaisedFlag
from referrals.parts.medication import (
    Allergies,
    Allergy,
    AllergyCategory,
    AllergyType,
    Medication,
    Medications,
    Severity,
    Stated,
)
from referrals.parts.people import Organisations, Responder
from referrals.responding import envelope as responding
from referrals.responding.bundles import build_response
from referrals.responding.content import (
    CadStatus,
    Disposition,
    NonAttendance,
    Outcome,
    Rejection,
    ResponseContent,
    Started,
    TriageCode,
)
from tests.factories.contents import SNOMED, make_content
from tests.factories.patients import DETAILS
from tests.factories.referrals import NOW
from tests.unit.referrals import built

Json = dict[str, Any]
# (Application, message): as the rows of the guide name them.
Key = tuple[str, str]

_USE_CASES = {
    "1": UseCase.A1T1,
    "2": UseCase.A2T1,
    "3": UseCase.A3T1,
    "4": UseCase.A4T1,
    "5": UseCase.A5T1,
    "6": UseCase.A6T2,
}
_PATIENT = replace(
    DETAILS,
    language="pl",
    ethnic_category="C",
    address_use="home",
    address_lines=("1 Sample Row", "Leeds", "West Yorkshire"),
    district="West Yorkshire",
    practice_code="A81001",
    practice_name="The Surgery",
    local_number="HOSP-1234",
    contacts=(
        ContactDetails(
            "PRN", "Maud", "Quill", (Telecom("phone", "07700 900124", "mobile"),), gender="female"
        ),
        *DETAILS.contacts,
    ),
)
_ADJUSTMENT = Flag(
    FlagCategory.REASONABLE_ADJUSTMENT,
    Concept(
        "https://fhir.nhs.uk/CodeSystem/reasonable-adjustment-codes-bars",
        "1065791000000101",
        "Requires a sign language interpreter",
    ),
)
_ASPIRIN = Concept(SNOMED, "319773006", "Aspirin 75 mg dispersible tablet")


@cache
def whole_messages() -> Mapping[Key, Json]:
    return dict(_all())


def _all() -> Iterator[tuple[Key, Json]]:
    for application, use_case in _USE_CASES.items():
        content, kind = _content(use_case), "validation" if application == "4" else "referral"
        ended = "validation-cancelled" if application == "4" else "referral-revoked"
        yield (application, f"{kind}-new"), built.message(content, patient=_PATIENT)
        yield (application, ended), built.end(content, ServiceRequestStatus.REVOKED)
        if application in "346":
            update = built.message(content, reason=MessageReason.UPDATE, patient=_PATIENT)
            yield (application, f"{kind}-update"), update
        if application in "12":
            yield (application, "booking-new"), _booking(use_case)
            yield (application, "booking-cancelled"), _cancelled_booking(use_case)
    for application, name, reply, said in _RESPONSES:
        yield (application, name), _response(_USE_CASES[application], reply, said)


def _content(use_case: UseCase) -> RequestContent:
    whole = make_content(use_case)
    is_new = use_case is UseCase.A5T1
    taken = Medications(Stated.LISTED, (Medication(_ASPIRIN, "One a day", "Angina", "2026-03", is_new),))
    allergy = Allergy(
        Concept(SNOMED, "372687004", "Amoxicillin"),
        Concept(SNOMED, "247472004", "Urticarial rash", "All over"),
        AllergyType.ALLERGY,
        AllergyCategory.MEDICATION,
        Severity.MILD,
        is_new,
    )
    allergic = Allergies(Stated.LISTED, (allergy,))
    return replace(whole, flags=(*whole.flags, _ADJUSTMENT), medications=taken, allergies=allergic)


_BOOKING = UUID(int=5)
_DRAFT_TIMES = {"start": NOW + timedelta(days=1), "end": NOW + timedelta(days=1, minutes=15)}


def _booking(use_case: UseCase) -> Json:
    slot = {
        "resourceType": "Slot",
        "id": str(UUID(int=6)),
        "schedule": {"reference": f"urn:uuid:{UUID(int=7)}"},
    }
    draft = BookingDraft(
        use_case=use_case.value,
        slot_resources=[[f"urn:uuid:{UUID(int=6)}", slot]],
        slot_id=str(slot["id"]),
        **_DRAFT_TIMES,
    )
    appointment, included = booking_entries(
        draft,
        booking_id=_BOOKING,
        patient=_PATIENT,
        parties=built.PARTIES,
        based_on=str(UUID(int=8)),
        now=NOW,
    )
    return booking_message(
        Definition.BOOKING_REQUEST,
        booking_id=_BOOKING,
        bundle_id=built.BUNDLE,
        appointment=appointment,
        included=included,
        header=built.HEADER,
        now=NOW,
    )


def _cancelled_booking(use_case: UseCase) -> Json:
    booked = MessageBundle(_booking(use_case))
    included = [(url, each) for url, each in booked.entries if each is not booked.header]
    cancelled = cancelled_appointment(
        {**(booked.focus or {}), "id": str(UUID(int=9))},
        own=booked.focus or {},
        patient_url=patient_url(_BOOKING),
        use_case=use_case.value,
        reason="pat",
        now=NOW,
    )
    return booking_message(
        Definition.BOOKING_REQUEST_CANCELLED,
        booking_id=_BOOKING,
        bundle_id=built.BUNDLE,
        appointment=cancelled,
        included=included,
        header=built.HEADER,
        now=NOW,
    )


_OUTCOME = Outcome(
    Disposition.DISPATCH,
    NOW,
    "The patient is short of breath",
    ARPPriority.C2,
    (TriageCode("https://fhir.nhs.uk/CodeSystem/pathways-dx-codes", "DX02"),),
    flags_raised=(RaisedFlag(FlagCategory.SCENE_SAFETY, SceneSafety.UNSAFE.value, words="A dog"),),
    cad_id="CAD-77",
)
_MISSED = NonAttendance(
    NOW - timedelta(hours=1), NOW - timedelta(minutes=45), "Two calls", "836881000000105", "Small children"
)
_RESPONSES: tuple[tuple[str, str, ReplyKind, ResponseContent], ...] = (
    ("1", "referral-did-not-attend", ReplyKind.DID_NOT_ATTEND, _MISSED),
    ("2", "referral-did-not-attend", ReplyKind.DID_NOT_ATTEND, _MISSED),
    ("3", "referral-did-not-attend", ReplyKind.DID_NOT_ATTEND, _MISSED),
    ("5", "referral-did-not-attend", ReplyKind.DID_NOT_ATTEND, _MISSED),
    ("4", "validation-interim", ReplyKind.INTERIM, Started()),
    ("4", "validation-rejected", ReplyKind.REJECTED, Rejection(RejectedReason.OTHER, "Nobody answers")),
    ("4", "validation-full", ReplyKind.FULL, _OUTCOME),
    ("6", "cad-response", ReplyKind.CAD_STATUS, CadStatus(EncounterStatus.IN_PROGRESS)),
    ("6", "cad-rejection", ReplyKind.CAD_REJECTION, Rejection(RejectedReason.OTHER, "No vehicle")),
)


def _response(use_case: UseCase, kind: ReplyKind, said: ResponseContent) -> Json:
    request, included = built.entries(_content(use_case), patient=_PATIENT)
    held = HeldRequest(built.CASE, f"urn:uuid:{built.CASE}", request, tuple(included), "RIV-AAAA-AA")
    sent = responding.Envelope(
        bundle_id=UUID(int=10),
        now=NOW,
        header=replace(built.HEADER, destination=built.HEADER.source, source=built.HEADER.destination),
        answers=str(built.BUNDLE),
        is_update=False,
        organisations=Organisations(sender=built.PARTIES.receiver, receiver=built.PARTIES.sender),
        responder=Responder("Asha Sesay", "PT2489", "224608005", "Clinical assessor"),
    )
    return build_response(kind=kind, held=held, envelope=sent, content=said, use_case=use_case)
