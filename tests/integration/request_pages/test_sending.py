"""From the first page to the reference: entry points, second presses, answers that do not come, updates."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.models import OutboundMessage
from bars_portal.nhsuk.dates import in_london
from bars_portal.patients.models import Journey, Patient
from directory.models import ServiceCapability
from referrals.cases.models import Referral, ValidationCase
from referrals.cases.states import CaseStatus
from referrals.parts.content import content_from_json
from referrals.sending.models import SENT, RequestDraft, Rereferral
from tests.factories.bookings import make_booking
from tests.factories.patients import TYPED, make_patient
from tests.integration.bookings.loopback import answering, refusing, timeout
from tests.integration.request_pages.conftest import PATIENT, Desk
from tests.integration.request_pages.minimal import minimal
from tests.integration.request_pages.test_capabilities import definition, searchset

ED, VALIDATION, CAD = UseCase.A1T1, UseCase.A4T1, UseCase.A6T1


def begun(desk: Desk, use_case: UseCase = ED, **query: Any) -> RequestDraft:
    if not query:
        return desk.written(use_case)
    return desk.filled(desk.begin(use_case.value, **query), minimal(use_case))


def sent(desk: Desk, use_case: UseCase = ED) -> Any:
    desk.send(begun(desk, use_case))
    return desk.case()


def page_of(desk: Desk, name: str, *args: object) -> str:
    return unescape(desk.client.get(reverse(f"referrals:{name}", args=args)).content.decode())


def new(desk: Desk, **query: object) -> Any:
    return desk.client.get(reverse("referrals:new", query=query))


def test_only_what_the_service_accepts_is_offered(desk: Desk) -> None:
    desk.service.accepted_use_cases = ["a1t1", "a4t1"]
    desk.service.save()
    page = new(desk, service=desk.service.service_id).content.decode()
    assert 'value="a1t1"' in page
    assert 'value="a4t1"' in page
    assert 'value="a5t1"' not in page
    response = desk.client.post(
        reverse("referrals:new", query={"service": desk.service.service_id}), {"use_case": "a5t1"}
    )
    assert "Select what kind of request it is" in response.content.decode()
    assert not RequestDraft.objects.exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"active": False}, "This service is closed"),
        ({"takes_referrals": False}, "takes no referrals"),
        ({"requires_booking": True}, "Book the appointment first"),
        ({"accepted_use_cases": []}, "does not take requests of this kind"),
    ],
    ids=["closed", "no referrals", "booking first", "no kinds"],
)
def test_what_cannot_be_sent_is_explained(desk: Desk, changes: dict[str, Any], sentence: str) -> None:
    for name, value in changes.items():
        setattr(desk.service, name, value)
    desk.service.save()
    page = new(desk, service=desk.service.service_id).content.decode()
    assert sentence in page
    assert ("Book an appointment there" in page) is ("requires_booking" in changes)


def test_a_clerk_reads_why_not(desk: Desk, sign_in: Any) -> None:
    desk.service.accepted_use_cases = [ED.value]
    desk.service.save()
    clerk = sign_in(desk.acting.organisation, Role.CLERK)
    response = clerk.get(reverse("referrals:new", query={"service": desk.service.service_id}))
    assert "Only clinicians may refer patients or ask for a validation." in response.content.decode()
    draft = desk.begin()
    assert clerk.get(reverse("referrals:request", args=[draft.pk])).status_code == 404
    service = clerk.get(reverse("directory:service", args=[desk.service.service_id])).content.decode()
    assert "Only clinicians may refer patients" in service


@pytest.mark.parametrize("name", ["booking", "journey", "again", "update", "service"])
@pytest.mark.parametrize(
    "value", ["x", "0", "00000000-0000-0000-0000-000000000000"], ids=["text", "zero", "nobody"]
)
def test_what_is_not_there_is_not_found(desk: Desk, name: str, value: str) -> None:
    assert new(desk, **{"service": desk.service.service_id, name: value}).status_code == 404


@pytest.mark.parametrize(
    ("use_case", "words"), [(ED, "it is kept here and not sent"), (UseCase.A5T1, "it is sent as not traced")]
)
def test_a_number_that_was_only_typed_is_said_to_be_before_sending(
    desk: Desk, use_case: UseCase, words: str
) -> None:
    draft = begun(desk, use_case)
    assert words not in page_of(desk, "request-check", draft.pk)
    desk.fill(draft, "patient", {**PATIENT, "traced_in": ""})
    assert words in page_of(desk, "request-check", draft.pk)


def test_a_booking_brings_its_patient_and_is_named(desk: Desk) -> None:
    """Also where the service takes referrals only with an appointment."""
    desk.service.requires_booking = True
    desk.service.save()
    patient = make_patient(organisation=desk.acting.organisation, details=TYPED)
    booking = make_booking(
        organisation=desk.acting.organisation,
        service=desk.service,
        patient=patient,
        remote_id="3cac9cde-a262-42b3-bcf1-215ab79c3e37",
    )
    link = reverse("bookings:detail", args=[booking.pk])
    assert f"?booking={booking.pk}" in desk.client.get(link).content.decode()
    looks = AuditEvent.objects.filter(action="bookings.view_booking", subject_id=str(booking.pk))
    assert looks.count() == 1
    draft = desk.begin(booking=booking.pk)
    assert looks.count() == 2
    assert draft.typed["patient"]["family_name"] == patient.family_name
    steps = {slug: typed for slug, typed in minimal(ED).items() if slug != "patient"}
    desk.send(desk.filled(draft, steps))
    case = desk.case()
    assert (case.status, case.journey, case.patient) == (CaseStatus.SENT, booking.journey, patient)
    assert content_from_json(case.content).booking_ids == (booking.remote_id,)


def test_a_journey_brings_its_patient(desk: Desk) -> None:
    patient = make_patient(organisation=desk.acting.organisation)
    chooser = new(desk, journey=patient.journey.pk).content.decode()
    assert f"service={desk.service.service_id}&amp;journey={patient.journey.pk}" in chooser
    draft = desk.begin(journey=patient.journey.pk)
    assert draft.typed["patient"]["family_name"] == patient.family_name
    assert AuditEvent.objects.get(action="referrals.view_journey").subject_id == str(patient.journey.pk)


def test_a_second_press_finds_the_first_case(desk: Desk) -> None:
    draft = begun(desk)
    first, second = desk.send(draft), desk.send(draft)
    assert first["Location"] == second["Location"]
    assert OutboundMessage.objects.count() == 1
    tasks = desk.client.get(reverse("referrals:request", args=[draft.pk]))
    assert tasks["Location"] == first["Location"]


PAGES = ("request", "request-patient", "request-check", "request-discard", "assessment", "consent")


@pytest.mark.parametrize("kind", ["new", "update", "again"])
def test_every_page_of_a_sent_draft_leads_to_what_became_of_it(desk: Desk, kind: str) -> None:
    use_case = CAD if kind == "update" else ED
    query = {} if kind == "new" else {kind: sent(desk, use_case).pk}
    draft = begun(desk, use_case) if kind == "new" else desk.begin(use_case.value, **query)
    desk.send(draft, reason="Another service is nearer", reassessed="unchanged")
    case = Referral.objects.filter(direction=Direction.SENT).latest("created_at")
    kept = RequestDraft.objects.count()
    for name in PAGES:
        is_step = not name.startswith("request")
        address = desk.step(draft, name) if is_step else reverse(f"referrals:{name}", args=[draft.pk])
        verbs = {"request": ["get"], "request-discard": ["post"]}.get(name, ["get", "post"])
        for verb in verbs:
            response = desk.client.generic(verb.upper(), address)
            assert response["Location"] == reverse("referrals:confirmation", args=[case.pk]), name
    assert RequestDraft.objects.count() == kept
    stranger = RequestDraft.objects.create(
        user=draft.user,
        organisation=make_patient().organisation,
        service=desk.service,
        use_case="a1t1",
        typed={SENT: True},
        created_at=desk.network.now,
        updated_at=desk.network.now,
    )
    assert desk.client.get(reverse("referrals:request", args=[stranger.pk])).status_code == 404


def test_an_update_that_was_refused_is_no_success(desk: Desk) -> None:
    case = sent(desk, CAD)
    draft = desk.begin(CAD.value, update=case.pk)
    desk.client.post(reverse("referrals:request-check", args=[draft.pk]))
    desk.network.before.append(refusing(422, "REC_UNPROCESSABLE_ENTITY"))
    desk.network.deliver_all()
    page = page_of(desk, "confirmation", case.pk)
    assert "Not updated" in page
    assert "nhsuk-panel" not in page
    assert "Tell the patient which service" not in page


def test_a_request_that_is_over_asks_for_nothing_more(desk: Desk) -> None:
    case = sent(desk)
    assert "What to do next" in page_of(desk, "confirmation", case.pk)
    Referral.objects.filter(pk=case.pk).update(status=CaseStatus.DID_NOT_ATTEND)
    assert "What to do next" not in page_of(desk, "confirmation", case.pk)
    Referral.objects.filter(pk=case.pk).update(status=CaseStatus.REVOKED)
    assert "old referral" not in page_of(desk, "confirmation", case.pk), "nothing took its place"


def test_what_is_taken_back_at_the_service_already_is_recorded(desk: Desk) -> None:
    case = sent(desk)
    held = Referral.objects.get(direction=Direction.RECEIVED)
    held.status, held.resource = CaseStatus.REVOKED, {**held.resource, "status": "revoked"}
    held.save()
    response = desk.client.get(reverse("referrals:take-back", args=[case.pk]), follow=True)
    assert "taken back at the service already" in response.content.decode()
    case.refresh_from_db()
    assert case.status == CaseStatus.REVOKED
    assert OutboundMessage.objects.count() == 1, "nothing is sent"


@pytest.mark.parametrize(("hours", "late"), [(-1, True), (1, False)], ids=["after", "before"])
def test_an_appointment_after_the_time_frame_is_warned_of_before_sending(
    desk: Desk, hours: int, late: bool
) -> None:
    booking = make_booking(
        organisation=desk.acting.organisation,
        service=desk.service,
        start=desk.network.now.replace(second=0, microsecond=0) + timedelta(days=3),
        remote_id="3cac9cde-a262-42b3-bcf1-215ab79c3e37",
    )
    draft = desk.begin(booking=booking.pk)
    steps = {slug: typed for slug, typed in minimal(ED).items() if slug != "patient"}
    seen_by = in_london(booking.start + timedelta(hours=hours))
    times = {
        "end-day": str(seen_by.day),
        "end-month": str(seen_by.month),
        "end-year": str(seen_by.year),
        "end_time": f"{seen_by:%H:%M}",
    }
    desk.filled(draft, {**steps, "times": times})
    warned = "The appointment is after the time by which the patient is to be seen"
    assert (warned in page_of(desk, "request-check", draft.pk)) is late
    desk.send(draft)
    assert (warned in page_of(desk, "sent-case", desk.case().pk)) is late


@pytest.mark.parametrize("query", ["again", "update"])
def test_a_page_that_says_no_leads_back_to_the_case(desk: Desk, query: str) -> None:
    case = sent(desk)
    Referral.objects.filter(pk=case.pk).update(status=CaseStatus.COMPLETED)
    page = unescape(new(desk, **{query: case.pk}).content.decode())
    assert reverse("referrals:sent-case", args=[case.pk]) in page


def test_nothing_is_written_before_it_is_sent(desk: Desk) -> None:
    draft = begun(desk)
    page_of(desk, "request-check", draft.pk)
    assert not Patient.objects.exists()
    assert not Journey.objects.exists()
    assert not OutboundMessage.objects.exists()


def test_what_was_typed_is_on_the_last_page(desk: Desk) -> None:
    draft = begun(desk)
    desk.fill(draft, "flags", {"row-0-kind": "SG|836881000000105", "row-0-words": "Two small children"})
    page = page_of(desk, "request-check", draft.pk)
    assert "Safeguarding Concern: Child is cause for safeguarding concern" in page
    assert "Two small children" in page
    assert "Chest pain since this morning" in page


def test_no_answer_is_checked_again(desk: Desk) -> None:
    draft = begun(desk)
    desk.network.before.append(timeout)
    desk.send(draft)
    case = desk.case()
    page = page_of(desk, "confirmation", case.pk)
    assert "We do not know yet whether this arrived" in page
    again = desk.client.post(reverse("referrals:confirmation-check-again", args=[case.pk]))
    assert again.status_code == 302
    desk.network.deliver_all()
    case.refresh_from_db()
    assert case.status == CaseStatus.SENT
    assert case.reference in page_of(desk, "confirmation", case.pk)
    received = Referral.objects.filter(direction=Direction.RECEIVED)
    assert received.count() == 1


def test_a_refusal_is_in_plain_words(desk: Desk) -> None:
    draft = begun(desk)
    desk.network.before.append(refusing(422, "REC_UNPROCESSABLE_ENTITY"))
    desk.send(draft)
    page = page_of(desk, "confirmation", desk.case().pk)
    assert "This request was not sent" in page
    assert "Choose another service" in page


def test_a_waiting_page_asks_until_it_is_known(desk: Desk) -> None:
    draft = begun(desk)
    desk.client.post(reverse("referrals:request-check", args=[draft.pk]))
    case = desk.case()
    assert "Still confirming" in page_of(desk, "confirmation", case.pk)
    status = reverse("referrals:confirmation-status", args=[case.pk])
    assert "Waiting for the service to answer" in desk.client.get(status).content.decode()
    desk.network.deliver_all()
    assert desk.client.get(status).headers["HX-Refresh"] == "true"


@pytest.mark.parametrize("use_case", [VALIDATION, CAD], ids=str)
def test_an_update_begins_with_what_was_sent(desk: Desk, use_case: UseCase) -> None:
    case = sent(desk, use_case)
    before = content_from_json(case.content)
    draft = desk.begin(use_case.value, update=case.pk)
    assert draft.typed["patient"]["family_name"] == PATIENT["family_name"]
    asked = dict(draft.typed["assessment"])
    desk.fill(draft, "assessment", {**asked, "narrative": "Now short of breath"})
    response = desk.send(draft)
    assert response["Location"] == reverse("referrals:confirmation", args=[case.pk])
    case.refresh_from_db()
    after = content_from_json(case.content)
    assert after.assessment.narrative == "Now short of breath"
    assert after.assessment.started_at == before.assessment.started_at
    assert after.places == before.places
    assert desk.send(draft)["Location"] == response["Location"]
    assert OutboundMessage.objects.count() == 2


def test_an_update_of_a_referral_is_explained(desk: Desk) -> None:
    page = new(desk, update=sent(desk).pk).content.decode()
    assert "A referral like this is not updated" in page


def test_referring_again(desk: Desk) -> None:
    old = sent(desk)
    draft = desk.begin(ED.value, again=old.pk)
    assert draft.typed["assessment"]["narrative"] == "Chest pain since this morning"
    assert "Enter why the old referral is taken back" in desk.send(draft).content.decode()
    response = desk.send(draft, reason="Another service is nearer", reassessed="unchanged")
    assert response["Location"] == reverse("referrals:confirmation", args=[old.pk])
    desk.network.deliver_all()
    old.refresh_from_db()
    plan = Rereferral.objects.get()
    assert (old.status, old.end_reason) == (CaseStatus.REVOKED, "Another service is nearer")
    assert plan.made is not None
    assert plan.made.status == CaseStatus.SENT
    assert plan.made.patient == old.patient
    assert reverse("referrals:confirmation", args=[plan.made.pk]) in page_of(desk, "confirmation", old.pk)
    assert desk.send(draft, reason="Again", reassessed="unchanged")["Location"] == reverse(
        "referrals:confirmation", args=[plan.made.pk]
    ), "what became of it"
    assert Referral.objects.filter(direction=Direction.SENT).count() == 2


def test_a_validation_takes_no_referrals_place(desk: Desk) -> None:
    old = sent(desk)
    assert 'value="a4t1"' not in new(desk, again=old.pk).content.decode()


def test_a_request_that_was_left_is_found_again(desk: Desk, sign_in: Any) -> None:
    """After the end of a session too: what was typed before it is there."""
    left, gone = begun(desk), begun(desk)
    desk.send(gone)
    desk.client.logout()
    assert desk.fill(left, "consent", {"consent": "IMPLIED"})["Location"].startswith("/accounts/sign-in/")
    desk.client.force_login(desk.acting.user)
    home = desk.client.get(reverse("home")).content.decode()
    assert "Requests that you have not sent yet: 1" in home
    page = page_of(desk, "drafts")
    assert reverse("referrals:request", args=[left.pk]) in page
    assert "QUILL, Ada Mary" in page
    assert str(gone.pk) not in page
    assert "You have no requests" in sign_in(None).get(reverse("referrals:drafts")).content.decode()


def test_stopping_deletes_what_was_typed(desk: Desk) -> None:
    draft = begun(desk)
    assert desk.client.post(reverse("referrals:request-discard", args=[draft.pk])).status_code == 302
    assert not RequestDraft.objects.exists()


def test_cases_of_others_are_not_there(desk: Desk, sign_in: Any) -> None:
    address = reverse("referrals:confirmation", args=[sent(desk).pk])
    assert sign_in(None).get(address).status_code == 404
    assert not ValidationCase.objects.exists()


@pytest.mark.parametrize(("hours", "is_sent"), [(11, True), (12, False)], ids=["still counts", "too old"])
def test_the_service_is_asked_again_when_its_word_is_too_old(desk: Desk, hours: int, is_sent: bool) -> None:
    draft = begun(desk)
    ServiceCapability.objects.update(read_at=desk.network.now - timedelta(hours=hours))
    told = searchset(definition("a5t1"))
    desk.network.before += [] if is_sent else [answering(told)]
    desk.client.post(reverse("referrals:request-check", args=[draft.pk]))
    assert Referral.objects.filter(direction=Direction.SENT).exists() is is_sent
    if not is_sent:
        assert "does not take such requests now" in page_of(desk, "request-check", draft.pk)
