"""The assertion and the token, as the endpoint and the proxy judged them (standard section 2)."""

from collections.abc import Iterator

from bars_portal.simulator.config import TOKEN_PATH
from bars_portal.simulator.journal import RECEIVED, Entry
from bars_portal.simulator.verdicts.model import Check, look

RULE = "2"
_REFUSED = {"401": "The access token is missing, unknown or expired", "403": "The application is not enabled"}


def check_access(entry: Entry) -> Iterator[Check]:
    """What became of the signed JWT, or of the token that it was exchanged for."""
    if entry.request.raw_path == TOKEN_PATH:
        wrong = entry.scenario or f"The token request was refused with {entry.status}"
        yield look(RULE, entry.status == "200", "The signed JWT was accepted", wrong)
    elif entry.direction == RECEIVED:
        # A receiver says 401 too: only the proxy's own codes speak of the token.
        refused = entry.status in _REFUSED and entry.answer is not None and b"SEND_" in entry.answer.body
        yield look(RULE, not refused, "The access token was accepted", _REFUSED.get(entry.status, ""))
