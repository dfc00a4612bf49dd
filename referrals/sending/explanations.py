"""Why a request of ours was not taken, in plain words and with the next step: what the clinician reads."""

from collections.abc import Mapping
from enum import StrEnum

from bars_portal.correspondence.explanations import Refusals, is_not_on_network, words_for
from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery


class Purpose(StrEnum):
    SEND = "send"
    UPDATE = "update"
    TAKE_BACK = "take-back"


DELIVERED_UNREAD = (
    "The service has this request, but its answer could not be read. Call the service for the reference."
)
_UNKNOWN = {
    Purpose.SEND: (
        "We do not know whether this request arrived: the service gave no clear answer. "
        "Check again; do not send another one until you know."
    ),
    Purpose.UPDATE: (
        "We do not know whether this update arrived: the service gave no clear answer. "
        "Check again, or call the service if it cannot wait."
    ),
    Purpose.TAKE_BACK: (
        "We do not know whether this request was taken back: the service gave no clear answer. "
        "Check again before you tell the patient."
    ),
}
_STILL_TRYING = {
    Purpose.SEND: (
        "We do not know yet whether this request arrived: the service gave no clear answer. "
        "We are still trying by ourselves; do not send another one until you know."
    ),
    Purpose.UPDATE: (
        "We do not know yet whether this update arrived: the service gave no clear answer. "
        "We are still trying by ourselves; call the service if it cannot wait."
    ),
    Purpose.TAKE_BACK: (
        "We do not know yet whether this request was taken back: the service gave no clear answer. "
        "We are still trying by ourselves; wait before you tell the patient."
    ),
}
_NO_TECHNICAL = "The service had a technical fault and took nothing. Try again, or call the service."
_REFUSALS: Mapping[Purpose, Refusals] = {
    Purpose.SEND: {
        ("CONFLICT", ""): "The service could not take this request as it stands. Call the service.",
        ("NOT_FOUND", ""): "The service could not be found. Choose another service.",
        ("UNPROCESSABLE_ENTITY", ""): "The service could not use this request. Choose another service.",
        ("BAD_REQUEST", ""): (
            "The service could not read our request. Call the service, and tell your IT support."
        ),
        ("UNAUTHORIZED", ""): "The service does not take requests from us. Choose another service.",
        ("FORBIDDEN", ""): "The service does not take requests from us. Choose another service.",
        ("NOT_IMPLEMENTED", ""): "The service does not take requests like this. Choose another service.",
        ("METHOD_NOT_ALLOWED", ""): "The service does not take requests like this. Choose another service.",
        ("SERVER_ERROR", ""): _NO_TECHNICAL,
    },
    Purpose.UPDATE: {
        ("CONFLICT", ""): "The service has changed this case meanwhile. Look at it again, then update it.",
        ("NOT_FOUND", ""): "The service does not know this request. Call the service.",
        ("UNPROCESSABLE_ENTITY", ""): (
            "The service did not take the update: the case is over. Read its answer or call the service."
        ),
        ("BAD_REQUEST", ""): (
            "The service could not read our update. Call the service, and tell your IT support."
        ),
        ("SERVER_ERROR", ""): _NO_TECHNICAL,
    },
    Purpose.TAKE_BACK: {
        ("CONFLICT", ""): "The service has changed this case meanwhile. Look at it again, then take it back.",
        ("NOT_FOUND", ""): "The service does not know this request. Call the service.",
        ("UNPROCESSABLE_ENTITY", ""): (
            "The service did not let go of this case: it is over there. Read its answer or call the service."
        ),
        ("BAD_REQUEST", ""): (
            "The service could not read our message. Call the service, and tell your IT support."
        ),
        ("UNAUTHORIZED", ""): "The service does not let us take this request back. Call the service.",
        ("FORBIDDEN", ""): "The service does not let us take this request back. Call the service.",
        ("SERVER_ERROR", ""): "The service had a technical fault. Try again, or call the service.",
    },
}
_OTHER = {
    Purpose.SEND: "The service did not take this request. Choose another service, and tell your IT support.",
    Purpose.UPDATE: "The service did not take this update. Call the service, and tell your IT support.",
    Purpose.TAKE_BACK: "The service did not let go of this case. Call the service, and tell your IT support.",
}
_NOT_ON_NETWORK = (
    "This service is not on the referral network. Choose another service, and tell your IT support."
)


def explain(outcome: Outcome, purpose: Purpose) -> str:
    """One or two sentences; never a code, never the other side's own text. "" when it was taken."""
    if outcome.delivery is Delivery.UNKNOWN:
        return (_STILL_TRYING if outcome.next_attempt_at else _UNKNOWN)[purpose]
    if outcome.delivery is not Delivery.REFUSED:
        return ""
    if purpose is Purpose.SEND and is_not_on_network(outcome):
        return _NOT_ON_NETWORK
    return words_for(outcome, _REFUSALS[purpose]) or _OTHER[purpose]


def unclear(purpose: Purpose) -> str:
    """The same as for a lost answer: what came back does not say that it is done."""
    return _UNKNOWN[purpose]
