"""Why a message of ours was not taken, in plain words and with the next step: what the clinician reads."""

from collections.abc import Mapping
from enum import StrEnum

from bars_portal.correspondence.explanations import Refusals, is_not_on_network, words_for
from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery


class Purpose(StrEnum):
    BOOK = "book"
    CANCEL = "cancel"


_UNKNOWN = {
    Purpose.BOOK: (
        "We do not know whether this was booked: the service gave no clear answer. "
        "Check again; do not book another slot until you know."
    ),
    Purpose.CANCEL: (
        "We do not know whether this was cancelled: the service gave no clear answer. "
        "Check again before you tell the patient."
    ),
}
_STILL_TRYING = {
    Purpose.BOOK: (
        "We do not know yet whether this was booked: the service gave no clear answer. "
        "We are still trying by ourselves; do not book another slot until you know."
    ),
    Purpose.CANCEL: (
        "We do not know yet whether this was cancelled: the service gave no clear answer. "
        "We are still trying by ourselves; wait before you tell the patient."
    ),
}
_REFUSALS: Mapping[Purpose, Refusals] = {
    Purpose.BOOK: {
        ("CONFLICT", "conflict"): "Somebody else took this time. Choose another slot.",
        ("CONFLICT", ""): "The service could not take this booking as it stands. Choose another slot.",
        ("NOT_FOUND", ""): "The service no longer offers this slot. Choose another slot or service.",
        (
            "UNPROCESSABLE_ENTITY",
            "",
        ): "The service could not use this booking. Choose another slot or service.",
        (
            "BAD_REQUEST",
            "",
        ): "The service could not read our booking. Call the service, and tell your IT support.",
        ("UNAUTHORIZED", ""): "The service does not take bookings from us. Choose another service.",
        ("FORBIDDEN", ""): "The service does not take bookings from us. Choose another service.",
        ("NOT_IMPLEMENTED", ""): "The service does not take bookings like this. Choose another service.",
        ("METHOD_NOT_ALLOWED", ""): "The service does not take bookings like this. Choose another service.",
        (
            "SERVER_ERROR",
            "",
        ): "The service had a technical fault and booked nothing. Try another slot or service.",
    },
    Purpose.CANCEL: {
        (
            "CONFLICT",
            "",
        ): "The service has changed this appointment meanwhile. Look at it again, then cancel.",
        ("NOT_FOUND", ""): "The service does not know this appointment. Call the service.",
        ("UNPROCESSABLE_ENTITY", ""): (
            "The service did not cancel: the appointment is over or differs from ours. Call the service."
        ),
        ("BAD_REQUEST", ""): (
            "The service could not read our cancellation. Call the service, and tell your IT support."
        ),
        ("UNAUTHORIZED", ""): "The service does not let us cancel this appointment. Call the service.",
        ("FORBIDDEN", ""): "The service does not let us cancel this appointment. Call the service.",
        ("SERVER_ERROR", ""): "The service had a technical fault. Try again, or call the service.",
    },
}
_OTHER = {
    Purpose.BOOK: "The service did not take this booking. Choose another service, and tell your IT support.",
    Purpose.CANCEL: (
        "The service did not cancel this appointment. Call the service, and tell your IT support."
    ),
}
_NOT_ON_NETWORK = (
    "This service is not on the booking network. Choose another service, and tell your IT support."
)


def explain(outcome: Outcome, purpose: Purpose) -> str:
    """One or two sentences; never a code, never the other side's own text. "" when it was taken."""
    if outcome.delivery is Delivery.UNKNOWN:
        return (_STILL_TRYING if outcome.next_attempt_at else _UNKNOWN)[purpose]
    if outcome.delivery is not Delivery.REFUSED:
        return ""
    if purpose is Purpose.BOOK and is_not_on_network(outcome):
        return _NOT_ON_NETWORK
    return words_for(outcome, _REFUSALS[purpose]) or _OTHER[purpose]


def unclear(purpose: Purpose) -> str:
    """The same as for a lost answer: what came back does not say that it is done."""
    return _UNKNOWN[purpose]
