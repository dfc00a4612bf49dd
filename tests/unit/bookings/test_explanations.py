"""What the clinician reads when a message was not taken: words and a next step, never a code."""

import re

import pytest

from bars_portal.correspondence.explanations import Explanations
from bars_portal.exchange.fhir.outcomes import OutcomeCode, ReadIssue
from bars_portal.exchange.models import NEVER_SENT
from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery
from bookings.explanations import BOOKING, CANCELLATION
from referrals.responding.delivery import RESPONSE
from referrals.sending.outcomes import REQUEST, TAKING_BACK, UPDATE

EVERY = [(code.code, code.issue) for code in OutcomeCode] + [
    ("PROXY_NOT_FOUND", "not-found"),
    ("SEND_BAD_REQUEST", "invalid"),
    ("", ""),
    ("something new", "999"),
]


def refused(code: str, issue: str) -> Outcome:
    read = ReadIssue("error", issue, "", code, "SECRET words of the other side")
    return Outcome(Delivery.REFUSED, "refused", issues=(read,))


@pytest.mark.parametrize("purpose", [BOOKING, CANCELLATION, REQUEST, UPDATE, TAKING_BACK, RESPONSE])
@pytest.mark.parametrize(("code", "issue"), EVERY)
def test_plain_words_and_a_next_step(purpose: Explanations, code: str, issue: str) -> None:
    words = purpose.explain(refused(code, issue))
    assert re.search(r"Choose|Call|Try|Look|[Tt]elephone|Read its answer", words)
    assert not re.search(r"REC_|SEND_|\d|SECRET|HTTP", words)
    assert len(words) <= 300


@pytest.mark.parametrize(
    ("code", "issue", "words", "reason"),
    [
        ("REC_CONFLICT", "conflict", "Somebody else took this time. Choose another slot.", "taken"),
        ("rec_conflict", "conflict", "Somebody else took this time. Choose another slot.", "taken"),
        ("REC_CONFLICT", "else", "The service could not take this booking as it stands.", "changed"),
        ("PROXY_NOT_FOUND", "not-found", "This service is not on the booking network.", "not-on-network"),
        ("REC_NOT_FOUND", "not-found", "The service no longer offers this slot.", "not-found"),
        ("REC_UNAUTHORIZED", "forbidden", "The service does not take bookings from us.", "not-permitted"),
        ("something new", "999", "The service did not take this booking.", "refused"),
        # The prefix says who refused: us, or the network, is never called the service.
        (
            "SEND_BAD_REQUEST",
            "value",
            "Nothing was booked. The booking network refused our message",
            "refused",
        ),
        (
            "SEND_UNAUTHORIZED",
            "security",
            "Nothing was booked. The booking network refused our message",
            "refused",
        ),
        ("PROXY_BAD_REQUEST", "structure", "Nothing was booked. The booking network did not pass", "refused"),
        ("SERVER_ERROR", "exception", "Nothing was booked. The booking network did not pass", "refused"),
    ],
)
def test_particular_words_for_booking(code: str, issue: str, words: str, reason: str) -> None:
    assert BOOKING.explain(refused(code, issue)).startswith(words)
    assert BOOKING.code(refused(code, issue)) == reason


@pytest.mark.parametrize("purpose", [CANCELLATION, REQUEST, UPDATE, TAKING_BACK])
@pytest.mark.parametrize("issue", ["conflict", "else"])
def test_only_a_time_can_be_taken_by_somebody_else(purpose: Explanations, issue: str) -> None:
    assert purpose.code(refused("REC_CONFLICT", issue)) == "changed"


def test_no_issues_at_all() -> None:
    outcome = Outcome(Delivery.REFUSED, "http-418")
    assert BOOKING.explain(outcome).startswith("The service did not take")
    assert (BOOKING.code(outcome), BOOKING.code(Outcome(Delivery.REFUSED, NEVER_SENT))) == (
        "refused",
        "never-sent",
    )


def test_unknown_warns_of_a_second_booking() -> None:
    assert "do not book another" in BOOKING.explain(Outcome(Delivery.UNKNOWN, "timeout"))


@pytest.mark.parametrize("delivery", [Delivery.ACCEPTED, Delivery.DUPLICATE])
def test_nothing_to_explain(delivery: Delivery) -> None:
    assert BOOKING.explain(Outcome(delivery, "accepted")) == BOOKING.code(Outcome(delivery, "accepted")) == ""
