"""A servicerequest-request that reached us, read once into a type of our own."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.fhir.reading import as_dict, as_text, dicts
from bars_portal.exchange.fhir.rules.parts import journey_id, requester_encounter, use_case_of
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.mapping import patient_from_fhir
from referrals.mapping import clinical, reading
from referrals.states import Category

_APPOINTMENT = "Appointment/"


@dataclass(frozen=True)
class Facts:
    """What the columns of a case say. All instants are aware."""

    use_case: str
    priority: str
    occurrence_start: datetime | None
    breach_at: datetime | None
    authored_on: datetime | None
    case_number: str
    requester_ods_code: str
    requester_name: str
    flags: tuple[str, ...]
    safeguarding: bool
    scene_unsafe: bool
    booking_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class ReceivedCase:
    """The ServiceRequest of a message with what it says about the case.

    `journey_id` is None when the message names none (a cancel).
    """

    bundle: MessageBundle = field(repr=False)
    request: Resource = field(repr=False)
    category: Category
    patient: PatientDetails = field(repr=False)
    facts: Facts = field(repr=False)
    journey_id: UUID | None = None

    @property
    def url(self) -> str:
        return self.bundle.full_url_of(self.request)

    @property
    def ids(self) -> list[UUID]:
        """By which of our ids it may be known: ServiceRequest.id, then the uuid of its fullUrl."""
        named = (reading.uuid_or_none(as_text(self.request.get("id"))), reading.url_uuid(self.url))
        return [each for each in named if each is not None]

    @property
    def encounter(self) -> Resource | None:
        """The requester's own Encounter; the first when the ServiceRequest names none."""
        return _encounter(self.bundle)

    @property
    def other_encounter(self) -> Resource | None:
        """In an update, the receiver's Encounter as the sender tells it back."""
        own = self.encounter
        return next((each for each in self.bundle.of_type("Encounter") if each is not own), None)


def parse_case(bundle: MessageBundle, category: Category) -> ReceivedCase:
    """Raises OutcomeError for what the rules before it cannot have let through by accident."""
    request = bundle.focus
    if request is None:
        raise fault(OutcomeCode.INVARIANT, "MessageHeader.focus points at nothing in the Bundle")
    return ReceivedCase(
        bundle=bundle,
        request=request,
        category=category,
        patient=patient_from_fhir(reading.patient_of(bundle, request)),
        facts=_facts(bundle, request),
        journey_id=journey_id(bundle),
    )


def _facts(bundle: MessageBundle, request: Resource) -> Facts:
    period = as_dict(request.get("occurrencePeriod"))
    ods_code, name = reading.sender_organisation(bundle)
    return Facts(
        use_case=use_case_of(bundle) or "",
        priority=clinical.priority_of(bundle, request),
        occurrence_start=reading.instant(period.get("start")),
        breach_at=reading.instant(period.get("end")),
        authored_on=reading.instant(request.get("authoredOn")),
        case_number=reading.identifier_of(_encounter(bundle)),
        requester_ods_code=ods_code,
        requester_name=name,
        flags=clinical.flag_categories(bundle),
        safeguarding=clinical.has_safeguarding(bundle),
        scene_unsafe=clinical.scene_is_unsafe(bundle),
        booking_ids=_booking_ids(request),
    )


def _encounter(bundle: MessageBundle) -> Resource | None:
    named = requester_encounter(bundle)
    return named if named is not None else next(iter(bundle.of_type("Encounter")), None)


def _booking_ids(request: Resource) -> tuple[UUID, ...]:
    """supportingInfo "Appointment/<uuid>": the booking that was made first (standard section 9)."""
    named = (as_text(each.get("reference")) for each in dicts(request.get("supportingInfo")))
    ids = (reading.uuid_or_none(each.removeprefix(_APPOINTMENT)) for each in named if _APPOINTMENT in each)
    return tuple(dict.fromkeys(each for each in ids if each is not None))
