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
    "accounts.choose_organisation": "Chose an organisation to act for",
    "audit.view_list": "Read the audit trail",
    "audit.view_trail": "Read the audit trail",
    "audit.search_trail": "Searched the audit trail",
    "audit.export_trail": "Saved a part of the audit trail as a file",
    "audit.prune": "Removed audit events whose time was over",
    "patients.view_patient": "Read a patient record",
    "patients.view_list": "Read the list of patients",
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
