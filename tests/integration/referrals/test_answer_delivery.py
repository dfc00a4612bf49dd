"""Answers on a bad wire, and to requests that make it hard: what becomes of them, and what people read."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.delivery import queue_again
from bars_portal.exchange.fhir.json import references
from bars_portal.exchange.models import OBSOLETE, DeliveryState, OutboundMessage
from bars_portal.exchange.transport.headers import Party
from referrals.cases.models import CaseReply
from referrals.cases.selectors import replies_of, responses_of
from referrals.cases.states import CaseStatus, ResponseState
from referrals.responding import decisions, delivery, policies
from referrals.responding.content import NonAttendance
from referrals.responding.delivery import OVERTAKEN
from referrals.worklist.selectors import troubled_responses
from tests.factories.referrals import NOW
from tests.integration.bookings.loopback import Fault, refusing, timeout
from tests.integration.referrals.desk import AnsweringDesk, outcome
from tests.integration.referrals.official import Bundle, answer_of

pytestmark = pytest.mark.django_db


def newest(desk: AnsweringDesk) -> CaseReply:
    reply = replies_of(desk.sent).last()
    assert reply is not None
    return reply


def test_a_lost_answer_is_checked_with_the_same_message(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    answer = decisions.start_case(case=case, acting=desk.clinician, now=desk.later()).answer
    assert answer is not None
    desk.network.after.append(timeout)
    desk.deliver()
    answer.refresh_from_db()
    assert answer.state == ResponseState.UNKNOWN
    assert "still trying by ourselves" in answer.explanation
    assert list(troubled_responses(desk.clinician)) == [answer]
    with pytest.raises(PolicyRefused, match="not taken"):
        delivery.send_response_again(answer=answer, acting=desk.clinician, now=desk.later())
    delivery.check_response_again(answer=answer, acting=desk.clinician, now=desk.later())
    desk.deliver()
    answer.refresh_from_db()
    assert (answer.state, answer.explanation) == (ResponseState.DELIVERED, "")
    first, second = [each for each in desk.network.requests if each.method == "POST"]
    assert (first.content, first.headers["X-Request-ID"]) == (second.content, second.headers["X-Request-ID"])
    assert replies_of(desk.sent).count() == 1


def test_a_lost_answer_arrives_by_itself(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    answer = decisions.start_case(case=case, acting=desk.clinician, now=desk.later()).answer
    assert answer is not None
    desk.network.after.append(timeout)
    desk.deliver()
    assert desk.network.deliver_due(after=timedelta(hours=2)) == [DeliveryState.ACCEPTED]
    answer.refresh_from_db()
    assert (answer.state, answer.explanation) == (ResponseState.DELIVERED, "")
    assert replies_of(desk.sent).count() == 1


def test_an_answer_that_a_later_one_overtook_is_not_sent_again(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    first = decisions.start_case(case=case, acting=desk.clinician, now=desk.later()).answer
    assert first is not None
    desk.network.before.append(timeout)
    desk.deliver()
    decisions.complete_validation(case=case, outcome=outcome(), acting=desk.clinician, now=desk.later())
    desk.deliver()
    assert desk.network.deliver_due(after=timedelta(hours=2)) == [DeliveryState.ABANDONED]
    first.refresh_from_db()
    assert (first.state, first.explanation) == (ResponseState.REFUSED, OVERTAKEN)
    assert replies_of(desk.sent).count() == 1
    assert list(troubled_responses(desk.clinician)) == []


def test_a_refused_answer_is_sent_again_as_a_new_message(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    answer = decisions.start_case(case=case, acting=desk.clinician, now=desk.later()).answer
    assert answer is not None
    desk.network.before.append(refusing(422, "REC_UNPROCESSABLE_ENTITY"))
    desk.deliver()
    answer.refresh_from_db()
    assert (answer.state, case.status) == (ResponseState.REFUSED, CaseStatus.RECEIVED)
    assert "this case is over" in answer.explanation
    case.refresh_from_db()
    assert case.status == CaseStatus.IN_PROGRESS, "the case is what our people decided"
    with pytest.raises(PolicyRefused, match="known"):
        delivery.check_response_again(answer=answer, acting=desk.clinician, now=desk.later())
    first = answer.bundle_id
    delivery.send_response_again(answer=answer, acting=desk.clinician, now=desk.later())
    desk.deliver()
    answer.refresh_from_db()
    assert (answer.state, desk.sent.status) == (ResponseState.DELIVERED, CaseStatus.IN_PROGRESS)
    assert answer.bundle_id != first
    assert newest(desk).bundle_id == answer.bundle_id


@pytest.mark.parametrize(
    ("lost_before", "fault"),
    [
        (False, refusing(500, "REC_SERVER_ERROR", "exception")),
        (True, refusing(500, "REC_SERVER_ERROR", "exception")),
        (True, refusing(409, "REC_CONFLICT", "conflict")),
        (True, refusing(422, "REC_UNPROCESSABLE_ENTITY")),
    ],
    ids=["500", "500 after a lost one", "409 after a lost one", "422 after a lost one"],
)
def test_a_refusal_that_nobody_can_read_back_waits_for_a_person(
    desk: AnsweringDesk, lost_before: bool, fault: Fault
) -> None:
    """Standard section 12, "Outcomes": a response cannot be read, so it may have arrived all the same."""
    case = desk.ask("VALREQ01")
    answer = decisions.start_case(case=case, acting=desk.clinician, now=desk.later()).answer
    assert answer is not None
    if lost_before:
        desk.network.before.append(timeout)
        desk.deliver()
        delivery.check_response_again(answer=answer, acting=desk.clinician, now=desk.later())
    desk.network.before.append(fault)
    desk.deliver()
    answer.refresh_from_db()
    assert answer.state == ResponseState.UNKNOWN
    assert "still trying by ourselves; telephone" in answer.explanation
    assert list(troubled_responses(desk.clinician)) == [answer]
    assert desk.network.deliver_due(after=timedelta(hours=2)) == [DeliveryState.ACCEPTED]
    answer.refresh_from_db()
    assert answer.state == ResponseState.DELIVERED
    assert replies_of(desk.sent).count() == 1


def test_what_was_refused_at_every_repeat_is_sent_as_a_new_message(
    desk: AnsweringDesk, settings: Any
) -> None:
    settings.BARS_RETRY_SECONDS = (1,)
    case = desk.ask("VALREQ01")
    answer = decisions.start_case(case=case, acting=desk.clinician, now=desk.later()).answer
    assert answer is not None
    desk.network.before.append(timeout)
    desk.deliver()
    with pytest.raises(PolicyRefused, match="not taken"):
        delivery.send_response_again(answer=answer, acting=desk.clinician, now=desk.later())
    desk.network.before.append(refusing(422, "REC_UNPROCESSABLE_ENTITY"))
    assert desk.network.deliver_due(after=timedelta(hours=2)) == [DeliveryState.ABANDONED]
    answer.refresh_from_db()
    assert answer.state == ResponseState.UNKNOWN
    old = OutboundMessage.objects.get(subject_id=str(answer.pk))
    delivery.send_response_again(answer=answer, acting=desk.clinician, now=desk.later())
    old.refresh_from_db()
    assert (queue_again(old), old.reason) == (False, OBSOLETE), "it is never repeated now"
    desk.deliver()
    answer.refresh_from_db()
    assert (answer.state, newest(desk).bundle_id) == (ResponseState.DELIVERED, answer.bundle_id)
    assert answer.bundle_id != str(old.bundle_id)
    events = AuditEvent.objects.filter(action="referrals.send_again_answer", subject_id=str(answer.pk))
    assert [each.actor_label for each in events] == [desk.clinician.actor.label]


def test_what_was_only_lost_is_checked_and_not_sent_anew(desk: AnsweringDesk, settings: Any) -> None:
    """Its first message may still be taken by a repeat."""
    settings.BARS_RETRY_SECONDS = ()
    case = desk.ask("VALREQ01")
    answer = decisions.start_case(case=case, acting=desk.clinician, now=desk.later()).answer
    assert answer is not None
    desk.network.before.append(timeout)
    desk.deliver()
    answer.refresh_from_db()
    assert answer.state == ResponseState.UNKNOWN
    assert policies.can_check_again(desk.clinician, answer)
    assert not policies.can_send_again(desk.clinician, answer)


def test_what_was_said_later_counts(desk: AnsweringDesk) -> None:
    """A refused interim is over when the outcome was told, and nobody need look after it."""
    case = desk.ask("VALREQ01")
    interim = decisions.start_case(case=case, acting=desk.clinician, now=desk.later()).answer
    assert interim is not None
    desk.network.before.append(refusing(422, "REC_UNPROCESSABLE_ENTITY"))
    desk.deliver()
    decisions.complete_validation(case=case, outcome=outcome(), acting=desk.clinician, now=desk.later())
    interim.refresh_from_db()
    with pytest.raises(PolicyRefused, match="later answer"):
        delivery.send_response_again(answer=interim, acting=desk.clinician, now=desk.later())
    assert list(troubled_responses(desk.clinician)) == [interim]
    desk.deliver()
    assert list(troubled_responses(desk.clinician)) == []
    full = responses_of(case).last()
    assert full is not None
    assert not full.is_update, "what was refused was never heard"


def test_an_answer_that_was_overtaken_says_so(desk: AnsweringDesk) -> None:
    """The outcome arrives before the interim response, which the requester then refuses as older.

    They keep their order, unless the clock of whoever wrote the first one was ahead.
    """
    case = desk.ask("VALREQ01")
    interim = decisions.start_case(case=case, acting=desk.clinician, now=desk.later()).answer
    decisions.complete_validation(case=case, outcome=outcome(), acting=desk.clinician, now=desk.later())
    assert interim is not None
    OutboundMessage.objects.filter(subject_id=str(interim.pk)).update(created_at=desk.later())
    full = desk.network.deliver_all()
    interim.refresh_from_db()
    desk.sent.refresh_from_db()
    assert full == [DeliveryState.ACCEPTED, DeliveryState.REFUSED]
    assert (interim.state, desk.sent.status) == (ResponseState.REFUSED, CaseStatus.COMPLETED)
    assert interim.explanation == "A later answer had reached the requester already."
    assert list(troubled_responses(desk.clinician)) == []


def test_a_request_without_an_address_is_answered_by_telephone(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    type(case).objects.filter(pk=case.pk).update(source_service_id="")
    answer = decisions.start_case(case=case, acting=desk.clinician, now=desk.later()).answer
    assert answer is not None
    assert (answer.state, answer.bundle_id) == (ResponseState.NO_ADDRESS, "")
    assert "Telephone" in answer.explanation
    assert not OutboundMessage.objects.exists()


def test_an_answer_names_the_latest_request(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    update = desk.request("VALREQ02")
    update["id"] = str(uuid4())
    answer_of(update, correlation_id=desk.conversation, organisation=Party(desk.asking.ods_code, "A"))
    answer = decisions.start_case(case=case, acting=desk.clinician, now=desk.later()).answer
    assert answer is not None
    assert answer.answers_bundle_id == update["id"]


@pytest.mark.parametrize("name", ["VALREQ01", "REFREQ8A", "REFREQ01"])
def test_a_request_whose_references_go_by_ids_of_its_own_is_answered(desk: AnsweringDesk, name: str) -> None:
    """Ids that are no UUIDs are replaced when we take a message, so such references lead nowhere any more."""
    case = desk.ask(name, change=by_ids)
    if name == "REFREQ01":
        missed = NonAttendance(NOW, NOW + timedelta(minutes=15))
        decisions.record_non_attendance(case=case, missed=missed, acting=desk.clinician, now=desk.later())
    else:
        decisions.start_case(case=case, acting=desk.clinician, now=desk.later())
        desk.deliver()
    if name == "VALREQ01":
        decisions.complete_validation(case=case, outcome=outcome(), acting=desk.clinician, now=desk.later())
    desk.deliver()
    assert {each.state for each in responses_of(case)} == {ResponseState.DELIVERED}
    expected = {"VALREQ01": "completed", "REFREQ8A": "in-progress", "REFREQ01": "did-not-attend"}
    assert desk.sent.status == expected[name]


def by_ids(bundle: Bundle) -> None:
    """Every reference as Type/number, as some systems write them."""
    names = {}
    for number, each in enumerate(bundle["entry"]):
        resource = each["resource"]
        resource["id"] = f"x{number}"
        names[each["fullUrl"]] = f"{resource['resourceType']}/x{number}"
    for reference in references(bundle):
        reference["reference"] = names.get(reference["reference"], reference["reference"])
