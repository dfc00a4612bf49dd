"""Why a message of ours was not taken, in plain words and with the next step: what the clinician reads."""

from collections.abc import Mapping
from dataclasses import dataclass

from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery

# By (code of http-error-codes without prefix, issue code or "" for any), the sentence.
Refusals = Mapping[tuple[str, str], str]
_PREFIXES = ("SEND_", "PROXY_", "REC_")
# In the history, when a read told what the answer did not.
READ_BACK = "Its answer was lost or refused; we asked the service, and it has this."
# Also on the page: people were told to look after it, and may have arranged something else.
LATE = (
    "We had given this up, and now the service says that it has it after all. Check that nothing else was "
    "arranged meanwhile."
)
_NOT_ON_NETWORK = ("PROXY_NOT_FOUND", "NOT_FOUND")


@dataclass(frozen=True)
class Explanations:
    """All that can be said of the outcome of one kind of message, such as a booking or a cancellation."""

    unknown: str
    # While it goes out again by itself.
    still_trying: str
    refusals: Refusals
    otherwise: str
    # Its deadline came before it ever went out.
    never_sent: str
    # For what begins something: the proxy itself does not know the service.
    not_on_network: str = ""

    def explain(self, outcome: Outcome) -> str:
        """One or two sentences; never a code, never the other side's own text. "" when it was taken."""
        if outcome.delivery is Delivery.UNKNOWN:
            return self.still_trying if outcome.next_attempt_at else self.unknown
        return self._of_refusal(outcome) if outcome.delivery is Delivery.REFUSED else ""

    def _of_refusal(self, outcome: Outcome) -> str:
        """By the decisive issue: the first one."""
        if outcome.never_sent:
            return self.never_sent
        issue = next(iter(outcome.issues), None)
        if issue is None:
            return self.refusals.get(("", ""), self.otherwise)
        code = issue.code.upper()
        if self.not_on_network and code in _NOT_ON_NETWORK:
            return self.not_on_network
        bare = next((code.removeprefix(each) for each in _PREFIXES if code.startswith(each)), code)
        return self.refusals.get((bare, issue.issue)) or self.refusals.get((bare, "")) or self.otherwise


def note_of(outcome: Outcome) -> str:
    """What the history says of an outcome that no answer told; "" of one that an answer did."""
    if outcome.is_late:
        return LATE
    return READ_BACK if outcome.found is not None else ""
