"""Audit events in plain words. Rooms above add the words of their own actions."""

from collections.abc import Mapping

from bars_portal.audit.models import AuditEvent

_WORDS: dict[str, str] = {
    "accounts.sign_in": "Signed in",
    "accounts.sign_out": "Signed out",
    "accounts.open_page": "Opened a page",
    "accounts.act": "Tried something",
    "accounts.create_user": "Added a person",
    # pragma: allowlist nextline secret - a sentence
    "accounts.change_password": "Changed their password",
    "accounts.add_second_factor": "Added a second factor",
    "accounts.remove_second_factor": "Removed a second factor",
    "accounts.reset_second_factor": "Reset somebody's second factor",
    "accounts.use_recovery_code": "Used a recovery code",
    "accounts.renew_recovery_codes": "Made new recovery codes",
    "accounts.confirm": "Confirmed who they are",
    "accounts.view_people": "Read who can do what",
    "accounts.view_person": "Read what somebody can do",
    "accounts.export_people": "Saved who can do what as a file",
    "accounts.review_access": "Reviewed who can do what",
    "accounts.break_glass": "Took break-glass access",
    "accounts.end_break_glass": "Ended break-glass access",
    "accounts.view_break_glass_uses": "Read who took break-glass access",
    "accounts.view_break_glass": "Read what was opened under break-glass access",
    "accounts.review_break_glass": "Reviewed break-glass access",
    "accounts.invite": "Invited somebody",
    "accounts.withdraw_invitation": "Withdrew an invitation",
    "accounts.accept_invitation": "Accepted an invitation",
    "accounts.leave": "Recorded that somebody left",
    "accounts.end_session": "Signed a browser out",
    "accounts.choose_organisation": "Chose an organisation to act for",
    "audit.view_list": "Read the audit trail",
    "audit.view_trail": "Read the audit trail",
    "audit.search_trail": "Searched the audit trail",
    "audit.export_trail": "Saved a part of the audit trail as a file",
    "audit.prune": "Removed audit events whose time was over",
    "patients.view_patient": "Read a patient record",
    "patients.view_list": "Read the list of patients",
    "patients.find": "Searched for a patient",
}
_OUTCOMES = {
    "done": "Done",
    "failed": "Failed",
    "refused": "Refused",
    "locked": "Locked out",
    "unknown": "Not known",
}


def register(words: Mapping[str, str]) -> None:
    """Add words for actions, from an app's ready(): {"bookings.cancel": "Cancelled a booking"}."""
    _WORDS.update(words)


def action_words(action: str) -> str:
    """ "bookings.check_again" without words of its own reads "Check again (bookings)"."""
    known = _WORDS.get(action)
    if known:
        return known
    room, _, verb = action.rpartition(".")
    sentence = verb.replace("_", " ").capitalize()
    return f"{sentence} ({room})" if room else sentence


def outcome_words(outcome: str) -> str:
    return _OUTCOMES.get(outcome) or outcome.replace("_", " ").capitalize()


def subject_words(event: AuditEvent) -> str:
    """ "bookings.booking" and its id, as "Booking 1b2c..."; "" for an event about nothing."""
    name = event.subject_type.rpartition(".")[2].capitalize()
    return f"{name} {event.subject_id}".strip()


def detail_words(event: AuditEvent) -> str:
    """Codes and counts, one a line."""
    return "\n".join(f"{name}: {value}" for name, value in event.detail.items())
