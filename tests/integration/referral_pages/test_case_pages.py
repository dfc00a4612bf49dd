"""What the pages of received and sent cases and of their journey show, and to whom."""

from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.models import OutboundMessage
from bookings.states import BookingStatus
from referrals.cases.models import Case, CaseReply
from referrals.cases.states import CaseStatus, Category
from referrals.responding import decisions
from tests.factories.accounts import make_acting
from tests.factories.bookings import make_booking
from tests.factories.referrals import make_hub, make_sent_case
from tests.integration.bookings.loopback import Loopback, timeout
from tests.integration.referral_pages.conftest import Office, client_of, words
from tests.integration.referrals.desk import outcome
from tests.integration.referrals.sending import Desk, make_desk, messages, theirs
from tests.worlds import Kept, Worlds

TAKE_BACK = {"how": "revoked", "reason": "The patient feels better"}


@pytest.mark.parametrize(
    ("booked", "case_status", "offered"),
    [
        (None, CaseStatus.SENT, True),
        ("cancelled", CaseStatus.SENT, True),
        ("booked", CaseStatus.SENT, False),
        ("unknown", CaseStatus.SENT, False),
        ("cancel-unknown", CaseStatus.SENT, False),
        (None, CaseStatus.UNKNOWN, False),
        (None, CaseStatus.REVOKING, False),
    ],
)
def test_no_second_appointment_is_offered_nor_one_for_what_may_be_over(
    booked: str | None, case_status: CaseStatus, offered: bool, db: None
) -> None:
    acting = make_acting()
    service = make_hub()
    case = make_sent_case(Category.REFERRAL, organisation=acting.organisation, service=service)
    named = uuid4()
    type(case).objects.filter(pk=case.pk).update(status=case_status, booking_ids=[named])
    if booked is not None:
        make_booking(
            organisation=acting.organisation,
            service=service,
            patient=case.patient,
            status=BookingStatus(booked),
            remote_id=str(named),
        )
    page = words(client_of(acting).get(reverse("referrals:sent-case", args=[case.pk])))
    assert ("Book an appointment for this case" in page) is offered


def test_the_message_is_on_the_page(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    page = words(office.client.get(office.page(case)))
    for said in ("Referral received", case.reference, "Not stated", "Print view", "The whole journey"):
        assert said in page
    assert "In this message" in page
    assert AuditEvent.objects.filter(action="referrals.view_case", subject_id=str(case.pk)).count() == 1
    printed = words(office.client.get(f"{office.page(case)}?print=1"))
    assert "In this message" in printed
    assert "Accept this referral" not in printed


@pytest.mark.parametrize("role", list(Role))
def test_a_case_of_another_organisation_is_not_there(office: Office, role: Role) -> None:
    case = office.desk.ask("REFREQ01")
    stranger = client_of(make_acting(role=role))
    pages = [office.page(case), office.sent_page(), f"/referrals/journeys/{case.journey_id}/"]
    for address in pages:
        assert stranger.get(address).status_code in (403, 404)
    assert office.asking.get(office.page(case)).status_code == 404
    assert office.client.get(office.sent_page()).status_code == 404


def test_a_version_shows_what_was_known_then(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    page = office.client.get(reverse("referrals:version", args=[case.pk, 1]))
    assert "This is what was known on" in words(page)
    assert office.client.get(reverse("referrals:version", args=[case.pk, 7])).status_code == 404


def test_an_answer_from_somebody_else_is_a_warning(office: Office) -> None:
    case = office.desk.ask("VALREQ01")
    decisions.complete_validation(
        case=case, outcome=outcome(), acting=office.desk.clinician, now=office.desk.later()
    )
    office.desk.deliver()
    assert "who was not asked" not in words(office.asking.get(office.sent_page()))
    CaseReply.objects.update(source_service_id="2000099123", sender_ods_code="ZZ9", sender_name="Elsewhere")
    page = words(office.asking.get(office.sent_page()))
    assert "From Elsewhere, who was not asked" in page


@pytest.fixture(scope="module")
def kept_sender(worlds: Worlds) -> Kept[Desk]:
    return worlds.keep("kept_sender", make_desk)


@pytest.fixture
def sender(kept_sender: Kept[Desk], network: Loopback) -> Desk:
    """Somebody who sends; what they send goes to our own receiver."""
    desk = kept_sender.copy()
    desk.network = network
    network.now = desk.now
    return desk


@pytest.mark.parametrize(
    ("how", "status"), [("revoked", "revoked"), ("entered-in-error", "entered-in-error")]
)
def test_a_request_is_taken_back(sender: Desk, how: str, status: str) -> None:
    case, client = sender.sent(), client_of(sender.acting)
    address = reverse("referrals:take-back", args=[case.pk])
    assert "Why is it taken back?" in words(client.get(address))
    assert AuditEvent.objects.filter(action="referrals.view_case", subject_id=str(case.pk)).count() == 1
    missing = client.post(address, {"how": "", "reason": ""})
    assert words(missing).count("Enter the reason in a few words") >= 2
    for _ in range(2):
        assert client.post(address, {**TAKE_BACK, "how": how}).status_code == 302
    sender.arrive(case)
    assert case.status == status
    assert len(messages(case)) == 2
    assert "The patient feels better" in words(client.get(sent_page_of(case)))
    there = theirs(case)
    receiver = client_of(make_acting(organisation=sender.service.provider))
    page = words(receiver.get(reverse("referrals:received", args=[there.pk])))
    assert "In this message" in page
    # What was asked must not be read as if it still stood.
    assert page.index("The requester ") < page.index("At a glance")
    assert "Read version 1" in page
    assert "Accept this referral" not in page


def test_only_who_sends_takes_back(sender: Desk) -> None:
    case = sender.sent()
    clerk = client_of(make_acting(role=Role.CLERK, organisation=sender.acting.organisation))
    back = clerk.get(reverse("referrals:take-back", args=[case.pk]))
    assert back["Location"] == reverse("referrals:sent-case", args=[case.pk])
    assert "Only clinicians" in words(clerk.get(sent_page_of(case)))


def test_an_unclear_end_is_checked_again(sender: Desk) -> None:
    case, client = sender.sent(), client_of(sender.acting)
    client.post(reverse("referrals:take-back", args=[case.pk]), TAKE_BACK)
    status = reverse("referrals:sent-status", args=[case.pk])
    assert "Waiting for the service" in words(client.get(status))
    sender.network.after.append(timeout)
    sender.arrive(case)
    assert "Do not send it a second time" in words(client.get(sent_page_of(case)))
    settled = client.get(status)
    assert (settled.status_code, settled["HX-Refresh"]) == (204, "true")
    for _ in range(2):
        client.post(reverse("referrals:check-again", args=[case.pk]))
    sender.arrive(case)
    assert case.status == CaseStatus.REVOKED
    assert len(messages(case)) == 2


def sent_page_of(case: Case) -> str:
    return reverse("referrals:sent-case", args=[case.pk])


def test_news_of_a_sent_case_are_said(office: Office) -> None:
    case = office.desk.ask("VALREQ01")
    address = reverse("referrals:sent-news", args=[office.desk.sent.pk])
    assert office.asking.get(f"{address}?steps=1").status_code == 204
    office.press("start", case)
    office.desk.deliver()
    assert "Something came back" in words(office.asking.get(f"{address}?steps=1"))


@pytest.mark.parametrize("utc", [False, True])
def test_the_journey_tells_both_sides(office: Office, utc: bool) -> None:
    case = office.desk.ask("VALREQ01")
    office.press("start", case)
    office.desk.deliver()
    query = "?utc=1" if utc else ""
    received = words(office.client.get(f"/referrals/journeys/{case.journey_id}/{query}"))
    assert office.page(case) in received
    assert "answer: Started" in received
    sent = words(office.asking.get(f"/referrals/journeys/{office.desk.sent.journey_id}/{query}"))
    assert office.sent_page() in sent
    assert "reply: Started" in sent
    assert (" UTC," in sent) == utc


def test_the_list_of_what_was_sent(office: Office) -> None:
    office.desk.ask("VALREQ01")
    address = "/referrals/sent/"
    assert office.sent_page() in words(office.asking.get(address))
    for query, shown in (("?kind=validation", True), ("?kind=referral", False), ("?status=x&page=q", True)):
        assert (office.sent_page() in words(office.asking.get(address + query))) == shown
    assert office.sent_page() not in words(office.client.get(address))


def test_nothing_of_the_patient_in_titles_and_addresses(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    response: Any = office.client.get(office.page(case))
    title = words(response).partition("<title>")[2].partition("</title>")[0]
    assert case.patient.family_name.casefold() not in title.casefold()
    assert response["Cache-Control"].startswith("no-store") or "no-store" in response["Cache-Control"]


def test_what_was_sent_and_what_came_back_can_be_read(office: Office) -> None:
    case = office.desk.ask("VALREQ01")
    office.press("start", case)
    office.desk.deliver()
    message = OutboundMessage.objects.get(organisation=case.organisation)
    address = reverse("referrals:sent-message", args=[case.journey_id, message.pk])
    assert address in words(office.client.get(reverse("referrals:journey", args=[case.journey_id])))
    page = words(office.client.get(address))
    for said in ("Message sent: Validation started", "It was taken.", "HTTP 200", "Below is what was sent"):
        assert said in page
    answer = words(office.client.get(f"{address}?answer=1"))
    assert "Below is the answer to attempt 1" in answer
    assert "Below is what was sent" in words(office.client.get(f"{address}?answer=9"))
    assert AuditEvent.objects.filter(action="referrals.view_sent_message").count() == 3
    assert office.asking.get(address).status_code == 404
    elsewhere = reverse("referrals:sent-message", args=[office.desk.sent.journey_id, message.pk])
    assert office.asking.get(elsewhere).status_code == 404
