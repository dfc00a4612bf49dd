"""Requests sent through our own receiver and back: what both sides then hold."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.correspondence.latest import LatestState
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bars_portal.patients.selectors import details_of
from referrals.cases.models import Referral
from referrals.cases.selectors import changes_of, versions_of
from referrals.cases.states import CaseStatus, Category
from referrals.parts.applications import application_of
from referrals.parts.assessment import Assessment
from referrals.parts.base import TimeFrame
from referrals.parts.content import ContentInvalid, RequestContent, content_from_json
from referrals.sending import drafts, requesting
from referrals.sending.policies import can_take_back
from referrals.sending.selectors import rereferral_of
from tests.factories.accounts import make_acting
from tests.factories.contents import make_content
from tests.factories.patients import DETAILS, make_details
from tests.factories.referrals import NOW
from tests.integration.bookings.loopback import answering, refusing, timeout, unreachable
from tests.integration.referrals.sending import Desk, events, messages, theirs

INDEX = (
    *("use_case", "priority", "occurrence_start", "breach_at", "authored_on", "case_number", "flags"),
    *("requester_ods_code", "requester_name", "safeguarding", "scene_unsafe", "booking_ids"),
)


@pytest.mark.parametrize("category", Category)
def test_a_request_arrives_and_both_sides_hold_the_same(sender: Desk, category: Category) -> None:
    case = sender.sent(category)
    held = theirs(case)
    assert (case.status, case.remote_id, case.reference) == ("sent", str(held.pk), held.reference)
    assert case.explanation == ""
    assert {name: getattr(case, name) for name in INDEX} == {name: getattr(held, name) for name in INDEX}
    assert held.journey.journey_id == case.journey.journey_id
    assert details_of(held.patient) == details_of(case.patient) == DETAILS
    assert case.resource["id"] == str(held.pk)
    assert events(case) == ["request", "confirm"]
    (version,) = versions_of(case)
    assert version.bundle_id == str(OutboundMessage.objects.get(subject_id=str(case.pk)).bundle_id)


@pytest.mark.parametrize("use_case", UseCase, ids=str)
def test_every_use_case_is_taken_by_our_own_receiver(sender: Desk, use_case: UseCase) -> None:
    validates = make_content(use_case).category == "validation"
    send: Any = requesting.request_validation if validates else requesting.request_referral
    case = send(
        content=make_content(use_case),
        details=DETAILS,
        service=sender.service,
        acting=sender.acting,
        now=sender.now,
    )
    assert sender.arrive(case).status == CaseStatus.SENT
    assert content_from_json(case.content) == as_asked(make_content(use_case))


def as_asked(content: RequestContent) -> RequestContent:
    """A time frame of 999 begins when it is sent."""
    if content.time_frame is None or not application_of(content.use_case).starts_now:
        return content
    return replace(content, time_frame=TimeFrame(NOW, content.time_frame.end))


def test_before_the_answer_it_is_on_its_way(sender: Desk) -> None:
    referral = sender.refer()
    assert (referral.status, referral.is_current) == ("requested", True)
    assert not can_take_back(sender.acting, referral)
    with pytest.raises(PolicyRefused, match="still being sent"):
        sender.revoke(referral)


@pytest.mark.parametrize(
    ("fault", "status", "words", "code"),
    [
        (refusing(422, "REC_UNPROCESSABLE_ENTITY"), "refused", "could not use this request", "not-usable"),
        (refusing(404, "PROXY_NOT_FOUND", "not-found"), "refused", "not on the referral", "not-on-network"),
        (refusing(401, "REC_UNAUTHORIZED"), "refused", "does not take requests from us", "not-permitted"),
        (refusing(418, "REC_TEAPOT"), "refused", "did not take this request", "refused"),
        (timeout, "unknown", "do not know yet whether this request arrived", "still-trying"),
        (unreachable, "unknown", "do not know yet whether this request arrived", "still-trying"),
    ],
    ids=["422", "network", "401", "other", "timeout", "unreachable"],
)
def test_when_it_is_not_taken_or_nobody_knows(
    sender: Desk, fault: Any, status: str, words: str, code: str
) -> None:
    sender.network.before.append(fault)
    referral = sender.sent()
    assert (referral.status, referral.explanation_code) == (status, code)
    assert words in referral.explanation


@pytest.mark.parametrize("category", Category)
def test_a_lost_answer_is_found_by_checking_again(sender: Desk, category: Category) -> None:
    """The same bytes go out: the receiver says duplicate, and what it holds is read."""
    sender.network.after.append(timeout)
    case = sender.sent(category)
    assert (case.status, case.remote_id) == ("unknown", "")
    checked = sender.check_again(case)
    assert (checked.status, checked.explanation_code) == (CaseStatus.REQUESTED, "")
    case = sender.arrive(checked)
    held = theirs(case)
    assert (case.status, case.remote_id, case.reference) == ("sent", str(held.pk), held.reference)
    assert case.explanation_code == ""
    first, second = [each.content for each in sender.network.requests if each.method == "POST"]
    assert first == second
    with pytest.raises(PolicyRefused, match="nothing to check"):
        sender.check_again(case)


@pytest.mark.parametrize("category", Category)
def test_a_request_and_its_end_arrive_by_themselves(sender: Desk, category: Category) -> None:
    sender.network.after.append(timeout)
    case = sender.sent(category)
    assert case.status == CaseStatus.UNKNOWN
    assert sender.network.deliver_due(after=timedelta(minutes=2)) == [DeliveryState.ACCEPTED]
    case.refresh_from_db()
    assert (case.status, case.reference) == (CaseStatus.SENT, theirs(case).reference)
    case = sender.revoke(case)
    sender.network.before.append(timeout)
    case = sender.arrive(case)
    assert case.status == CaseStatus.REVOKE_UNKNOWN
    sender.network.deliver_due(after=timedelta(minutes=2))
    case.refresh_from_db()
    assert case.status == theirs(case).status == CaseStatus.REVOKED


def test_an_answer_without_the_request_is_not_known(sender: Desk) -> None:
    def mute(request: Any) -> Any:
        sent = json.loads(request.content)
        return answering({**sent, "entry": [sent["entry"][0]]})(request)

    sender.network.before.append(mute)
    referral = sender.sent()
    assert (referral.status, referral.remote_id) == ("unknown", "")


@pytest.mark.parametrize("status", ["draft", "unknown"])
def test_taken_but_not_active_is_not_known(sender: Desk, status: str) -> None:
    def odd(request: Any) -> Any:
        bundle = json.loads(request.content)
        bundle["entry"][1]["resource"]["status"] = status
        return answering(bundle)(request)

    sender.network.before.append(odd)
    assert sender.sent().status == CaseStatus.UNKNOWN


def test_an_id_that_is_none_never_becomes_part_of_an_address(sender: Desk) -> None:
    def odd(request: Any) -> Any:
        bundle = json.loads(request.content)
        bundle["entry"][1]["resource"]["id"] = "../Slot?x=1"
        return answering(bundle)(request)

    sender.network.before.append(odd)
    assert sender.sent().remote_id == ""


# -- taking back


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("in_error", [False, True], ids=["revoked", "in-error"])
def test_taking_it_back_on_both_sides(sender: Desk, category: Category, in_error: bool) -> None:
    case = sender.sent(category)
    pending = sender.in_error(case) if in_error else sender.revoke(case)
    assert pending.status == CaseStatus.REVOKING
    case = sender.arrive(pending)
    status = "entered-in-error" if in_error else "revoked"
    assert (case.status, theirs(case).status) == (status, status)
    assert case.resource["status"] == theirs(case).resource["status"] == status
    assert case.version == 2
    assert events(case)[2:] == ["request-revoke", "confirm-in-error" if in_error else "confirm-revoke"]


def test_a_lost_answer_to_a_revoke(sender: Desk) -> None:
    case = sender.sent(Category.VALIDATION)
    pending = sender.revoke(case)
    sender.network.after.append(timeout)
    case = sender.arrive(pending)
    assert case.status == CaseStatus.REVOKE_UNKNOWN
    assert "still trying by ourselves; wait before you tell the patient" in case.explanation
    assert case.explanation_code == "still-trying"
    case = sender.arrive(sender.check_again(case))
    assert (case.status, theirs(case).status) == ("revoked", "revoked")


def test_a_refused_revoke_leaves_the_case_as_it_was(sender: Desk) -> None:
    case = sender.sent()
    pending = sender.revoke(case)
    sender.network.before.append(refusing(409, "REC_CONFLICT", "conflict"))
    case = sender.arrive(pending)
    assert (case.status, case.ending, case.explanation_code) == ("sent", "", "changed")
    assert "has changed this case meanwhile" in case.explanation
    assert can_take_back(sender.acting, case)


def test_taken_back_there_already_sends_nothing(sender: Desk) -> None:
    case = sender.sent()
    held = theirs(case)
    Referral.objects.filter(pk=held.pk).update(resource={**held.resource, "status": "revoked"})
    found = sender.revoke(case)
    assert found.status == CaseStatus.REVOKED
    assert messages(case) == ["referral-new"]


def test_nothing_is_taken_back_that_cannot_be_read(sender: Desk) -> None:
    case = sender.sent()
    sender.network.before.append(unreachable)
    with pytest.raises(PolicyRefused, match="did not show us the request"):
        sender.revoke(case)
    sender.network.before.append(refusing(404, "REC_NOT_FOUND", "not-found"))
    assert sender.latest(case).state is LatestState.MISSING


# -- referring again


def test_referring_again_revokes_first(sender: Desk) -> None:
    old = sender.sent()
    plan = sender.refer_again(old, make_content(UseCase.A1T5, booking_ids=()))
    assert plan.made is None
    old = sender.arrive(old)
    done = rereferral_of(old)
    assert done is not None
    assert done.made is not None
    assert (old.status, done.made.status, done.made.use_case) == ("revoked", "sent", "a1t5")
    assert (done.made.journey, done.made.patient) == (old.journey, old.patient)
    assert Referral.objects.filter(direction=Direction.RECEIVED).count() == 2
    with pytest.raises(PolicyRefused, match="already sent in its place"):
        sender.refer_again(old, make_content(booking_ids=()))


def test_a_refused_revoke_refers_nobody_again_later(sender: Desk) -> None:
    old = sender.sent()
    sender.refer_again(old, make_content(booking_ids=()))
    sender.network.before.append(refusing(409, "REC_CONFLICT", "conflict"))
    old = sender.arrive(old)
    assert (old.status, Referral.objects.filter(direction=Direction.SENT).count()) == ("sent", 1)
    old = sender.arrive(sender.revoke(old))
    assert (old.status, Referral.objects.filter(direction=Direction.SENT).count()) == ("revoked", 1)


def test_the_second_half_may_be_tried_again(sender: Desk) -> None:
    old = sender.sent()
    pending = sender.revoke(old)
    old = sender.arrive(pending)
    plan = sender.refer_again(old, make_content(booking_ids=()))
    assert plan.made is not None
    assert sender.arrive(plan.made).status == CaseStatus.SENT


# -- who may, and pressing twice


def test_pressing_twice_sends_one_request(sender: Desk) -> None:
    draft = drafts.create_request_draft(
        acting=sender.acting, service=sender.service, use_case="a1t1", now=sender.now
    )
    first, second = sender.refer(draft=draft), sender.refer(draft=draft)
    assert first == second
    assert Referral.objects.count() == OutboundMessage.objects.count() == 1


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ({"active": False}, "closed"),
        ({"takes_referrals": False}, "takes no referrals"),
        ({"accepted_use_cases": ["a1t2"]}, "requests of this kind"),
        ({"requires_booking": True}, "Book the appointment first"),
    ],
    ids=["closed", "no-referrals", "use-case", "requires-booking"],
)
def test_what_a_service_does_not_take(sender: Desk, service: dict[str, Any], words: str) -> None:
    for name, value in service.items():
        setattr(sender.service, name, value)
    with pytest.raises(PolicyRefused, match=words):
        sender.refer()
    assert not OutboundMessage.objects.exists()


def test_only_clinicians_send_and_take_back(sender: Desk) -> None:
    case = sender.sent()
    sender.acting = make_acting(role="clerk", organisation=sender.acting.organisation)
    acts: list[Any] = [sender.refer, lambda: sender.revoke(case), lambda: sender.check_again(case)]
    for act in acts:
        with pytest.raises(PolicyRefused, match="Only clinicians"):
            act()


@pytest.mark.parametrize(("role", "author"), [("clerk", None), ("clinician", "PractitionerRole")])
def test_a_pharmacy_is_asked_by_anybody_and_only_clinicians_are_authors(
    sender: Desk, role: str, author: str | None
) -> None:
    sender.acting = make_acting(role=role, organisation=sender.acting.organisation)
    sender.refer(UseCase.A5T1)
    bundle = MessageBundle(json.loads(bytes(OutboundMessage.objects.get().body)))
    (plan,) = bundle.of_type("CarePlan")
    found = bundle.resolve(plan["author"]) if "author" in plan else None
    assert (found and found["resourceType"]) == author


def test_the_role_of_a_requester_is_sent_whether_or_not_the_spine_knows_them(sender: Desk) -> None:
    User.objects.update(role_code="158965000", role_display="Medical practitioner")
    sender.refer()
    bundle = MessageBundle(json.loads(bytes(OutboundMessage.objects.get().body)))
    (role,) = bundle.of_type("PractitionerRole")
    assert [each["code"] for each in role["code"][0]["coding"]] == ["158965000"]


@pytest.mark.parametrize(
    ("use_case", "sent"), [(UseCase.A1T1, []), (UseCase.A5T1, ["number-present-but-not-traced"])], ids=str
)
def test_a_number_that_was_only_typed(sender: Desk, use_case: UseCase, sent: list[str]) -> None:
    """Kept for our own searches; it leaves to a pharmacy alone, as what it is."""
    case = sender.refer(use_case, details=make_details(nhs_number_verified=False, traced_in=""))
    assert (case.patient.nhs_number, case.patient.traced_in) == (DETAILS.nhs_number, "")
    bundle = MessageBundle(json.loads(bytes(OutboundMessage.objects.get().body)))
    (patient,) = bundle.of_type("Patient")
    assert [
        each["extension"][0]["valueCodeableConcept"]["coding"][0]["code"]
        for each in patient.get("identifier", [])
    ] == sent


def test_another_organisation_cannot_take_it_back(sender: Desk) -> None:
    case = sender.sent()
    sender.acting = make_acting()
    with pytest.raises(PolicyRefused, match="organisation that sent"):
        sender.revoke(case)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"assessment": Assessment()}, ("assessment", "outcomes", "narrative")),
        ({}, ("patient.contacts",)),
    ],
    ids=["part", "nobody-to-call"],
)
def test_what_is_not_stated_is_named(sender: Desk, changes: dict[str, Any], fields: tuple[str, ...]) -> None:
    details = DETAILS if changes else make_details(contacts=())
    with pytest.raises(ContentInvalid) as raised:
        sender.refer(details=details, **changes)
    assert raised.value.fields == fields


def test_a_worker_that_dies_leaves_a_request_to_check(sender: Desk) -> None:
    referral = sender.refer()
    OutboundMessage.objects.update(state=DeliveryState.UNKNOWN)
    with pytest.raises(PolicyRefused):
        sender.revoke(referral)
    assert [each.to_status for each in changes_of(referral)] == ["requested"]
