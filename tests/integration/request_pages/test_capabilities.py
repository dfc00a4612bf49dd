"""What the service itself says that it takes, before anything is written for it."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from bars_portal.accounts.roles import Role
from bars_portal.exchange.fhir.codes import UseCase
from referrals.models import RequestDraft, ServiceCapability
from referrals.selectors import capability_of
from referrals.selectors.capabilities import KEPT_FOR, SILENT_FOR
from tests.integration.bookings.loopback import answering, refusing, timeout, unreachable
from tests.integration.request_pages.conftest import Desk


def offered(desk: Desk) -> set[str]:
    page = first_page(desk)
    return {each.value for each in UseCase if f'value="{each.value}"' in page}


def first_page(desk: Desk) -> str:
    return str(desk.client.get(address(desk)).content.decode())


def address(desk: Desk) -> str:
    return reverse("referrals:new", query={"service": desk.service.service_id})


def definition(*use_cases: str, event: str = "servicerequest-request") -> dict[str, Any]:
    system = "http://fhir.nhs.uk/CodeSystem/usecases-categories-bars"
    contexts = [
        {"valueCodeableConcept": {"coding": [{"system": system, "code": code}]}} for code in use_cases
    ]
    return {
        "resourceType": "MessageDefinition",
        "eventCoding": {"code": event},
        "useContext": contexts,
    }


def searchset(*definitions: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": each} for each in definitions]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def test_our_own_receiver_says_what_the_directory_says(desk: Desk) -> None:
    desk.service.accepted_use_cases = ["a1t1", "a4t1", "a5t1"]
    desk.service.save()
    assert offered(desk) == {"a1t1", "a4t1", "a5t1"}
    kept = ServiceCapability.objects.get()
    assert kept.use_cases == ["a1t1", "a4t1", "a5t1"]
    desk.service.refresh_from_db()
    assert desk.service.last_success_at is not None


def test_only_what_both_say_is_offered_and_created(desk: Desk) -> None:
    told = searchset(definition("a1t1", "a1t2"), definition("a3t1", event="booking-request"))
    desk.network.before.append(answering(told))
    assert offered(desk) == {"a1t1", "a1t2"}
    response = desk.client.post(address(desk), {"use_case": "a3t1"})
    assert "Select what kind of request it is" in response.content.decode()
    assert not RequestDraft.objects.exists()
    assert len(desk.network.requests) == 1, "the answer is kept"


def test_nothing_that_can_be_sent_is_explained(desk: Desk) -> None:
    desk.service.accepted_use_cases = ["a1t1"]
    desk.service.save()
    desk.network.before.append(answering(searchset(definition("a5t1"))))
    page = first_page(desk)
    assert "does not take requests of this kind" in page
    assert "Ask the service again" in page


@pytest.mark.parametrize(
    "fault",
    [
        timeout,
        unreachable,
        refusing(404, "REC_NOT_FOUND"),
        refusing(500, "REC_SERVER_ERROR"),
        answering(searchset()),
        answering(searchset({"resourceType": "MessageDefinition", "useContext": "?"})),
        answering({"resourceType": "Patient"}),
    ],
    ids=["timeout", "no route", "not found", "broken", "nothing", "nonsense", "something else"],
)
def test_a_service_that_says_nothing_is_taken_at_the_directorys_word(desk: Desk, fault: Any) -> None:
    desk.network.before.append(fault)
    assert offered(desk) == set(desk.service.accepted_use_cases)
    assert ServiceCapability.objects.get().use_cases is None
    assert "so this list is from the directory" in first_page(desk)
    assert len(desk.network.requests) == 1, "not asked by every page"


@pytest.mark.parametrize(
    ("use_cases", "lasts"), [(["a1t1"], KEPT_FOR), (None, SILENT_FOR)], ids=["known", "silent"]
)
def test_how_long_an_answer_counts(desk: Desk, use_cases: list[str] | None, lasts: timedelta) -> None:
    read_at = desk.network.now
    ServiceCapability.objects.create(service=desk.service, use_cases=use_cases, read_at=read_at)
    instant = timedelta(seconds=1)
    assert capability_of(desk.service, now=read_at + lasts - instant) is not None
    assert capability_of(desk.service, now=read_at + lasts) is None


def test_asking_again(desk: Desk) -> None:
    desk.network.before.append(answering(searchset(definition("a1t1"))))
    assert offered(desk) == {"a1t1"}
    again = desk.client.post(reverse("referrals:ask-again", args=[desk.service.service_id]))
    assert again["Location"] == address(desk)
    assert offered(desk) == set(desk.service.accepted_use_cases)


def test_nobody_is_asked_for_people_who_may_not_send(desk: Desk, sign_in: Any) -> None:
    clerk = sign_in(desk.acting.organisation, Role.CLERK)
    clerk.get(address(desk))
    assert clerk.post(reverse("referrals:ask-again", args=[desk.service.service_id])).status_code == 403
    assert not desk.network.requests
