"""Why a response of ours was not taken, in plain words and with the next step."""

from bars_portal.correspondence.explanations import Explanations

NO_ADDRESS = "The request does not say where an answer can go. Telephone the requester."
STUCK = (
    "The requester's system refused this answer each time we repeated it. Send it as a new message: if the "
    "first one arrived after all, the requester reads the same twice."
)
OVERTAKEN = "A later answer had reached the requester already."
RESPONSE = Explanations(
    unknown=(
        "We do not know whether the requester has this answer: there was no clear reply. Check again, and "
        "telephone when it is urgent."
    ),
    still_trying=(
        "We do not know yet whether the requester has this answer: there was no clear reply. We are still "
        "trying by ourselves; telephone when it is urgent."
    ),
    refusals={
        ("CONFLICT", ""): (
            "The requester's system holds something newer than this answer. Look at the case again, and "
            "telephone when in doubt."
        ),
        ("NOT_FOUND", ""): "The requester's system does not know this case. Telephone the requester.",
        ("UNPROCESSABLE_ENTITY", ""): (
            "For the requester this case is over. Telephone when the answer still matters."
        ),
        ("UNAUTHORIZED", ""): (
            "The requester's system does not take answers from us. Telephone the requester."
        ),
        ("FORBIDDEN", ""): "The requester's system does not take answers from us. Telephone the requester.",
    },
    otherwise=(
        "The requester's system did not take this answer. Telephone the requester, and tell your IT support."
    ),
    never_sent=(
        "The requester's system could not be reached in time, so this answer never went out. Telephone the "
        "requester, or send it again."
    ),
    nothing="The requester does not have this answer.",
    instead="Telephone the requester",
    network="referral network",
    not_on_network="The requester's address for answers is not on the network. Telephone the requester.",
)
