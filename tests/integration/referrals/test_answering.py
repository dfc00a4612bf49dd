"""Received cases are answered, and the other organisation's sent case moves with the answer."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.audit.models import AuditEvent
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import (
    ARPPriority,
    EncounterStatus,
    FlagCategory,
    RejectedReason,
    UseCase,
)
from bars_portal.exchange.models import InboundMessage, OutboundMessage
from referrals.cases.models import CaseAnswer, CaseReply
from referrals.cases.selectors import changes_of, notes_of, replies_of, responses_of, versions_of
from referrals.cases.states import CaseStatus, Category, ReplyKind, ResponseState
from referrals.cases.wire import included_in, index_of, own_encounter_id
from referrals.parts.assessment import clock_start
from referrals.parts.flags import RaisedFlag
from referrals.parts.places import CurrentPlace
from referrals.responding import decisions, local
from referrals.responding.content import (
    CadStatus,
    Disposition,
    NonAttendance,
    Outcome,
    Rejection,
    ResponseContent,
    read_content,
)
from referrals.responding.policies import is_ambulance
from referrals.worklist.selectors import troubled_responses
from tests.factories.accounts import make_acting
from tests.factories.bookings import make_booking
from tests.factories.referrals import NOW
from tests.fhir_check import assert_no_errors
from tests.integration.referrals.desk import OWN_SERVICE_ID as REPLIES
from tests.integration.referrals.desk import AnsweringDesk, outcome
from tests.integration.referrals.official import Bundle, of_type, resources

pytestmark = pytest.mark.django_db


def newest(desk: AnsweringDesk) -> CaseReply:
    reply = replies_of(desk.sent).last()
    assert reply is not None
    return reply


def test_a_validation_is_started_and_completed(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    decided = decisions.start_case(case=case, acting=desk.clinician, now=desk.later())
    assert decided.case.status == CaseStatus.IN_PROGRESS
    assert decided.answer is not None
    assert decided.answer.state == ResponseState.SENDING
    desk.deliver()
    decided.answer.refresh_from_db()
    assert (desk.sent.status, decided.answer.state) == (CaseStatus.IN_PROGRESS, ResponseState.DELIVERED)
    reply = newest(desk)
    assert (reply.responder_status, reply.answers_bundle_id) == ("in-progress", desk.bundle_id)
    assert reply.responder_reference == case.reference
    assert reply.source_service_id == desk.hub.service_id

    decisions.complete_validation(case=case, outcome=outcome(), acting=desk.clinician, now=desk.later())
    desk.deliver()
    reply = newest(desk)
    assert desk.sent.status == CaseStatus.COMPLETED
    asked = clock_start(index_of(included_in(case)))
    assert (reply.priority, reply.action_needed, reply.clock_start) == ("C5", False, asked)
    assert reply.outcomes[-1]["text"] == "Spoke to the caller; no red flags."
    kinds = [(each.kind, each.is_update, each.state) for each in responses_of(case)]
    assert kinds == [("interim", False, "delivered"), ("full", True, "delivered")]
    message = OutboundMessage.objects.filter(message_type="validation-full").get()
    assert (message.service_id, message.correlation_id) == (REPLIES, desk.conversation)
    assert list(troubled_responses(desk.clinician)) == []


def test_the_clock_goes_on_unless_the_category_is_raised(desk: AnsweringDesk) -> None:
    """Whatever the caller gives: their own clock, or the moment of our code, which a correction keeps."""
    case = desk.ask("VALREQ01")
    asked = clock_start(index_of(included_in(case)))
    assert asked not in (None, NOW)
    case.priority = "C3"
    case.save(update_fields=["priority"])
    decisions.start_case(case=case, acting=desk.clinician, now=desk.later())
    told: list[ResponseContent] = []
    raised_at = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
    steps = [("C4", 0), ("C3", 1), ("C2", 2), ("C2", 3), ("C4", 4)]
    for priority, minutes in steps:
        act = decisions.revise_validation if told else decisions.complete_validation
        said = outcome(priority=ARPPriority(priority), clock_start=NOW)
        now = raised_at + timedelta(minutes=minutes)
        decided = act(case=case, outcome=said, acting=desk.clinician, now=now)
        assert decided.answer is not None
        told.append(read_content(ReplyKind.FULL, decided.answer.content))
    ours = raised_at + timedelta(minutes=2)
    clocks = [each.clock_start for each in told if isinstance(each, Outcome)]
    assert clocks == [asked, asked, ours, ours, asked]


@pytest.mark.parametrize("missing", [{"priority": None}, {"codes": ()}], ids=["category", "code"])
def test_an_outcome_without_category_or_code_is_none(desk: AnsweringDesk, missing: dict[str, Any]) -> None:
    case = desk.ask("VALREQ01")
    with pytest.raises(PolicyRefused, match="a category and a triage code"):
        decisions.complete_validation(
            case=case, outcome=outcome(**missing), acting=desk.clinician, now=desk.later()
        )
    assert not responses_of(case).exists()


def test_a_rejection_says_why(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    rejection = Rejection(RejectedReason.NOT_AVAILABLE, "Nobody for an hour")
    decisions.reject_case(case=case, rejection=rejection, acting=desk.clinician, now=desk.later())
    desk.deliver()
    reply = newest(desk)
    assert (desk.sent.status, reply.kind) == (CaseStatus.REJECTED, "rejected")
    assert (reply.reason_code, reply.reason_text) == ("RRNA", "Nobody for an hour")


def test_an_outcome_carries_back_what_changed(desk: AnsweringDesk) -> None:
    """Category raised, the patient elsewhere, a warning ended and one raised, and a new ambulance case."""
    case = desk.ask("VALREQ01")
    scene = next(url for url, each in included_in(case) if each["resourceType"] == "Flag")
    said = outcome(
        disposition=Disposition.DISPATCH,
        priority=ARPPriority.C2,
        cad_id="CAD-77",
        place=CurrentPlace(
            address_lines=("9 Canal Wharf",), postcode="LS11 5PS", latitude="53.79", longitude="-1.55"
        ),
        flags_ended=(scene,),
        flags_raised=(RaisedFlag(FlagCategory.SAFEGUARDING, "U", words="Left alone"),),
    )
    decisions.complete_validation(case=case, outcome=said, acting=desk.clinician, now=desk.later())
    desk.deliver()
    reply = newest(desk)
    assert (reply.priority, reply.cad_id, reply.action_needed, reply.safeguarding) == (
        *("C2", "CAD-77", True, True),
    )
    body = sent_body("validation-full")
    (location,) = resources(body, "Location")
    assert (location["address"]["postalCode"], location["position"]["latitude"]) == ("LS11 5PS", 53.79)
    flags = {each["category"][0]["coding"][0]["code"]: each["status"] for each in resources(body, "Flag")}
    assert flags == {"SS": "inactive", "SG": "active"}
    statuses = [each["status"] for each in resources(body, "Encounter")]
    assert statuses == ["finished", "triaged", "planned"]


@pytest.mark.parametrize(
    ("booked", "expected", "sentence"),
    [
        (None, 0, ""),
        (None, 1, "must be in the past"),
        (0, 0, ""),
        (1, 0, "until then nobody knows"),
        (1, -60, "until then nobody knows"),
    ],
    ids=["now", "in-a-minute", "began", "appointment-to-come", "other-time-typed"],
)
def test_non_attendance_is_not_recorded_before_its_time(
    desk: AnsweringDesk, booked: int | None, expected: int, sentence: str
) -> None:
    """Minutes after now, which is an argument: of the appointment that goes with it, and of what is said."""
    case = desk.ask("REFREQ01")
    now = desk.later()
    if booked is not None:
        start = now + timedelta(minutes=booked)
        booking = make_booking(service=desk.hub, direction=Direction.RECEIVED, start=start)
        type(case).objects.filter(pk=case.pk).update(booking_ids=[booking.pk])
    begin = now + timedelta(minutes=expected)
    missed = NonAttendance(begin, begin + timedelta(minutes=15))
    about: Any = {"case": case, "missed": missed, "acting": desk.clinician, "now": now}
    if sentence:
        with pytest.raises(PolicyRefused, match=sentence):
            decisions.record_non_attendance(**about)
        assert not CaseAnswer.objects.exists()
    else:
        assert decisions.record_non_attendance(**about).case.status == CaseStatus.DID_NOT_ATTEND


def test_an_outcome_can_be_corrected(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    decisions.complete_validation(case=case, outcome=outcome(), acting=desk.clinician, now=desk.later())
    desk.deliver()
    corrected = outcome(disposition=Disposition.DISPATCH, priority=ARPPriority.C2)
    decisions.revise_validation(case=case, outcome=corrected, acting=desk.clinician, now=desk.later())
    desk.deliver()
    assert [(each.priority, each.action_needed) for each in replies_of(desk.sent)] == [
        ("C5", False),
        ("C2", True),
    ]
    assert [each.event for each in changes_of(case)] == ["receive", "complete", "revise"]


@pytest.mark.parametrize(
    ("code", "words"), [("U", "Did not answer the telephone either"), ("", "")], ids=["concern", "none"]
)
def test_who_did_not_attend_is_told(desk: AnsweringDesk, code: str, words: str) -> None:
    case = desk.ask("REFREQ01", change=without_safeguarding)
    decisions.accept_referral(case=case, acting=desk.clinician, now=desk.later())
    assert not CaseAnswer.objects.exists(), "the standard has no message for that"
    missed = NonAttendance(NOW, NOW + timedelta(minutes=15), words, code, words)
    decisions.record_non_attendance(case=case, missed=missed, acting=desk.clinician, now=desk.later())
    desk.deliver()
    reply = newest(desk)
    assert (desk.sent.status, reply.request_status) == (CaseStatus.DID_NOT_ATTEND, "revoked")
    assert reply.safeguarding is bool(code)
    (appointment,) = resources(sent_body("referral-did-not-attend"), "Appointment")
    assert (appointment["status"], appointment.get("comment", "")) == ("noshow", words)
    case.refresh_from_db()
    held = {"status": case.resource["status"], "version": case.resource["meta"]["versionId"]}
    assert held == {"status": "revoked", "version": "2"}
    assert [each.number for each in versions_of(case)] == [1, 2]
    assert [each.event for each in changes_of(case)] == ["receive", "accept", "record-non-attendance"]


@pytest.mark.parametrize("name", ["REFREQ04", "REFREQ8A"])
def test_ambulance_controls_tell_how_far_they_are(desk: AnsweringDesk, name: str) -> None:
    """Also the way back, when a resource is cancelled; each status is a new message with all before it."""
    case = desk.ask(name)
    told = ["planned", "in-progress", "planned", "in-progress", "finished"]
    moved = [CaseStatus.ACCEPTED, CaseStatus.IN_PROGRESS, CaseStatus.ACCEPTED, CaseStatus.IN_PROGRESS]
    for number, (status, after) in enumerate(zip(told, [*moved, CaseStatus.COMPLETED], strict=True), 1):
        said = CadStatus(EncounterStatus(status), "Crew 4")
        decisions.send_cad_status(case=case, status=said, acting=desk.clinician, now=desk.later())
        desk.deliver()
        assert (desk.sent.status, newest(desk).responder_status, newest(desk).reason_text) == (
            after,
            status,
            "Crew 4",
        )
        sent = MessageBundle(json.loads(bytes(OutboundMessage.objects.latest("created_at").body)))
        assert sent.reason == "new"
        ours = next(each for each in sent.of_type("Encounter") if each["id"] == own_encounter_id(case.pk))
        history = ours["statusHistory"]
        assert [each["status"] for each in history] == told[:number]
        assert [("end" in each["period"]) for each in history] == [True] * (number - 1) + [False]


def test_only_help_is_refused(desk: AnsweringDesk) -> None:
    case = desk.ask("REFREQ04")
    case.use_case = UseCase.A6T1
    case.save(update_fields=["use_case"])
    with pytest.raises(PolicyRefused, match="out of area is not rejected"):
        decisions.reject_case(
            case=case,
            rejection=Rejection(RejectedReason.NOT_AVAILABLE),
            acting=desk.clinician,
            now=desk.later(),
        )


def for_mutual_aid(bundle: Bundle) -> None:
    of_type(bundle, "ServiceRequest")["category"][0]["coding"][1] = dict(UseCase.A6T3.coding)


def test_an_ambulance_control_rejects(desk: AnsweringDesk) -> None:
    case = desk.ask("REFREQ04", change=for_mutual_aid)
    rejection = Rejection(RejectedReason.OTHER, "No crew")
    decisions.reject_case(case=case, rejection=rejection, acting=desk.clinician, now=desk.later())
    desk.deliver()
    reply = newest(desk)
    assert (desk.sent.status, reply.reason_code, reply.request_status) == (
        CaseStatus.REJECTED,
        "OTH",
        "revoked",
    )


@pytest.mark.parametrize("verb", ["accept", "start", "reject", "complete"])
def test_other_referrals_are_decided_here_alone(desk: AnsweringDesk, verb: str) -> None:
    """Standard section 6 has no response for them but "did not attend"."""
    case = desk.ask("REFREQ03")
    here: dict[str, Any] = {"case": case, "acting": desk.clinician, "now": desk.later()}
    decided = {
        "accept": lambda: decisions.accept_referral(**here),
        "start": lambda: decisions.start_case(**here),
        "reject": lambda: decisions.reject_case(rejection=Rejection(RejectedReason.NOT_AVAILABLE), **here),
        "complete": lambda: decisions.complete_referral(**here),
    }[verb]()
    assert decided.answer is None
    assert not OutboundMessage.objects.exists()
    assert [each.event for each in changes_of(case)] == ["receive", verb]
    own = next(each for _, each in included_in(decided.case) if each.get("id") == own_encounter_id(case.pk))
    expected = {"accept": "planned", "start": "in-progress", "reject": "cancelled", "complete": "finished"}
    assert own["status"] == expected[verb], "a read tells it"


def test_every_step_is_audited_in_its_conversation(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    decisions.start_case(case=case, acting=desk.clinician, now=desk.later())
    desk.deliver()
    rows = AuditEvent.objects.filter(actor_user_id=desk.clinician.user.pk).order_by("pk")
    actions = list(rows.values_list("action", flat=True))
    assert actions == [
        "referrals.start",
        "referrals.answer_case",
        "referrals.confirm_answer",
        "exchange.deliver_message",
    ]
    assert set(rows.values_list("correlation_id", flat=True)) == {desk.conversation}
    asked, answered = InboundMessage.objects.earliest("received_at"), OutboundMessage.objects.get()
    assert answered.correlation_id == asked.correlation_id == desk.conversation
    assert answered.request_id != asked.request_id


def test_two_presses_are_one_decision(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    decisions.start_case(case=case, acting=desk.clinician, now=desk.later())
    other = make_acting(organisation=desk.hub.provider)
    for person in (desk.clinician, other):
        with pytest.raises(PolicyRefused, match="working on this case already"):
            decisions.start_case(case=case, acting=person, now=desk.later())
    assert responses_of(case).count() == OutboundMessage.objects.count() == 1


def test_who_may_not_answer(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    clerk = make_acting(role=Role.CLERK, organisation=desk.hub.provider)
    for person, words in ((clerk, "clinicians"), (make_acting(), "another organisation")):
        with pytest.raises(PolicyRefused, match=words):
            decisions.start_case(case=case, acting=person, now=desk.later())
    own = make_acting(organisation=desk.asking)
    with pytest.raises(PolicyRefused, match="received"):
        decisions.start_case(case=desk.sent, acting=own, now=desk.later())
    with pytest.raises(PolicyRefused, match="referrals only"):
        decisions.accept_referral(case=case, acting=desk.clinician, now=desk.later())
    assert not CaseAnswer.objects.exists()


def test_colleagues_share_the_work(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    one, other = desk.clinician, make_acting(role=Role.CLERK, organisation=desk.hub.provider)
    local.assign_case(case=case, to=one.user, seen=None, acting=one, now=desk.later())
    with pytest.raises(PolicyRefused, match="meanwhile"):
        local.assign_case(case=case, to=other.user, seen=None, acting=other, now=desk.later())
    with pytest.raises(PolicyRefused, match="does not work here"):
        local.assign_case(case=case, to=make_acting().user, seen=one.user, acting=one, now=desk.later())
    local.unassign_case(case=case, seen=one.user, acting=other, now=desk.later())
    case.refresh_from_db()
    assert case.assigned_to is None
    local.add_note(case=case, text=" Call the daughter first ", acting=other, now=desk.later())
    (note,) = notes_of(case)
    assert (note.text, note.author) == ("Call the daughter first", other.user)
    with pytest.raises(TypeError, match="never changed"):
        note.save()
    with pytest.raises(PolicyRefused, match="Write something"):
        local.add_note(case=case, text="  ", acting=other, now=desk.later())


@pytest.mark.parametrize("name", ["VALREQ01", "VALREQ03", "REFREQ01", "REFREQ02", "REFREQ03", "REFREQ8A"])
def test_what_is_sent_has_no_errors_in_the_published_checker(
    desk: AnsweringDesk, name: str, tmp_path: Path
) -> None:
    case = desk.ask(name)
    here: dict[str, Any] = {"acting": desk.clinician}
    if case.category is Category.VALIDATION:
        decisions.start_case(case=case, now=desk.later(), **here)
        desk.deliver()
        decisions.complete_validation(case=case, outcome=outcome(), now=desk.later(), **here)
    elif is_ambulance(case):
        decisions.accept_referral(case=case, now=desk.later(), **here)
        desk.deliver()
        said = CadStatus(EncounterStatus.IN_PROGRESS, "Crew 4")
        decisions.send_cad_status(case=case, status=said, now=desk.later(), **here)
    else:
        missed = NonAttendance(NOW, NOW + timedelta(minutes=15), "", "U")
        decisions.record_non_attendance(case=case, missed=missed, now=desk.later(), **here)
    for number, message in enumerate(OutboundMessage.objects.all()):
        (tmp_path / f"{number}.json").write_bytes(bytes(message.body))
    assert_no_errors(desk.shared, tmp_path)
    desk.deliver()
    assert {each.state for each in responses_of(case)} == {ResponseState.DELIVERED}


def sent_body(kind: str) -> Bundle:
    message = OutboundMessage.objects.get(message_type=kind)
    loaded: Bundle = json.loads(bytes(message.body))
    return loaded


def without_safeguarding(bundle: Bundle) -> None:
    for flag in resources(bundle, "Flag"):
        flag["status"] = "inactive"
