"""A received case goes onward: same journey and conversation, what was received as a draft, an outcome."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir import json
from bars_portal.exchange.models import OutboundMessage
from referrals.cases.models import Case, Referral
from referrals.cases.states import CaseStatus
from referrals.sending.models import RequestDraft
from tests.factories.accounts import make_acting, make_organisation
from tests.factories.referrals import make_hub
from tests.integration.referral_pages.conftest import Office, client_of, words
from tests.integration.referrals.official import Bundle, of_type

KNOWN_HERE = "Refer onward"
SENTENCES = {
    CaseStatus.REVOKED: "The requester has taken this case back.",
    CaseStatus.ENTERED_IN_ERROR: "The requester entered this case in error.",
    CaseStatus.REJECTED: "This case was rejected already.",
}


def ask(office: Office, name: str) -> Case:
    """A published request; its NHS number fails the check, which the form of the patient would say."""

    def with_a_number(bundle: Bundle) -> None:
        of_type(bundle, "Patient")["identifier"][0]["value"] = "9434765919"

    return office.desk.ask(name, change=with_a_number)


def begin(office: Office, case: Case, use_case: str = "a1t1") -> RequestDraft:
    """To an emergency department of somebody else, as far as the list of tasks."""
    service = make_hub(provider=make_organisation())
    address = reverse("referrals:new", query={"onward": case.pk, "service": service.service_id})
    response = office.client.post(address, {"use_case": use_case})
    assert response.status_code == 302, words(response)
    return RequestDraft.objects.get()


def press_send(office: Office, draft: RequestDraft) -> Any:
    """On what ground data is shared is asked anew."""
    assert "consent" not in draft.typed
    step = reverse("referrals:request-step", args=[draft.pk, "consent"])
    assert office.client.post(step, {"consent": "IMPLIED"}).status_code == 302
    return office.client.post(reverse("referrals:request-check", args=[draft.pk]), follow=True)


def send(office: Office, draft: RequestDraft) -> Referral:
    response = press_send(office, draft)
    assert "There is a problem" not in words(response)
    return Referral.objects.get(direction=Direction.SENT, onward_from__isnull=False)


def test_what_was_received_is_a_draft_that_a_person_reads(office: Office) -> None:
    case = ask(office, "VALREQ01")
    assert KNOWN_HERE in words(office.client.get(office.page(case)))
    chosen = words(office.client.get(reverse("referrals:new", query={"onward": case.pk})))
    assert f"onward={case.pk}" in chosen
    looks = AuditEvent.objects.filter(action="referrals.view_case", subject_id=str(case.pk))
    before = looks.count()
    draft = begin(office, case)
    assert looks.count() > before
    assert draft.onward_from == case.pk
    assert draft.typed["patient"]["family_name"] == case.patient.family_name
    assert draft.typed["assessment"]["narrative"]
    assert draft.typed["assessment"]["case_number"] == case.reference
    tasks = words(office.client.get(reverse("referrals:request", args=[draft.pk])))
    assert "Started" in tasks
    told = words(office.client.get(reverse("referrals:request-check", args=[draft.pk])))
    assert draft.typed["assessment"]["narrative"][:40].strip() in told


def test_it_keeps_the_journey_and_the_conversation(office: Office) -> None:
    """The conversation in which the case came, also where its journey began in another one."""
    case = ask(office, "VALREQ01")
    case.correlation_id = uuid4()
    case.save(update_fields=["correlation_id"])
    sent = send(office, begin(office, case))
    assert (sent.journey, sent.correlation_id) == (case.journey, case.correlation_id)
    assert (sent.organisation, sent.patient) == (case.organisation, case.patient)
    message = OutboundMessage.objects.get(subject_id=str(sent.pk))
    assert message.correlation_id == case.correlation_id
    encounter = of_type(json.loads(bytes(message.body)), "Encounter")
    assert encounter["episodeOfCare"] == [{"reference": f"EpisodeOfCare/{case.journey.journey_id}"}]
    journey = words(office.client.get(reverse("referrals:journey", args=[case.journey_id])))
    assert "carries on a case that we received" in journey
    page = words(office.client.get(reverse("referrals:sent-case", args=[sent.pk])))
    assert office.page(case) in page
    assert "give the outcome there" in page


def test_the_requester_is_told_by_the_outcome(office: Office) -> None:
    case = ask(office, "VALREQ01")
    sent = send(office, begin(office, case))
    page = words(office.client.get(office.page(case)))
    assert "The requester does not know that yet" in page
    assert reverse("referrals:sent-case", args=[sent.pk]) in page
    form = words(office.client.get(reverse("referrals:outcome", args=[case.pk])))
    assert 'value="onward" checked' in form
    assert 'value="C5" checked' in form
    assert f"Referred onward to {sent.service.name}" in form


def test_an_outcome_that_says_onward_asks_for_the_request(office: Office) -> None:
    case = ask(office, "VALREQ01")
    typed = {
        "disposition": "onward",
        "priority": "C5",
        "triage_1": "DX02",
        "narrative": "To be seen by a department.",
        "send": "1",
    }
    office.pressed("outcome", case, **typed)
    case.refresh_from_db()
    assert case.status == CaseStatus.COMPLETED
    assert "The onward referral is missing" in words(office.client.get(office.page(case)))
    send(office, begin(office, case))
    assert "The onward referral is missing" not in words(office.client.get(office.page(case)))


def test_a_referral_goes_onward_and_is_completed_with_those_words(office: Office) -> None:
    case = ask(office, "REFREQ01")
    sent = send(office, begin(office, case))
    form = words(office.client.get(reverse("referrals:complete", args=[case.pk])))
    assert f"Referred onward to {sent.service.name}" in form


@pytest.mark.parametrize("status", list(SENTENCES))
def test_what_was_taken_back_goes_nowhere(office: Office, status: CaseStatus) -> None:
    """Also when that happened while the draft was written."""
    case = ask(office, "VALREQ01")
    draft = begin(office, case)
    type(case).objects.filter(pk=case.pk).update(status=status)
    assert KNOWN_HERE not in words(office.client.get(office.page(case)))
    response = press_send(office, draft)
    assert not Referral.objects.filter(onward_from__isnull=False).exists()
    assert SENTENCES[status] in words(response)
    blocked = words(office.client.get(reverse("referrals:new", query=_query(case, draft))))
    assert SENTENCES[status] in blocked


@pytest.mark.parametrize("role", [Role.CLERK, Role.MANAGER, Role.AUDITOR])
def test_only_clinicians_refer_onward(office: Office, role: Role) -> None:
    case = ask(office, "VALREQ01")
    assert KNOWN_HERE not in words(office.colleague(role).get(office.page(case)))


def test_nobody_refers_onward_what_others_received(office: Office) -> None:
    case = ask(office, "VALREQ01")
    stranger = client_of(make_acting())
    for asked in (case.pk, UUID(int=0), "nothing"):
        address = reverse("referrals:new", query={"onward": asked, "service": case.service.service_id})
        assert stranger.get(address).status_code == 404


def _query(case: Case, draft: RequestDraft) -> dict[str, Any]:
    return {"onward": case.pk, "service": draft.service.service_id}
