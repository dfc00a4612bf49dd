"""Who may see a case and work on it: `check_can_x` raises a sentence for the user, `can_x` is its boolean.

Which permission shows which cases stands here too; roles.py says who has it.
"""

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import allowed, need
from bars_portal.correspondence.states import Direction
from referrals.cases.models import Case, UnmatchedReply
from referrals.cases.states import CaseStatus

VIEW: dict[str, str] = {
    Direction.SENT.value: "referrals.view_sent_referrals",
    Direction.RECEIVED.value: "referrals.view_received_referrals",
}
# To decide about a received case and tell the requester; to take it over and write notes.
ANSWER = "referrals.answer_case"
WORK = "referrals.work_case"
# To refer, to ask for a validation, and to change or take back what was sent.
SEND = "referrals.send_request"
# Whatever an Application asks of clinicians alone (parts.applications, `is_clinical`).
SEND_CLINICAL = "referrals.send_clinical_request"


def check_can_view(acting: Acting, case: Case) -> None:
    need(case.organisation_id == acting.organisation.pk, "This case belongs to another organisation.")
    need(acting.may(VIEW[case.direction]), "You are not allowed to see this case.")


def check_can_view_unmatched(acting: Acting, reply: UnmatchedReply) -> None:
    """Whoever sees what was sent sees the responses to it."""
    need(reply.organisation_id == acting.organisation.pk, "This reply belongs to another organisation.")
    need(acting.may(VIEW[Direction.SENT]), "You are not allowed to see this reply.")


def check_can_handle_unmatched(acting: Acting, reply: UnmatchedReply) -> None:
    """Say that it has been dealt with."""
    check_can_view_unmatched(acting, reply)
    need(acting.may(WORK), "You are not allowed to deal with replies.")


def can_view(acting: Acting, case: Case) -> bool:
    return allowed(lambda: check_can_view(acting, case))


def can_handle_unmatched(acting: Acting, reply: UnmatchedReply) -> bool:
    return reply.handled_at is None and allowed(lambda: check_can_handle_unmatched(acting, reply))


STANDING = {
    CaseStatus.RECEIVED: "This case is not at that point yet.",
    CaseStatus.ACCEPTED: "This case is accepted already.",
    CaseStatus.IN_PROGRESS: "Somebody is working on this case already.",
    CaseStatus.COMPLETED: "This case is completed already.",
    CaseStatus.REJECTED: "This case was rejected already.",
    CaseStatus.DID_NOT_ATTEND: "It is recorded already that the patient did not attend.",
    CaseStatus.REVOKED: "The requester has taken this case back.",
    CaseStatus.ENTERED_IN_ERROR: "The requester entered this case in error.",
}


def check_can_work(acting: Acting, case: Case) -> None:
    """Take it over, give it back, write notes."""
    need(acting.may(WORK), "You are not allowed to work on received cases.")
    check_received_here(acting, case)


def can_work(acting: Acting, case: Case) -> bool:
    return allowed(lambda: check_can_work(acting, case))


def check_received_here(acting: Acting, case: Case) -> None:
    ours = case.organisation_id == acting.organisation.pk
    need(ours, "This case belongs to another organisation.")
    need(case.direction == Direction.RECEIVED, "Only the service that received a case works on it.")
