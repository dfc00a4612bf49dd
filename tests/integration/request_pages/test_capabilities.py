"""What the service itself says that it takes, before anything is written for it."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.exchange.fhir.codes import UseCase
from directory.models import ServiceCapability
from directory.selectors.services import SILENT_FOR, capability_of
from referrals.sending.models import RequestDraft
from tests.integration.bookings.loopback import answering, refusing, timeout, unreachable
from tests.integration.request_pages.conftest import Desk, make_desk
from tests.worlds import Kept, Worlds


@pytest.fixture(scope="module")
def kept_desk(worlds: Worlds) -> Kept[Desk]:
    """Nobody has asked the service yet."""
    return worlds.keep("kept_desk", make_desk)


def offered(desk: Desk) -> set[str]:
    page = first_page(desk)
    return {each.value for each in UseCase if f'value="{each.value}"' in page}


def asked(desk: Desk) -> list[str]:
    return [each.url.path.rpartition("/")[2] for each in desk.network.requests]


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
    assert asked(desk) == ["MessageDefinition", "metadata"], "the answers are kept"


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
    assert asked(desk)[:1] == ["MessageDefinition"]
    assert len(asked(desk)) <= 2, "not asked by every page"


@pytest.mark.parametrize(
    ("use_cases", "lasts"), [(["a1t1"], timedelta(hours=12)), (None, SILENT_FOR)], ids=["known", "silent"]
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
    manager = sign_in(desk.acting.organisation, Role.MANAGER)
    manager.get(address(desk))
    assert manager.post(reverse("referrals:ask-again", args=[desk.service.service_id])).status_code == 403
    assert not desk.network.requests


def statement(*definitions: str, version: str = "1.1.0") -> dict[str, Any]:
    base = "https://fhir.nhs.uk/MessageDefinition/"
    supported = [{"mode": "receiver", "definition": base + each} for each in definitions]
    return {
        "resourceType": "CapabilityStatement",
        "version": version,
        "messaging": [{"supportedMessage": supported}],
    }


REFERRALS, VALIDATIONS = (
    f"bars-message-servicerequest-request-{kind}" for kind in ("referral", "validation")
)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ([REFERRALS, VALIDATIONS], {"a1t1", "a4t1"}),
        ([REFERRALS], {"a1t1"}),
        ([VALIDATIONS], {"a4t1"}),
        (["bars-message-booking-request"], set()),
        (["something-else"], {"a1t1", "a4t1"}),
        ([], {"a1t1", "a4t1"}),
    ],
    ids=["both", "referrals", "validations", "bookings", "unknown names", "no list"],
)
def test_only_messages_of_its_capability_statement(desk: Desk, listed: list[str], expected: set[str]) -> None:
    desk.network.before += [answering(searchset(definition("a1t1", "a4t1"))), answering(statement(*listed))]
    assert offered(desk) == expected


def test_another_version_of_the_standard_is_explained(desk: Desk) -> None:
    told = statement(REFERRALS, version="2.0.0")
    desk.network.before += [answering(searchset(definition("a1t1"))), answering(told)]
    assert "works with another version of the standard" in first_page(desk)
    kept = ServiceCapability.objects.get()
    assert (kept.version, kept.agreed_version, kept.definitions) == ("2.0.0", "", [REFERRALS])
    assert "Ask the service again" in first_page(desk)


def test_the_highest_version_that_both_know_is_kept(desk: Desk) -> None:
    told = statement(REFERRALS, version="1.0.0-beta")
    desk.network.before += [answering(searchset(definition("a1t1"))), answering(told)]
    assert offered(desk) == {"a1t1"}
    assert ServiceCapability.objects.get().agreed_version == "1.0.0"


@pytest.mark.parametrize("fault", [timeout, refusing(404, "REC_NOT_FOUND")], ids=["timeout", "not found"])
def test_without_a_capability_statement_the_definitions_count(desk: Desk, fault: Any) -> None:
    desk.network.before += [answering(searchset(definition("a1t1"))), fault]
    assert offered(desk) == {"a1t1"}
    kept = ServiceCapability.objects.get()
    assert (kept.use_cases, kept.version, kept.definitions) == (["a1t1"], "", None)
