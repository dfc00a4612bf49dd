"""What became of our requests, in plain words and with the next step: what the clinician reads."""

from bars_portal.correspondence.explanations import Explanations

REQUEST = Explanations(
    unknown=(
        "We do not know whether this request arrived: the service gave no clear answer. Check again; do "
        "not send another one until you know."
    ),
    still_trying=(
        "We do not know yet whether this request arrived: the service gave no clear answer. We are still "
        "trying by ourselves; do not send another one until you know."
    ),
    refusals={
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
        ("SERVER_ERROR", ""): (
            "The service had a technical fault and took nothing. Try again, or call the service."
        ),
    },
    otherwise="The service did not take this request. Choose another service, and tell your IT support.",
    nothing="Nothing was sent to the service.",
    instead="Call the service or choose another",
    network="referral network",
    never_sent=(
        "The service could not be reached in time, so this request never went out. Choose another service, "
        "or phone this one."
    ),
    not_on_network=(
        "This service is not on the referral network. Choose another service, and tell your IT support."
    ),
)
UPDATE = Explanations(
    unknown=(
        "We do not know whether this update arrived: the service gave no clear answer. Check again, or "
        "call the service if it cannot wait."
    ),
    still_trying=(
        "We do not know yet whether this update arrived: the service gave no clear answer. We are still "
        "trying by ourselves; call the service if it cannot wait."
    ),
    refusals={
        ("CONFLICT", ""): "The service has changed this case meanwhile. Look at it again, then update it.",
        ("NOT_FOUND", ""): "The service does not know this request. Call the service.",
        ("UNPROCESSABLE_ENTITY", ""): (
            "The service did not take the update: the case is over. Read its answer or call the service."
        ),
        ("BAD_REQUEST", ""): (
            "The service could not read our update. Call the service, and tell your IT support."
        ),
        ("SERVER_ERROR", ""): (
            "The service had a technical fault and took nothing. Try again, or call the service."
        ),
    },
    otherwise="The service did not take this update. Call the service, and tell your IT support.",
    nothing="The service does not have this update.",
    instead="Call the service",
    network="referral network",
    never_sent="The service could not be reached in time, so this update never went out. Phone the service.",
)
TAKING_BACK = Explanations(
    unknown=(
        "We do not know whether this request was taken back: the service gave no clear answer. Check again "
        "before you tell the patient."
    ),
    still_trying=(
        "We do not know yet whether this request was taken back: the service gave no clear answer. We are "
        "still trying by ourselves; wait before you tell the patient."
    ),
    refusals={
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
    otherwise="The service did not let go of this case. Call the service, and tell your IT support.",
    nothing="Nothing was taken back.",
    instead="Call the service",
    network="referral network",
    never_sent=(
        "Nothing was taken back: the service could not be reached in time, so our message never went out. "
        "Phone the service."
    ),
)
