"""One journey as both sides see it."""

import pytest

from bars_portal.accounts.permissions import Role
from bars_portal.correspondence.states import Direction
from referrals.cases.history import record_case_view
from referrals.cases.selectors import responses_of
from referrals.journey.timeline import EntryKind, timeline_of
from referrals.journey.views import timeline_lines
from referrals.responding import decisions, delivery, local
from tests.factories.accounts import make_acting
from tests.integration.bookings.loopback import timeout
from tests.integration.referrals.desk import AnsweringDesk, outcome

pytestmark = pytest.mark.django_db


def test_each_side_reads_what_happened_in_order(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    local.add_note(case=case, text="Line is bad", acting=desk.clinician, now=desk.later())
    decisions.start_case(case=case, acting=desk.clinician, now=desk.later())
    desk.deliver()
    decisions.complete_validation(case=case, outcome=outcome(), acting=desk.clinician, now=desk.later())
    desk.deliver()
    theirs = timeline_of(desk.clinician, case.journey)
    assert [entry.words for entry in theirs] == [
        "Validation request: received",
        "Validation request: note",
        "Validation request: in progress",
        "Validation request: answer: Started",
        "Validation started: message sent",
        "Validation request: completed",
        "Validation request: answer: Outcome",
        "Validation outcome: message sent",
    ]
    assert theirs[1].detail == "Line is bad"
    assert theirs[3].detail == "Delivered."
    assert theirs[4].detail == "It was taken."
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


def test_retries_and_looks_are_in_it(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    desk.network.after.append(timeout)
    decisions.start_case(case=case, acting=desk.clinician, now=desk.later())
    desk.deliver()
    record_case_view(case=case, acting=desk.clinician, now=desk.later())
    answer = responses_of(case).get()
    delivery.check_response_again(answer=answer, acting=desk.clinician, now=desk.later())
    desk.deliver()
    entries = timeline_of(desk.clinician, case.journey)
    told = [
        (entry.words, entry.detail) for entry in entries if entry.kind in (EntryKind.DELIVERY, EntryKind.VIEW)
    ]
    assert told == [
        ("Validation started: message sent", "No clear answer came back."),
        ("Validation request: viewed", ""),
        ("Validation started: message sent, attempt 2", "It had arrived before, and was not taken twice."),
    ]
    assert len({entry.message_id for entry in entries if entry.message_id}) == 1, "the very same message"
    assert not [each for each in timeline_of(make_acting(), case.journey) if each.kind is EntryKind.VIEW]


def test_many_looks_in_a_row_are_one_line(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    for _ in range(3):
        record_case_view(case=case, acting=desk.clinician, now=desk.later())
    lines = timeline_lines(timeline_of(desk.clinician, case.journey))
    assert lines[-1].words == "Viewed 3 times by 1 person"
    assert [each.words for each in lines[-1].within] == ["Validation request: viewed"] * 3
    local.add_note(case=case, text="Seen", acting=desk.clinician, now=desk.later())
    record_case_view(case=case, acting=desk.clinician, now=desk.later())
    lines = timeline_lines(timeline_of(desk.clinician, case.journey), utc=True)
    assert [len(each.within) for each in lines] == [0, 3, 0, 0]
    assert lines[-1].when.endswith("UTC")


def test_nobody_reads_another_organisations_journey(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    assert timeline_of(make_acting(), case.journey) == []
    engineer = make_acting(role=Role.ENGINEER, organisation=desk.hub.provider)
    assert timeline_of(engineer, case.journey) == []
    assert [entry.kind for entry in timeline_of(desk.clinician, case.journey)] == [EntryKind.CASE]
