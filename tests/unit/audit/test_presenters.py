import pytest

from bars_portal.audit import presenters
from bars_portal.audit.models import AuditEvent


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("accounts.sign_in", "Signed in"),
        ("bookings.never_heard_of", "Never heard of (bookings)"),
        ("plain", "Plain"),
        ("", ""),
    ],
)
def test_action_words(action: str, words: str) -> None:
    assert presenters.action_words(action) == words


def test_rooms_add_their_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presenters, "_WORDS", {})
    presenters.register({"rooms.paint": "Painted a room"})
    assert presenters.action_words("rooms.paint") == "Painted a room"


@pytest.mark.parametrize(("outcome", "words"), [("done", "Done"), ("half_done", "Half done")])
def test_outcome_words(outcome: str, words: str) -> None:
    assert presenters.outcome_words(outcome) == words


def test_subject_and_detail() -> None:
    event = AuditEvent(subject_type="patients.patient", subject_id="42", detail={"rows": 3, "of": "slots"})
    assert presenters.subject_words(event) == "Patient 42"
    assert presenters.detail_words(event) == "rows: 3\nof: slots"
    assert presenters.subject_words(AuditEvent()) == ""
