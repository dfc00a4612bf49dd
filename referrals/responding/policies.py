"""Who may respond to a received case: `check_can_x` raises a sentence, `can_x` is its boolean."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused, allowed, need
from bars_portal.correspondence.states import Direction, TransitionRefused
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.codes import ARPPriority, EncounterStatus
from bars_portal.nhsuk import dates
from bookings.states import RUN_DIARY
from referrals.cases.codes import CategoryChange, compare
from referrals.cases.links import standing_bookings
from referrals.cases.models import Case, CaseAnswer, Referral
from referrals.cases.policies import ANSWER, STANDING, check_received_here
from referrals.cases.selectors import later_responses, responses_of
from referrals.cases.states import CaseEvent, CaseStatus, Category, ReplyKind, ResponseState, next_status
from referrals.cases.wire import included_in, index_of
from referrals.parts.applications import application_for
from referrals.parts.assessment import clock_start
from referrals.responding.content import NonAttendance, Outcome, read_content


class Decision(StrEnum):
    """What our people may decide about a received case."""

    ACCEPT = CaseEvent.ACCEPT.value
    START = CaseEvent.START.value
    REJECT = CaseEvent.REJECT.value
    COMPLETE = CaseEvent.COMPLETE.value
    REVISE = CaseEvent.REVISE.value
    RECORD_NON_ATTENDANCE = CaseEvent.RECORD_NON_ATTENDANCE.value

    @property
    def event(self) -> CaseEvent:
        return CaseEvent(self.value)


# What an ambulance control decides by telling how far it is.
CAD_DECISIONS: Mapping[EncounterStatus, Decision] = {
    EncounterStatus.PLANNED: Decision.ACCEPT,
    EncounterStatus.IN_PROGRESS: Decision.START,
    EncounterStatus.FINISHED: Decision.COMPLETE,
}


def is_ambulance(case: Case) -> bool:
    return application_for(case.use_case, case.category).is_ambulance


def response_to_tell(case: Case, decision: Decision) -> ReplyKind | None:
    """The response that tells the requester of a decision; None where the standard has none."""
    return application_for(case.use_case, case.category).responses.get(decision.event)


def check_is_whole(outcome: Outcome) -> None:
    """The requester's next step follows from the category and the codes. Raises PolicyRefused."""
    if outcome.priority is None or not outcome.codes:
        raise PolicyRefused("The outcome of a validation needs a category and a triage code.")


def clock_start_of(case: Case, priority: ARPPriority | None, now: datetime) -> datetime:
    """CarePlan.period.start of an outcome: since when the time to respond counts.

    The requester's own clock goes on unless the category is raised: then it starts with our code. A
    correction that says the same category does not start it again.
    """
    asked = clock_start(index_of(included_in(case))) or now
    raised = priority is not None and compare(case.priority, priority) is CategoryChange.RAISED
    if not raised:
        return asked
    told = responses_of(case).filter(kind=ReplyKind.FULL.value).last()
    before = read_content(ReplyKind.FULL, told.content) if told else None
    same = isinstance(before, Outcome) and before.priority is priority
    return before.clock_start if same and isinstance(before, Outcome) else now


def is_told(case: Case, decision: Decision) -> bool:
    """Whether the requester hears of it: there is a message for it, and an address that it can go to.

    Every sentence on who reads what follows from this.
    """
    return response_to_tell(case, decision) is not None and bool(case.source_service_id)


def check_can_decide(acting: Acting, case: Case, decision: Decision, now: datetime) -> None:
    """By role, organisation and state; the sentence says what stands in the way."""
    need(acting.may(ANSWER), "Only clinicians answer received cases.")
    _check_decision(acting, case, decision, now)


def check_can_end_by_absence(acting: Acting, case: Case, now: datetime) -> None:
    """Of who runs the diary too, for an appointment that goes with it: that nobody came is a plain fact."""
    need(acting.may(ANSWER) or acting.may(RUN_DIARY), "You are not allowed to change diaries.")
    reachable = is_told(case, Decision.RECORD_NON_ATTENDANCE)
    need(reachable, "Who referred gave no address for answers. A clinician records it, and telephones them.")
    _check_decision(acting, case, Decision.RECORD_NON_ATTENDANCE, now)
    later = isinstance(case, Referral) and any(each.start > now for each in standing_bookings(case))
    need(not later, "The patient has another appointment with this referral.")


def can_end_by_absence(acting: Acting, case: Case, now: datetime) -> bool:
    return allowed(lambda: check_can_end_by_absence(acting, case, now))


def _check_decision(acting: Acting, case: Case, decision: Decision, now: datetime) -> None:
    check_received_here(acting, case)
    missed = decision is Decision.RECORD_NON_ATTENDANCE
    words = "Ambulance controls have no message for a patient who did not attend."
    need(not (missed and is_ambulance(case)), words)
    _check_of_its_application(case, decision)
    status = CaseStatus(case.status)
    try:
        next_status(case.category, Direction(case.direction), status, decision.event)
    except TransitionRefused:
        only_referrals = decision in (Decision.ACCEPT, Decision.RECORD_NON_ATTENDANCE)
        if only_referrals and case.category is Category.VALIDATION and case.is_current:
            raise PolicyRefused("That is for referrals only.") from None
        raise PolicyRefused(STANDING.get(status, "This case is not at that point.")) from None
    if missed and isinstance(case, Referral):
        _check_appointment_began(case, now)


def _check_of_its_application(case: Case, decision: Decision) -> None:
    """Between ambulance controls: help alone is refused, and who was on the way may wait again."""
    ambulance = is_ambulance(case)
    refused = decision is Decision.REJECT and ambulance and response_to_tell(case, decision) is None
    need(not refused, "A call from out of area is not rejected. Telephone the other ambulance service.")
    back = decision is Decision.ACCEPT and case.status == CaseStatus.IN_PROGRESS
    need(ambulance or not back, "This case is in progress: it was accepted before.")


def check_was_expected(missed: NonAttendance, now: datetime) -> None:
    """Nobody stays away before they are expected."""
    need(missed.expected_from <= now, f"{NOT_YET_EXPECTED}.")


NOT_YET_EXPECTED = "The time from which the patient was expected must be in the past"


def _check_appointment_began(referral: Referral, now: datetime) -> None:
    first = next(iter(standing_bookings(referral)), None)
    if first is not None and first.start > now:
        at = dates.format_datetime(first.start)
        raise PolicyRefused(f"The appointment is on {at}: until then nobody knows whether the patient comes.")


def check_can_check_again(acting: Acting, answer: CaseAnswer) -> None:
    _check_response(acting, answer)
    need(
        answer.state == ResponseState.UNKNOWN, "It is known what became of this answer, or it is on its way."
    )
    _check_newest(answer)


def check_can_send_again(acting: Acting, answer: CaseAnswer) -> None:
    _check_response(acting, answer)
    known = answer.state == ResponseState.REFUSED
    need(known or is_stuck(answer), "Only an answer that was not taken is sent again.")
    _check_newest(answer)


def is_stuck(answer: CaseAnswer) -> bool:
    """Nobody knows of its first attempt, every repeat was refused, and none is left: a new message is due."""
    return answer.state == ResponseState.UNKNOWN and outbox.given_up_refused(answer) is not None


def can_decide(acting: Acting, case: Case, decision: Decision, now: datetime) -> bool:
    return allowed(lambda: check_can_decide(acting, case, decision, now))


def can_check_again(acting: Acting, answer: CaseAnswer) -> bool:
    return allowed(lambda: check_can_check_again(acting, answer))


def can_send_again(acting: Acting, answer: CaseAnswer) -> bool:
    return allowed(lambda: check_can_send_again(acting, answer))


def _check_response(acting: Acting, answer: CaseAnswer) -> None:
    need(acting.may(ANSWER), "Only clinicians answer received cases.")
    check_received_here(acting, answer.case)


def _check_newest(answer: CaseAnswer) -> None:
    """What was said since then counts; the requester would refuse the older one."""
    need(not later_responses(answer).exists(), "A later answer was given to this case, so this one is over.")
