"""Why a response of ours was not taken, in plain words and with the next step."""

from collections.abc import Mapping

from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery

_UNKNOWN = (
    "We do not know whether the requester has this answer: there was no clear reply. Check again, and "
    "telephone when it is urgent."
)
_STILL_TRYING = (
    "We do not know yet whether the requester has this answer: there was no clear reply. We are still "
    "trying by ourselves; telephone when it is urgent."
)
_NEVER_SENT = (
    "The requester's system could not be reached in time, so this answer never went out. Telephone the "
    "requester, or send it again."
)
NO_ADDRESS = "The request does not say where an answer can go. Telephone the requester."
STUCK = (
    "The requester's system refused this answer each time we repeated it. Send it as a new message: if the "
    "first one arrived after all, the requester reads the same twice."
)
OVERTAKEN = "A later answer had reached the requester already."
_OTHER = "The requester's system did not take this answer. Telephone the requester, and tell your IT support."
# By code of http-error-codes without prefix.
_REFUSALS: Mapping[str, str] = {
    "CONFLICT": (
        "The requester's system holds something newer than this answer. Look at the case again, and "
        "telephone when in doubt."
    ),
    "NOT_FOUND": "The requester's address for answers is not on the network. Telephone the requester.",
    "UNPROCESSABLE_ENTITY": "For the requester this case is over. Telephone when the answer still matters.",
    "UNAUTHORIZED": "The requester's system does not take answers from us. Telephone the requester.",
    "FORBIDDEN": "The requester's system does not take answers from us. Telephone the requester.",
}
_PREFIXES = ("SEND_", "PROXY_", "REC_")


def explain_response(outcome: Outcome) -> str:
    """One or two sentences; never a code, never the other side's own text. "" when it was taken."""
    if outcome.delivery is Delivery.UNKNOWN:
        return _STILL_TRYING if outcome.next_attempt_at else _UNKNOWN
    if outcome.delivery is not Delivery.REFUSED:
        return ""
    if outcome.never_sent:
        return _NEVER_SENT
    issue = next(iter(outcome.issues), None)
    code = issue.code.upper() if issue else ""
    bare = next((code.removeprefix(each) for each in _PREFIXES if code.startswith(each)), code)
    return _REFUSALS.get(bare, _OTHER)
