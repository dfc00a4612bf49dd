"""Updates of sent requests: what changes, and when; what a refused or lost one leaves behind."""

import re
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import ARPPriority, FlagCategory, UseCase
from bars_portal.exchange.models import OutboundMessage
from referrals.cases.history import write_version
from referrals.cases.states import Category
from referrals.cases.wire import included_in, index_of
from referrals.parts.assessment import Assessment, CallTimes, Stage, clock_start
from referrals.parts.base import TimeFrame
from referrals.parts.content import ContentInvalid, content_from_json
from referrals.parts.flags import scene_of
from referrals.sending.policies import can_take_back, can_update
from referrals.worklist.sent import Waiting, sent_cases
from tests.factories.contents import make_content
from tests.factories.patients import make_details
from tests.factories.referrals import NOW
from tests.integration.bookings.loopback import refusing, timeout
from tests.integration.referrals.sending import Desk, events, theirs


def test_an_update_of_a_validation(sender: Desk) -> None:
    case = sender.sent(Category.VALIDATION)
    before = content_from_json(case.content)
    known = replace(before, assessment=replace(before.assessment, priority=ARPPriority.C2))
    pending = sender.update(case, known, make_details(family_name="Feather"))
    assert (pending.status, pending.priority, pending.has_update_pending) == ("sent", "C3", True)
    assert not can_update(sender.acting, pending)
    assert not can_take_back(sender.acting, pending)
    case = sender.arrive(pending)
    held = theirs(case)
    assert (case.priority, held.priority, case.version, held.version) == ("C2", "C2", 2, 2)
    assert (case.patient.family_name, held.patient.family_name) == ("Feather", "Feather")
    assert (case.pending, content_from_json(case.content)) == (None, known)
    assert events(case)[2:] == ["request-update", "confirm-update"]


def test_a_refused_update_changes_nothing(sender: Desk) -> None:
    case = sender.sent(Category.VALIDATION)
    before = (case.content, case.resource, case.included)
    pending = sender.update(case, make_content(UseCase.A4T1, notes=(), allergies=make_content().allergies))
    sender.network.before.append(refusing(422, "REC_UNPROCESSABLE_ENTITY"))
    case = sender.arrive(pending)
    assert (case.content, case.resource, case.included) == before
    assert (case.status, case.pending, case.version) == ("sent", None, 1)
    assert "did not take the update" in case.explanation
    assert case.explanation_code == "not-usable"


def not_known(sender: Desk) -> list[tuple[UUID, bool]]:
    """What home counts as not known: the case, and whether that is for a lost update."""
    page = sent_cases(sender.acting, now=NOW, status=Waiting.UNCLEAR)
    return [(row.id, row.has_lost_update) for row in page.rows]


def test_an_unknown_update_is_checked_again(sender: Desk) -> None:
    case = sender.sent(Category.VALIDATION)
    scene = scene_of(make_content(UseCase.A4T1).flags)
    assert scene is not None
    known = make_content(UseCase.A4T1, flags=(scene,))
    pending = sender.update(case, known)
    assert not_known(sender) == [], "it is on its way"
    sender.network.after.append(timeout)
    case = sender.arrive(pending)
    assert case.has_update_pending
    assert not_known(sender) == [(case.pk, True)]
    assert "whether this update arrived" in case.explanation
    with pytest.raises(PolicyRefused, match="Check again first"):
        sender.revoke(case)
    again = sender.check_again(case)
    assert not_known(sender) == [(case.pk, True)], "a repeat on its way is not known yet"
    case = sender.arrive(again)
    assert not_known(sender) == []
    assert (case.pending, case.explanation) == (None, "")
    assert case.flags == theirs(case).flags == ["SS"]


def test_what_an_update_leaves_as_it_is_goes_back_as_the_version_that_was_read(sender: Desk) -> None:
    """Our own receiver refuses an older one as changed since; so might another."""
    case = sender.sent(Category.VALIDATION)
    held = theirs(case)
    held.version, held.resource["meta"]["versionId"] = 2, "2"
    held.save(update_fields=["version", "resource"])
    write_version(case=held, bundle_id="", message_id=None, now=held.updated_at)
    known = content_from_json(case.content)
    (scene,) = (each for each in known.flags if each.category is FlagCategory.SCENE_SAFETY)
    case = sender.arrive(sender.update(case, replace(known, flags=(scene,))))
    assert (case.explanation, case.version, theirs(case).version) == ("", 2, 3)


def test_an_ambulance_call_in_stages(sender: Desk) -> None:
    """Each stage carries the receiver's own Encounter, as its ids say."""
    case = sender.sent(use_case=UseCase.A6T1, stage=Stage.FIRST_ALERT)
    for stage in (Stage.TRIAGED, Stage.COMPLETE):
        case = sender.arrive(sender.update(case, make_content(UseCase.A6T1, stage=stage)))
    sent = OutboundMessage.objects.filter(subject_id=str(case.pk)).order_by("created_at").last()
    assert sent is not None
    encounters = MessageBundle(json.loads(bytes(sent.body))).of_type("Encounter")
    assert [each["status"] for each in encounters] == ["finished", "planned"]
    assert encounters[1]["identifier"][0]["value"] == case.reference
    assert (case.version, theirs(case).version) == (3, 3)
    assert len(included_in(theirs(case))) == len(included_in(case))


def test_a_case_without_a_number_gets_one_that_people_can_say(sender: Desk) -> None:
    content = make_content(UseCase.A4T1)
    bare = replace(content, assessment=replace(content.assessment, case_number=""))
    case = sender.sent(Category.VALIDATION, assessment=bare.assessment)
    number = case.case_number
    assert re.fullmatch(r"[A-Z]{1,3}-\w{4}-\w{2}", number)
    assert sender.arrive(sender.update(case, bare)).case_number == number == theirs(case).case_number


def test_an_update_keeps_what_names_the_case(sender: Desk) -> None:
    case = sender.sent(Category.VALIDATION)
    content = make_content(UseCase.A4T1)
    untimed = replace(content.assessment, case_number="", started_at=None, disposition_at=None)
    bare = replace(content, assessment=untimed, call=CallTimes())
    number, authored = case.case_number, case.authored_on
    case = sender.arrive(sender.update(case, bare))
    assert (case.case_number, case.authored_on) == (number, authored)
    kept = content_from_json(case.content)
    assert (kept.assessment.started_at, kept.call) == (content.assessment.started_at, content.call)
    assert kept.assessment.disposition_at == content.assessment.disposition_at, "no clock begins anew"
    sent = OutboundMessage.objects.filter(subject_id=str(case.pk))
    assert len({each.request_id for each in sent}) == len({each.bundle_id for each in sent}) == 2
    assert {each.correlation_id for each in sent} == {case.correlation_id}


def test_a_time_frame_of_999_begins_when_it_was_asked_first(sender: Desk) -> None:
    """Whatever was typed; an update does not begin it anew, and its end may be moved."""
    case = sender.sent(Category.VALIDATION)
    asked, stated = case.created_at, content_from_json(case.content)
    assert case.occurrence_start == theirs(case).occurrence_start == asked
    frame = TimeFrame(asked + timedelta(hours=5), asked + timedelta(hours=7))
    case = sender.arrive(sender.update(case, replace(stated, time_frame=frame)))
    assert (case.occurrence_start, case.breach_at) == (asked, frame.end)


def test_a_breach_time_that_is_over_is_not_sent(sender: Desk) -> None:
    with pytest.raises(ContentInvalid, match="breach-time"):
        sender.sent(
            Category.VALIDATION, time_frame=TimeFrame(NOW - timedelta(days=2), NOW - timedelta(days=1))
        )


def test_a_referral_of_application_3_is_updated(sender: Desk) -> None:
    case = sender.sent(use_case=UseCase.A3T1)
    known = content_from_json(case.content)
    worse = replace(known, assessment=replace(known.assessment, priority=ARPPriority.C2))
    case = sender.arrive(sender.update(case, worse))
    assert (case.explanation, theirs(case).priority, theirs(case).version) == ("", "C2", 2)


def test_a_first_alert_has_no_clock_until_a_disposition_is_reached(sender: Desk) -> None:
    alert = make_content(UseCase.A6T1, assessment=Assessment())
    case = sender.sent(use_case=UseCase.A6T1, assessment=alert.assessment)
    assert clock_start(index_of(included_in(theirs(case)))) is None
    reached = replace(alert, assessment=Assessment(narrative="Not breathing"))
    case = sender.arrive(sender.update(case, reached))
    began = clock_start(index_of(included_in(theirs(case))))
    assert began is not None
    assert began == content_from_json(case.content).assessment.disposition_at


def test_only_validations_and_ambulance_calls_are_updated(sender: Desk) -> None:
    with pytest.raises(PolicyRefused, match="refer again"):
        sender.update(sender.sent(), make_content())


def test_an_update_is_not_for_another_use_case(sender: Desk) -> None:
    case = sender.sent(Category.VALIDATION)
    with pytest.raises(ContentInvalid, match="use_case"):
        sender.update(case, make_content(UseCase.A4T2))
