"""Opening hours on bank holidays, and what to know about pharmacies."""

from datetime import UTC, date, datetime, timedelta

import pytest

from directory.hours import DAYS, OpeningState, bank_holiday, opening_state, pharmacy_note

EVERY_DAY = {day: [["08:00", "20:00"]] for day in DAYS}
SHORT = [["10:00", "16:00"]]


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 12, 25), "Christmas"),
        # Boxing Day of 2026 is a Saturday.
        (date(2026, 12, 28), "Boxing Day"),
        (date(2026, 4, 3), "Good Friday"),
        (date(2023, 5, 8), "Coronation"),
        (date(2026, 8, 31), "Bank Holiday"),
        # Scotland's, not England's.
        (date(2026, 1, 2), ""),
        (date(2026, 7, 14), ""),
    ],
)
def test_days_off_in_england(day: date, name: str) -> None:
    assert name in bank_holiday(day)
    assert bool(bank_holiday(day)) is bool(name)


@pytest.mark.parametrize(
    ("on_bank_holidays", "now", "text", "note"),
    [
        (SHORT, "2026-12-25T09:00+00:00", "Opens today at 10:00", ""),
        (SHORT, "2026-12-25T12:00+00:00", "Open now until 16:00", ""),
        (SHORT, "2026-12-24T21:00+00:00", "Opens tomorrow at 10:00", ""),
        # Boxing Day is closed as well.
        ([], "2026-12-25T12:00+00:00", "Opens Sunday at 08:00", ""),
        (None, "2026-12-25T12:00+00:00", "Open now until 20:00", "Today is a bank holiday (Christmas Day)"),
        ("nonsense", "2026-12-25T12:00+00:00", "Open now until 20:00", "Today is a bank holiday"),
        (None, "2026-12-24T12:00+00:00", "Open now until 20:00", ""),
        # Midnight in London is what begins a day, not midnight in UTC.
        (SHORT, "2026-08-30T23:30+00:00", "Opens today at 10:00", ""),
    ],
)
def test_bank_holidays_have_hours_of_their_own(
    on_bank_holidays: object, now: str, text: str, note: str
) -> None:
    state = opening_state(EVERY_DAY, now=datetime.fromisoformat(now), on_bank_holidays=on_bank_holidays)
    assert state.text == text
    assert state.note.startswith(note)
    assert bool(state.note) is bool(note)


NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (OpeningState(True, "", NOW + timedelta(hours=2)), ""),
        (OpeningState(True, "Open 24 hours"), ""),
        (OpeningState(True, "", NOW + timedelta(minutes=60)), "This pharmacy closes in 60 minutes."),
        (OpeningState(True, "", NOW + timedelta(seconds=30)), "This pharmacy closes in 1 minute."),
        (
            OpeningState(True, "", NOW + timedelta(minutes=25), NOW + timedelta(hours=19)),
            "This pharmacy closes in 25 minutes. It opens again tomorrow at 08:00.",
        ),
        (
            OpeningState(False, "", NOW + timedelta(hours=19)),
            "This pharmacy is closed. Tell the patient that it opens tomorrow at 08:00.",
        ),
        (OpeningState(False, "Closed"), "Phone the pharmacy before you send a patient there."),
        (OpeningState(None, ""), "Phone the pharmacy before you send a patient there."),
    ],
    ids=["hours-left", "always", "an-hour", "seconds", "reopens", "closed", "never", "not-known"],
)  # fmt: skip
def test_a_pharmacy_must_be_open_when_the_patient_arrives(state: OpeningState, sentence: str) -> None:
    assert pharmacy_note(state, now=NOW) == sentence
