"""One journey as both sides see it."""

import pytest

from bars_portal.accounts.roles import Role
from referrals.journey_entries import EntryKind
from referrals.selectors import timeline_of
from referrals.services import answering
from referrals.states import Direction
from tests.factories.accounts import make_acting
from tests.integration.referrals.desk import AnsweringDesk, outcome

pytestmark = pytest.mark.django_db


def test_each_side_reads_what_happened_in_order(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    answering.add_note(case=case, text="Line is bad", acting=desk.clinician, now=desk.later())
    answering.start_case(case=case, acting=desk.clinician, now=desk.later())
    desk.deliver()
    answering.complete_validation(case=case, outcome=outcome(), acting=desk.clinician, now=desk.later())
    desk.deliver()
    theirs = timeline_of(desk.clinician, case.journey)
    assert [entry.words for entry in theirs] == [
        "Validation request: received",
        "Validation request: note",
        "Validation request: in progress",
        "Validation request: answer: Started",
        "Validation request: completed",
        "Validation request: answer: Outcome",
    ]
    assert theirs[1].detail == "Line is bad"
    assert theirs[3].detail == "Delivered."
    assert {entry.direction for entry in theirs} == {Direction.RECEIVED}
    ours = timeline_of(make_acting(organisation=desk.asking), desk.sent.journey)
    assert [entry.words for entry in ours] == [
        "Validation request: sent",
        "Validation request: in progress",
        "Validation request: reply: Started",
        "Validation request: completed",
        "Validation request: reply: Outcome",
    ]
    assert [entry.at for entry in ours] == sorted(entry.at for entry in ours)


def test_nobody_reads_another_organisations_journey(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    assert timeline_of(make_acting(), case.journey) == []
    engineer = make_acting(role=Role.ENGINEER, organisation=desk.hub.provider)
    assert timeline_of(engineer, case.journey) == []
    assert [entry.kind for entry in timeline_of(desk.clinician, case.journey)] == [EntryKind.CASE]
