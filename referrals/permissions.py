"""Which permission shows which cases; roles.py says who has it."""

from bars_portal.correspondence.states import Direction

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
