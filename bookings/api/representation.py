"""A booking that we sent, as plain JSON in the words of its page."""

from datetime import datetime
from typing import Any

from rest_framework.request import Request
from rest_framework.reverse import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.api.callers import Caller
from bars_portal.api.forms import schema_of
from bars_portal.api.operations import Json, component, moment, object_of, optional, text
from bars_portal.api.paging import page_schema
from bars_portal.correspondence.explanations import ReasonCode, trying_words
from bars_portal.exchange import outbox
from bars_portal.nhsuk.dates import format_datetime, in_london
from bars_portal.patients.forms import PatientForm
from bars_portal.patients.models import Patient
from bars_portal.patients.selectors import details_of
from bookings import policies
from bookings.forms.bookings import ApprovalForm, CancelForm, RebookForm
from bookings.models import Booking
from bookings.presenters.bookings import RebookingState, rebooking_state
from bookings.presenters.slots import use_case_text
from bookings.selectors.sent import rebooking_of
from bookings.states import BookingStatus
from directory.api.services import USE_CASE

SENT_STATES = tuple(each for each in BookingStatus if each is not BookingStatus.ENTERED_IN_ERROR)
# The outcome is not there yet, or not clear: it may still change by itself.
OPEN_STATES = frozenset(
    {
        BookingStatus.REQUESTED,
        BookingStatus.UNKNOWN,
        BookingStatus.CANCELLING,
        BookingStatus.CANCEL_UNKNOWN,
    }
)
_STATE = object_of(
    {
        "code": text(enum=[each.value for each in SENT_STATES]),
        "name": text("For people."),
        "is_open": {"type": "boolean", "description": "It may still change by itself: read it again."},
    }
)
_SUMMARY = {
    "id": text(format="uuid"),
    "url": text(format="uri"),
    "state": _STATE,
    "service": object_of({"id": text(), "name": text()}),
    "use_case": USE_CASE,
    "start": moment(),
    "end": moment(),
    "reference": text('The service\'s reference, to be read out; "" until it is booked.'),
    "reason": text('Why it was refused, or is not known, in a sentence for the user; "" otherwise.'),
    "reason_code": text(
        'The same for programs; "" otherwise.', enum=["", *(each.value for each in ReasonCode)]
    ),
    "journey": text("The case that it belongs to.", format="uuid"),
    "created_at": moment(),
    "updated_at": moment(),
}
BOOKING_SUMMARY = component("BookingSummary", object_of(_SUMMARY))
BOOKING_PAGE = component("BookingPage", page_schema(BOOKING_SUMMARY.ref))
PATIENT = component("Patient", schema_of(PatientForm))
EXAMPLE_PATIENT = {
    "family_name": "Dyball",
    "given_names": "Adrian",
    "birth_date": "1932-10-29",
    "gender": "male",
    "nhs_number": "9658499007",
    "traced_in": "PDS",
    "address_line_1": "1 Sample Street",
    "town": "Scunthorpe",
    "postcode": "DN17 4LR",
    "phone": "07700 900123",
}
# What is known of a patient is read by the same names, whatever a message said.
KNOWN_PATIENT = component(
    "KnownPatient",
    object_of(
        {
            name: {key: value for key, value in each.items() if key in ("type", "description")}
            for name, each in PATIENT.schema["properties"].items()
        },
        required=(),
    ),
)
BOOKING = component(
    "Booking",
    object_of(
        {
            **_SUMMARY,
            "tell_patient": text("What may be told to the patient now, in a sentence."),
            "patient_told_at": optional(moment()),
            "trying": text('How the portal goes on by itself, in a sentence; "" when it does not.'),
            "differences": {
                "type": "array",
                "items": object_of({"what": text(), "asked": text(), "said": text()}),
                "description": "What the service holds otherwise than it was asked for.",
            },
            "cancel_reason": text(),
            "rebooking": optional(
                object_of(
                    {
                        "state": text(enum=[each.value for each in RebookingState]),
                        "detail": text("In a sentence for the user."),
                        "cancelled": text("The booking that is cancelled for it.", format="uuid"),
                        "booked": optional(text("The new booking, once there is one.", format="uuid")),
                    }
                )
            ),
            "can": {
                "type": "array",
                "items": text(enum=["cancel", "rebook", "check-again"]),
                "description": "What may be done next.",
            },
            "patient": {
                **optional(KNOWN_PATIENT.ref),
                "description": "Null without the scope patients:read.",
            },
        }
    ),
)
_APPROVAL = {
    **schema_of(ApprovalForm, without=("approver",)),
    "description": "Only where the time is outside the time frame of the journey's assessment: a clinician "
    "in X-Acting-User says yes to it.",
}
_SLOT_ID = text("The id of a slot that a search returned.")
NEW_BOOKING = component(
    "NewBooking",
    object_of(
        {
            "slot": _SLOT_ID,
            "use_case": text("One of the service's use_cases; without it the first."),
            "patient": PATIENT.ref,
            "journey": text("The case that it goes on with; without it a new one begins.", format="uuid"),
            "approval": _APPROVAL,
        },
        required=("slot", "patient"),
    ),
)
CANCELLATION = component("Cancellation", schema_of(CancelForm))
NEW_TIME = component(
    "NewTime",
    object_of(
        {"slot": _SLOT_ID, **schema_of(RebookForm)["properties"], "approval": _APPROVAL},
        required=("slot", *CANCELLATION.schema["required"]),
    ),
)
NO_BODY = component("Nothing", {**object_of({}), "description": "{}"})


def summary_json(request: Request, booking: Booking) -> Json:
    state = BookingStatus(booking.status)
    return {
        "id": str(booking.pk),
        "url": address_of(request, booking),
        "state": {"code": state.value, "name": state.label, "is_open": state in OPEN_STATES},
        "service": {"id": booking.service.service_id, "name": booking.service.name},
        "use_case": {"code": booking.use_case, "name": use_case_text(booking.use_case)},
        "start": in_london(booking.start).isoformat(),
        "end": in_london(booking.end).isoformat(),
        "reference": booking.reference,
        "reason": booking.explanation,
        "reason_code": booking.explanation_code,
        "journey": str(booking.journey_id),
        "created_at": in_london(booking.created_at).isoformat(),
        "updated_at": in_london(booking.updated_at).isoformat(),
    }


def booking_json(request: Request, booking: Booking, caller: Caller, *, now: datetime) -> Json:
    told = booking.patient_told_at
    return {
        **summary_json(request, booking),
        "tell_patient": _to_tell(booking),
        "patient_told_at": in_london(told).isoformat() if told else None,
        "trying": trying_words(outbox.trying(booking), now=now),
        "differences": [
            {name: str(each.get(name, "")) for name in ("what", "asked", "said")}
            for each in booking.differences or []
        ],
        "cancel_reason": booking.cancel_reason,
        "rebooking": _rebooking_json(booking),
        "can": _possible(booking, caller.acting, now),
        "patient": patient_json(booking.patient) if caller.sees_patients else None,
    }


def patient_json(patient: Patient) -> Json:
    """By the names of the form; what is not known is left out."""
    known: dict[str, Any] = PatientForm.initial_from(details_of(patient))
    return {name: value for name, value in known.items() if value not in ("", None, False)}


def address_of(request: Request, booking: Booking) -> str:
    return str(reverse("api-booking", args=[booking.pk], request=request))


def _rebooking_json(booking: Booking) -> Json | None:
    plan = rebooking_of(booking)
    if plan is None:
        return None
    progress = rebooking_state(plan)
    return {
        "state": progress.state.value,
        "detail": progress.sentence,
        "cancelled": str(plan.cancelled_id),
        "booked": str(plan.booked_id) if plan.booked_id else None,
    }


def _possible(booking: Booking, acting: Acting, now: datetime) -> list[str]:
    may = {
        "cancel": policies.can_cancel(acting, booking, now),
        "rebook": policies.can_rebook(acting, booking, now),
        "check-again": policies.can_check_again(acting, booking),
    }
    return [name for name, allowed in may.items() if allowed]


def _to_tell(booking: Booking) -> str:
    when = f"{booking.service.name}, {format_datetime(booking.start)}"
    match booking.status:
        case BookingStatus.BOOKED:
            reference = f" The reference is {booking.reference}." if booking.reference else ""
            return f"The appointment is booked: {when}.{reference}"
        case BookingStatus.CANCELLED:
            return f"The appointment is cancelled: {when}."
        case BookingStatus.REFUSED:
            return "This appointment was not booked."
    return "Do not tell the patient a time yet."
