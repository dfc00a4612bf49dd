"""What a message asks for: workflow, patient, address for replies. Source: standard.md section 6."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bars_portal.simulator.reading import Resource
from bars_portal.simulator.tkw.outcomes import ReceiverError, Rejected

CATEGORY = "https://fhir.nhs.uk/codesystem/message-category-servicerequest"
USE_CASES = "https://fhir.nhs.uk/codesystem/usecases-categories-bars"
NHS_NUMBER = "https://fhir.nhs.uk/id/nhs-number"
FINISHED = frozenset({"cancelled", "revoked", "entered-in-error"})
CURRENT = frozenset({"active", "on-hold"})


@dataclass(frozen=True)
class Message:
    """A message Bundle, understood. `kind` is a request of the tables, such as "new booking"."""

    bundle: Resource = field(repr=False)
    kind: str
    header: Resource = field(repr=False)
    focus: Resource = field(repr=False)
    nhs_numbers: frozenset[str] = field(repr=False)

    @property
    def facts(self) -> dict[str, Iterable[str]]:
        """The sentinels that the body shows; a patient without number shows exactly that."""
        if not self.nhs_numbers:
            return {"no-nhs-number": ("",)}
        return {"patient": self.nhs_numbers}

    def all(self, kind: str) -> list[Resource]:
        """The resources of a type."""
        return [each for each in resources(self.bundle) if each.get("resourceType") == kind]


def understand(bundle: Resource) -> Message:
    """The message in a Bundle. Raises Rejected."""
    kinds = [each.get("resourceType") for each in resources(bundle)]
    if not isinstance(bundle.get("entry"), list) or len(kinds) != len(bundle["entry"]) or None in kinds:
        raise Rejected(ReceiverError.BAD_BODY)
    if bundle.get("type") != "message" or kinds.count("MessageHeader") != 1 or kinds.count("Patient") > 1:
        raise Rejected(ReceiverError.BAD_BODY)
    header = resources(bundle)[kinds.index("MessageHeader")]
    wanted = "Appointment" if _event(header) == "booking-request" else "ServiceRequest"
    if kinds.count(wanted) != 1:
        raise Rejected(ReceiverError.BAD_BODY)
    focus = resources(bundle)[kinds.index(wanted)]
    return Message(bundle, _kind(bundle, header, focus), header, focus, _nhs_numbers(bundle))


def resources(bundle: Resource) -> list[Resource]:
    """The resources of a Bundle's entries; what is none is left out."""
    return [each["resource"] for each in dicts(bundle.get("entry")) if isinstance(each.get("resource"), dict)]


def codes(concepts: object, system: str) -> set[str]:
    """The codes of one system, ignoring its case, in a list of CodeableConcepts."""
    found = [coding for concept in dicts(concepts) for coding in dicts(concept.get("coding"))]
    return {str(each.get("code")) for each in found if str(each.get("system")).lower() == system}


def dicts(value: object) -> list[dict[str, Any]]:
    """The objects in a list; none when it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _kind(bundle: Resource, header: Resource, focus: Resource) -> str:
    status, reason = str(focus.get("status")), _reason(header)
    match _event(header):
        case "booking-request":
            return _booking(status)
        case "servicerequest-request":
            return _request(status, reason, focus, str(header.get("definition")))
        case "servicerequest-response":
            return _response(bundle, header, focus)
    raise Rejected(ReceiverError.BAD_WORKFLOW)


def _booking(status: str) -> str:
    if status in FINISHED - {"revoked"}:
        return "cancel booking"
    if status != "booked":
        raise Rejected(ReceiverError.BAD_WORKFLOW)
    return "new booking"


def _request(status: str, reason: str, focus: Resource, definition: str) -> str:
    category = _category(focus)
    if status in FINISHED - {"cancelled"}:
        # The published revocation is of category validation and serves referrals too: the definition tells.
        return "cancel validation" if definition.endswith("request-validation") else "cancel referral"
    if status not in CURRENT or reason not in {"new", "update"}:
        raise Rejected(ReceiverError.BAD_WORKFLOW)
    return f"{reason} {category}"


def _response(bundle: Resource, header: Resource, focus: Resource) -> str:
    if not isinstance(header.get("response"), dict):
        raise Rejected(ReceiverError.BAD_WORKFLOW)
    if _category(focus) == "referral":
        return "referral response"
    statuses = {each.get("status") for each in resources(bundle) if each.get("resourceType") == "Encounter"}
    return f"{'full' if 'finished' in statuses else 'interim'} validation response"


def _category(focus: Resource) -> str:
    named = codes(focus.get("category"), CATEGORY) & {"referral", "validation"}
    if len(named) != 1:
        raise Rejected(ReceiverError.BAD_WORKFLOW)
    return named.pop()


def _event(header: Resource) -> str:
    coding = header.get("eventCoding")
    return str(coding.get("code")) if isinstance(coding, dict) else ""


def _reason(header: Resource) -> str:
    reason = header.get("reason")
    coding = dicts(reason.get("coding")) if isinstance(reason, dict) else []
    return str(coding[0].get("code")) if coding else ""


def _nhs_numbers(bundle: Resource) -> frozenset[str]:
    patients = [each for each in resources(bundle) if each.get("resourceType") == "Patient"]
    identifiers = [each for patient in patients for each in dicts(patient.get("identifier"))]
    return frozenset(
        str(each.get("value"))
        for each in identifiers
        if each.get("value") and str(each.get("system")).lower() == NHS_NUMBER
    )
