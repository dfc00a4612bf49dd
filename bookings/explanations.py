"""What became of our booking messages, in plain words and with the next step: what the clinician reads."""

from bars_portal.correspondence.explanations import Explanations

# Of a booking that the service holds for another person, or at another service.
STILL_ANOTHER = (
    "Asking again does not show whom, or at which service, this is booked for. Call the service: when it has "
    "cancelled the appointment, ask again here."
)
BOOKING = Explanations(
    unknown=(
        "We do not know whether this was booked: the service gave no clear answer. Check again; do not "
        "book another slot until you know."
    ),
    still_trying=(
        "We do not know yet whether this was booked: the service gave no clear answer. We are still trying "
        "by ourselves; do not book another slot until you know."
    ),
    refusals={
        ("CONFLICT", "conflict"): "Somebody else took this time. Choose another slot.",
        ("CONFLICT", ""): "The service could not take this booking as it stands. Choose another slot.",
        ("NOT_FOUND", ""): "The service no longer offers this slot. Choose another slot or service.",
        ("UNPROCESSABLE_ENTITY", ""): (
            "The service could not use this booking. Choose another slot or service."
        ),
        ("BAD_REQUEST", ""): (
            "The service could not read our booking. Call the service, and tell your IT support."
        ),
        ("UNAUTHORIZED", ""): "The service does not take bookings from us. Choose another service.",
        ("FORBIDDEN", ""): "The service does not take bookings from us. Choose another service.",
        ("NOT_IMPLEMENTED", ""): "The service does not take bookings like this. Choose another service.",
        ("METHOD_NOT_ALLOWED", ""): "The service does not take bookings like this. Choose another service.",
        ("SERVER_ERROR", ""): (
            "The service had a technical fault and booked nothing. Try another slot or service."
        ),
    },
    otherwise="The service did not take this booking. Choose another service, and tell your IT support.",
    nothing="Nothing was booked.",
    instead="Call the service or choose another",
    network="booking network",
    never_sent=(
        "Nothing was booked: the service could not be reached in time, so the booking never went out. Choose "
        "another service, or phone this one."
    ),
    not_on_network=(
        "This service is not on the booking network. Choose another service, and tell your IT support."
    ),
)
CANCELLATION = Explanations(
    unknown=(
        "We do not know whether this was cancelled: the service gave no clear answer. Check again before "
        "you tell the patient."
    ),
    still_trying=(
        "We do not know yet whether this was cancelled: the service gave no clear answer. We are still "
        "trying by ourselves; wait before you tell the patient."
    ),
    refusals={
        ("CONFLICT", ""): (
            "The service has changed this appointment meanwhile. Look at it again, then cancel."
        ),
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
    otherwise="The service did not cancel this appointment. Call the service, and tell your IT support.",
    nothing="Nothing was cancelled.",
    instead="Call the service",
    network="booking network",
    never_sent=(
        "Nothing was cancelled: the service could not be reached in time, so the cancellation never went "
        "out. Phone the service, or cancel again later."
    ),
)
