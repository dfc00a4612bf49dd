"""Why a message of ours was not taken, in plain words and with the next step: what the clinician reads.

While the outcome is not known: how long a page waits for it, and what it says meanwhile.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bars_portal.exchange.outbox import Trying
from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery
from bars_portal.nhsuk import dates

# By (code of http-error-codes without prefix, issue code or "" for any), the sentence.
Refusals = Mapping[tuple[str, str], str]
# The API refuses by the one prefix what we sent, the other side by its own; any other code is of the network.
_OURS, _THEIRS = "SEND_", "REC_"
_CODE = re.compile(r"[A-Z_]+")
# In the history, when a read told what the answer did not.
READ_BACK = "Its answer was lost or refused; we asked the service, and it has this."
# Also on the page: people were told to look after it, and may have arranged something else.
LATE = (
    "We had given this up, and now the service says that it has it after all. Check that nothing else was "
    "arranged meanwhile."
)
_NOT_ON_NETWORK = ("PROXY_NOT_FOUND", "NOT_FOUND")


class ReasonCode(StrEnum):
    """The same for a program: what it may do next differs, not whose words it were."""

    NO_CLEAR_ANSWER = "no-clear-answer"
    STILL_TRYING = "still-trying"
    LATE = "late"
    NEVER_SENT = "never-sent"
    NOT_ON_NETWORK = "not-on-network"
    TAKEN = "taken"
    CHANGED = "changed"
    NOT_FOUND = "not-found"
    NOT_USABLE = "not-usable"
    NOT_READABLE = "not-readable"
    NOT_PERMITTED = "not-permitted"
    NOT_SUPPORTED = "not-supported"
    SERVICE_FAILED = "service-failed"
    REFUSED = "refused"


# As Refusals.
_CODES: Mapping[tuple[str, str], ReasonCode] = {
    ("CONFLICT", "conflict"): ReasonCode.TAKEN,
    ("CONFLICT", ""): ReasonCode.CHANGED,
    ("NOT_FOUND", ""): ReasonCode.NOT_FOUND,
    ("UNPROCESSABLE_ENTITY", ""): ReasonCode.NOT_USABLE,
    ("BAD_REQUEST", ""): ReasonCode.NOT_READABLE,
    ("UNAUTHORIZED", ""): ReasonCode.NOT_PERMITTED,
    ("FORBIDDEN", ""): ReasonCode.NOT_PERMITTED,
    ("NOT_IMPLEMENTED", ""): ReasonCode.NOT_SUPPORTED,
    ("METHOD_NOT_ALLOWED", ""): ReasonCode.NOT_SUPPORTED,
    ("SERVER_ERROR", ""): ReasonCode.SERVICE_FAILED,
}


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
    # What did not come about, and what to do instead, where the other side never saw the message.
    nothing: str
    instead: str
    network: str
    # For what begins something: the proxy itself does not know the service.
    not_on_network: str = ""

    def explain(self, outcome: Outcome) -> str:
        """One or two sentences; never a code, never the other side's own text. "" when it was taken."""
        if outcome.delivery is Delivery.UNKNOWN:
            return self.still_trying if outcome.next_attempt_at else self.unknown
        return self._of_refusal(outcome) if outcome.delivery is Delivery.REFUSED else ""

    def code(self, outcome: Outcome) -> str:
        """A ReasonCode, by the same rules as the words; "" when it was taken."""
        if outcome.delivery is Delivery.UNKNOWN:
            return ReasonCode.STILL_TRYING if outcome.next_attempt_at else ReasonCode.NO_CLEAR_ANSWER
        if outcome.delivery is not Delivery.REFUSED:
            return ""
        if outcome.never_sent:
            return ReasonCode.NEVER_SENT
        if self._is_off_network(outcome):
            return ReasonCode.NOT_ON_NETWORK
        if self._fault_on_the_way(outcome):
            return ReasonCode.REFUSED
        # Only what has words of its own here means something of its own: no referral takes a time.
        keys = (key for key in _keys_of(outcome) if key in self.refusals or not key[1])
        return next((_CODES[key] for key in keys if key in _CODES), ReasonCode.REFUSED)

    def _of_refusal(self, outcome: Outcome) -> str:
        """By the decisive issue: the first one."""
        if outcome.never_sent:
            return self.never_sent
        if self._is_off_network(outcome):
            return self.not_on_network
        if fault := self._fault_on_the_way(outcome):
            return f"{self.nothing} {fault} {self.instead}, and tell your IT support."
        found = (self.refusals.get(key) for key in _keys_of(outcome))
        return next((words for words in found if words), self.otherwise)

    def _fault_on_the_way(self, outcome: Outcome) -> str:
        """Who refused, where it was not the other side; "" where it was, and where the code is none."""
        code = next((each.code.upper() for each in outcome.issues), "")
        if code.startswith(_OURS):
            return f"The {self.network} refused our message before anybody else saw it."
        if _CODE.fullmatch(code) and not code.startswith(_THEIRS):
            return f"The {self.network} did not pass our message on; nobody else refused it."
        return ""

    def _is_off_network(self, outcome: Outcome) -> bool:
        issue = next(iter(outcome.issues), None)
        return bool(self.not_on_network) and issue is not None and issue.code.upper() in _NOT_ON_NETWORK


def _keys_of(outcome: Outcome) -> list[tuple[str, str]]:
    """Where to look a refusal of the other side up, the most telling first."""
    issue = next(iter(outcome.issues), None)
    if issue is None:
        return [("", "")]
    bare = issue.code.upper().removeprefix(_THEIRS)
    return [(bare, issue.issue), (bare, "")]


def note_of(outcome: Outcome) -> str:
    """What the history says of an outcome that no answer told; "" of one that an answer did."""
    if outcome.is_late:
        return LATE
    return READ_BACK if outcome.found is not None else ""


def wait_while(is_waiting: Callable[[], bool], read: Callable[[], None], *, patience: float) -> None:
    """Reads again and again until what is waited for is settled, or the patience ends."""
    deadline = time.monotonic() + patience
    while is_waiting() and time.monotonic() < deadline:
        time.sleep(_STEP_SECONDS)
        read()


PATIENCE_SECONDS = 4.0
_STEP_SECONDS = 0.1


# What becomes of a message without a clear answer, as one sentence: for all pages that wait for one.


def trying_words(found: Trying, *, now: datetime) -> str:
    """ "" when nothing is to be said: it never went out twice, or its fate is known."""
    if found.not_answering is not None:
        since = dates.format_moment(found.not_answering, now)
        return f"The service has not been answering since {since}. This goes out as soon as it answers."
    if found.is_sending:
        return "Still trying: it is being sent again at this moment."
    if found.next_at is not None:
        return f"Still trying, next attempt at {_at(found.next_at, now)}."
    return "We tried several times and have stopped. It is up to you now." if found.given_up else ""


def _at(moment: datetime, now: datetime) -> str:
    """An attempt that is overdue is about to be made."""
    return dates.format_moment(max(moment, now), now)
