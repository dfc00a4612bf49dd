"""The sentinel tables: which service, NHS number or resource id provokes which answer. Add rows, not code.

Source: testing-and-environments v1.8.1, "Scenarios"; rows marked beta are from v1.0.0-beta and still apply.
"""

from enum import Enum, auto

from bars_portal.simulator.tkw.outcomes import ReceiverError

CATCH_ALL_SERVICE = "2000072489"
BOOKED_APPOINTMENT = "ce1c4ced-2a84-4198-9982-9caf894d0bb7"
DEFINITION_BASE = "https://fhir.nhs.uk/MessageDefinition/"
BOOKINGS = ("bars-message-booking-request", "bars-message-booking-request-cancelled")


class SlotAnswer(Enum):
    """How a service answers GET /Slot."""

    EVERYTHING = auto()
    NO_SLOTS = auto()
    MANDATORY_ONLY = auto()
    TIMEOUT = auto()


# Service id -> answer to GET /Slot; every other service: EVERYTHING.
SLOT_SEARCH = {
    CATCH_ALL_SERVICE: SlotAnswer.EVERYTHING,
    "2000073917": SlotAnswer.NO_SLOTS,
    "1503499715": SlotAnswer.MANDATORY_ONLY,
    "2000081825": SlotAnswer.MANDATORY_ONLY,  # beta
    "2000081230": SlotAnswer.TIMEOUT,
    "2000094120": SlotAnswer.TIMEOUT,  # beta
}

# NHS number of a new booking's patient -> refusal; every other patient, and none at all: booked.
NEW_BOOKING = {
    "9658499015": ReceiverError.NOT_FOUND,
    "9976150288": ReceiverError.NOT_FOUND,  # beta
    "9658499023": ReceiverError.CONFLICT,
    "9933902830": ReceiverError.CONFLICT,  # beta
    "9658499031": ReceiverError.UNPROCESSABLE,
    "9818556143": ReceiverError.UNPROCESSABLE,  # beta
}

# Appointment id -> refusal of GET /Appointment/{id}.
GET_APPOINTMENT = {"0d440c22-7f25-4c6c-905d-2213d197d02a": ReceiverError.NOT_IMPLEMENTED}

# Service id, or sentinel word, in `context` -> refusal of GET /MessageDefinition.
DEFINITION_REFUSALS = {"FAIL0401": ReceiverError.UNAUTHORIZED, "FAIL0404": ReceiverError.NOT_FOUND}

# Service id -> the messages it receives, as far as the simulator plays them; every other service: BOOKINGS.
MESSAGES: dict[str, tuple[str, ...]] = {
    "2000011147": BOOKINGS,
    "2000076289": (),
    "2000003366": (),
    "1374839566": (),
    "2000159909": (),
    "2000159910": (),
    "2000093816": (),
}

# Services whose message definitions are wrong on purpose: they ask for an Invoice.
INVALID_DEFINITIONS = frozenset({"2000071898"})


def messages_of(service_id: str) -> tuple[str, ...]:
    """The last parts of the definitions' addresses."""
    return MESSAGES.get(service_id, BOOKINGS)
