"""The workflow table (standard section 6): one complete row for every message type."""

from __future__ import annotations

from itertools import product

from bars_portal.exchange.fhir.codes import (
    CAD_USE_CASES,
    REFERRAL_USE_CASES,
    VALIDATION_USE_CASES,
    AppointmentStatus,
    CarePlanStatus,
    EncounterStatus,
    MessageCategory,
    MessageEvent,
    MessageReason,
    ServiceRequestStatus,
    UseCase,
)
from bars_portal.exchange.fhir.profiles import Definition
from bars_portal.exchange.fhir.rules.model import Condition, Part, WorkflowRow

_NEW = frozenset({MessageReason.NEW})
_UPDATE = frozenset({MessageReason.UPDATE})
_NEW_OR_UPDATE = _NEW | _UPDATE
_UPDATE_OR_DELETE = frozenset({MessageReason.UPDATE, MessageReason.DELETE})
_ACTIVE = frozenset({ServiceRequestStatus.ACTIVE})
_REVOKED = frozenset({ServiceRequestStatus.REVOKED})
_IN_ERROR = frozenset({ServiceRequestStatus.ENTERED_IN_ERROR})
_REFERRAL = frozenset({MessageCategory.REFERRAL})
_VALIDATION = frozenset({MessageCategory.VALIDATION})
# Everything that is referred but for the ambulance controls of Application 6.
_CLINICAL_USE_CASES = REFERRAL_USE_CASES - CAD_USE_CASES

# Help may be refused; a call from out of area is the control's own, whoever took it.
_HELP_USE_CASES = CAD_USE_CASES - {UseCase.A6T1}

_TRIAGED = frozenset({EncounterStatus.TRIAGED})
_IN_PROGRESS = frozenset({EncounterStatus.IN_PROGRESS})
_FINISHED = frozenset({EncounterStatus.FINISHED})
_CANCELLED = frozenset({EncounterStatus.CANCELLED})
_ANSWERING = frozenset({EncounterStatus.PLANNED}) | _IN_PROGRESS | _FINISHED

_PLAN_DONE = frozenset({CarePlanStatus.COMPLETED})
_PLAN_OPEN = frozenset({CarePlanStatus.ACTIVE})
_ASSESSED = Condition("Encounter", _TRIAGED | _IN_PROGRESS | _FINISHED, Part.REQUESTER)
_REQUEST_ACTIVE = Condition("ServiceRequest", _ACTIVE)
# Who has the whole outcome may say that nothing is left to do (standard section 12, "Responses to us").
_REQUEST_ACTIVE_OR_DONE = Condition(
    "ServiceRequest", _ACTIVE | {ServiceRequestStatus.COMPLETED}, decides=True
)
# Of a cancelled booking the standard says `update`, the official examples `new`, the guide's tables `delete`.
_CANCEL_REASONS = _NEW_OR_UPDATE | _UPDATE_OR_DELETE

BOOKING_NEW = WorkflowRow(
    MessageEvent.BOOKING_REQUEST,
    _NEW,
    "Appointment",
    frozenset({AppointmentStatus.BOOKED}),
    frozenset(),
    Definition.BOOKING_REQUEST,
    "booking-new",
)
BOOKING_CANCELLED = WorkflowRow(
    MessageEvent.BOOKING_REQUEST,
    _CANCEL_REASONS,
    "Appointment",
    frozenset({AppointmentStatus.CANCELLED}),
    frozenset(),
    Definition.BOOKING_REQUEST_CANCELLED,
    "booking-cancelled",
)
BOOKING_ENTERED_IN_ERROR = WorkflowRow(
    MessageEvent.BOOKING_REQUEST,
    _CANCEL_REASONS,
    "Appointment",
    frozenset({AppointmentStatus.ENTERED_IN_ERROR}),
    frozenset(),
    Definition.BOOKING_REQUEST_CANCELLED,
    "booking-entered-in-error",
)

REFERRAL_NEW = WorkflowRow(
    MessageEvent.SERVICEREQUEST_REQUEST,
    _NEW,
    "ServiceRequest",
    _ACTIVE,
    _REFERRAL,
    Definition.REFERRAL_REQUEST,
    "referral-new",
    use_cases=REFERRAL_USE_CASES,
    conditions=(
        Condition("CarePlan", _PLAN_DONE, use_cases=_CLINICAL_USE_CASES),
        Condition("Encounter", _TRIAGED | _FINISHED, Part.REQUESTER, use_cases=_CLINICAL_USE_CASES),
        Condition("CarePlan", _PLAN_OPEN, use_cases=CAD_USE_CASES),
        Condition(
            "Encounter", _ASSESSED.statuses, Part.REQUESTER, use_cases=CAD_USE_CASES, class_code="EMER"
        ),
    ),
)
REFERRAL_UPDATE = WorkflowRow(
    MessageEvent.SERVICEREQUEST_REQUEST,
    _UPDATE,
    "ServiceRequest",
    _ACTIVE,
    _REFERRAL,
    Definition.REFERRAL_REQUEST,
    "referral-update",
    use_cases=REFERRAL_USE_CASES,
    conditions=(_ASSESSED,),
)
REFERRAL_REVOKED = WorkflowRow(
    MessageEvent.SERVICEREQUEST_REQUEST,
    _UPDATE,
    "ServiceRequest",
    _REVOKED,
    _REFERRAL,
    Definition.REQUEST_CANCELLED,
    "referral-revoked",
    use_cases=REFERRAL_USE_CASES,
)
REFERRAL_ENTERED_IN_ERROR = WorkflowRow(
    MessageEvent.SERVICEREQUEST_REQUEST,
    _UPDATE_OR_DELETE,
    "ServiceRequest",
    _IN_ERROR,
    _REFERRAL,
    Definition.REQUEST_CANCELLED,
    "referral-entered-in-error",
    use_cases=REFERRAL_USE_CASES,
)

VALIDATION_NEW = WorkflowRow(
    MessageEvent.SERVICEREQUEST_REQUEST,
    _NEW,
    "ServiceRequest",
    _ACTIVE,
    _VALIDATION,
    Definition.VALIDATION_REQUEST,
    "validation-new",
    use_cases=VALIDATION_USE_CASES,
    conditions=(
        Condition("CarePlan", _PLAN_OPEN),
        Condition("Encounter", _TRIAGED | _IN_PROGRESS, Part.REQUESTER),
    ),
)
VALIDATION_UPDATE = WorkflowRow(
    MessageEvent.SERVICEREQUEST_REQUEST,
    _UPDATE,
    "ServiceRequest",
    _ACTIVE | {ServiceRequestStatus.ON_HOLD},
    _VALIDATION,
    Definition.VALIDATION_REQUEST,
    "validation-update",
    use_cases=VALIDATION_USE_CASES,
)
VALIDATION_CANCELLED = WorkflowRow(
    MessageEvent.SERVICEREQUEST_REQUEST,
    _UPDATE_OR_DELETE,
    "ServiceRequest",
    _REVOKED | _IN_ERROR,
    _VALIDATION,
    Definition.REQUEST_CANCELLED,
    "validation-cancelled",
    use_cases=VALIDATION_USE_CASES,
    # What is deleted never should have been; what was revoked was right in its time.
    pairs=frozenset({("update", "revoked"), ("update", "entered-in-error"), ("delete", "entered-in-error")}),
)

VALIDATION_INTERIM = WorkflowRow(
    MessageEvent.SERVICEREQUEST_RESPONSE,
    _NEW,
    "Encounter",
    _IN_PROGRESS,
    _VALIDATION,
    Definition.VALIDATION_RESPONSE_INTERIM,
    "validation-interim",
    use_cases=VALIDATION_USE_CASES,
    conditions=(_REQUEST_ACTIVE,),
)
VALIDATION_REJECTED = WorkflowRow(
    MessageEvent.SERVICEREQUEST_RESPONSE,
    _NEW_OR_UPDATE,
    "Encounter",
    # The standard's words: cancelled, the request as it was. The guide's: triaged, the request revoked.
    _CANCELLED | _TRIAGED,
    _VALIDATION,
    Definition.VALIDATION_RESPONSE_INTERIM,
    "validation-rejected",
    use_cases=VALIDATION_USE_CASES,
    conditions=(
        Condition("ServiceRequest", _ACTIVE | _REVOKED, when_focus=_CANCELLED),
        Condition("ServiceRequest", _REVOKED, when_focus=_TRIAGED, decides=True),
        Condition("Encounter", _CANCELLED | _TRIAGED, Part.RESPONDER, needs_reason=True),
    ),
    # A reason `update` is of the guide's form alone.
    pairs=frozenset({("new", "cancelled"), ("new", "triaged"), ("update", "triaged")}),
)
VALIDATION_FULL = WorkflowRow(
    MessageEvent.SERVICEREQUEST_RESPONSE,
    _NEW_OR_UPDATE,
    "Encounter",
    # The examples say finished; the guide's own words also triaged.
    _FINISHED | _TRIAGED,
    _VALIDATION,
    Definition.VALIDATION_RESPONSE_FULL,
    "validation-full",
    use_cases=VALIDATION_USE_CASES,
    conditions=(_REQUEST_ACTIVE_OR_DONE, Condition("CarePlan", _PLAN_DONE | _PLAN_OPEN)),
)

REFERRAL_DID_NOT_ATTEND = WorkflowRow(
    MessageEvent.SERVICEREQUEST_RESPONSE,
    _NEW,
    "ServiceRequest",
    _REVOKED,
    _REFERRAL,
    Definition.REFERRAL_RESPONSE,
    "referral-did-not-attend",
    use_cases=_CLINICAL_USE_CASES,
    conditions=(Condition("Appointment", frozenset({AppointmentStatus.NO_SHOW}), required=True),),
)
CAD_RESPONSE = WorkflowRow(
    MessageEvent.SERVICEREQUEST_RESPONSE,
    _NEW_OR_UPDATE,
    "ServiceRequest",
    _ACTIVE,
    _REFERRAL,
    Definition.REFERRAL_RESPONSE_SHORT,
    "cad-response",
    use_cases=CAD_USE_CASES,
    by_encounter=_ANSWERING,
    conditions=(Condition("Encounter", _ANSWERING, Part.RESPONDER, decides=True),),
    other_definitions=frozenset({Definition.REFERRAL_RESPONSE}),
)
CAD_REJECTION = WorkflowRow(
    MessageEvent.SERVICEREQUEST_RESPONSE,
    _NEW_OR_UPDATE,
    "ServiceRequest",
    # The table says revoked; the official example says active, and is known by its cancelled Encounter.
    _ACTIVE | _REVOKED,
    _REFERRAL,
    Definition.REFERRAL_RESPONSE_SHORT,
    "cad-rejection",
    use_cases=_HELP_USE_CASES,
    by_encounter=_CANCELLED,
    conditions=(
        Condition("Encounter", _CANCELLED, Part.RESPONDER, needs_reason=True, required=True, decides=True),
    ),
    other_definitions=frozenset({Definition.REFERRAL_RESPONSE}),
)
ROWS: tuple[WorkflowRow, ...] = (
    BOOKING_NEW,
    BOOKING_CANCELLED,
    BOOKING_ENTERED_IN_ERROR,
    REFERRAL_NEW,
    REFERRAL_UPDATE,
    REFERRAL_REVOKED,
    REFERRAL_ENTERED_IN_ERROR,
    VALIDATION_NEW,
    VALIDATION_UPDATE,
    VALIDATION_CANCELLED,
    VALIDATION_INTERIM,
    VALIDATION_REJECTED,
    VALIDATION_FULL,
    REFERRAL_DID_NOT_ATTEND,
    CAD_RESPONSE,
    CAD_REJECTION,
)


def row(key: str) -> WorkflowRow:
    """The row of a message key. Raises KeyError."""
    return _BY_KEY[key]


_BY_KEY = {each.message_key: each for each in ROWS}


def overlap(one: WorkflowRow, other: WorkflowRow) -> bool:
    """Whether some message fits both rows and nothing decides between them: its routing would be luck."""
    return (
        one.event == other.event
        and one.focus_type == other.focus_type
        and not _pairs(one).isdisjoint(_pairs(other))
        and _share(one.categories, other.categories)
        and _share(one.use_cases, other.use_cases)
        and not _told_apart(one, other)
    )


def _pairs(row: WorkflowRow) -> frozenset[tuple[str, str]]:
    return row.pairs or frozenset(product(row.reasons, row.focus_statuses))


def _share(one: frozenset[str], other: frozenset[str]) -> bool:
    """None means any."""
    return not one or not other or not one.isdisjoint(other)


def _told_apart(one: WorkflowRow, other: WorkflowRow) -> bool:
    return any(
        (mine.resource_type, mine.part) == (theirs.resource_type, theirs.part)
        and mine.statuses.isdisjoint(theirs.statuses)
        for mine, theirs in product(one.conditions, other.conditions)
        if mine.decides and theirs.decides
    )
