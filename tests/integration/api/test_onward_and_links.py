"""A received case through the API: carried on by a request of ours, and linked with an appointment later."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import jsonschema
import pytest

from bars_portal.api.operations import Scope
from bars_portal.api.schema import document
from bars_portal.audit.models import AuditEvent
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.codes import UseCase
from bookings.models import Booking
from directory.models import HealthcareService
from referrals.cases.models import BookingLink, Referral
from referrals.cases.states import CaseStatus
from tests.factories.api import make_application
from tests.factories.bookings import TOMORROW, make_booking
from tests.factories.patients import make_details, make_patient
from tests.factories.referrals import make_case, make_hub
from tests.integration.api.conftest import CLERK, DOCTOR, PATIENT, Calls, Hub

pytestmark = pytest.mark.django_db
# What is stated anew of a case that goes onward: on what ground, and what the old request did not have.
NOBODYS = "00000000-0000-4000-8000-000000000000"
ANEW = {"consent": {"consent": "IMPLIED"}}


@dataclass
class Onward:
    """A referral that an application sent, where it arrived, and a service that it can go on to."""

    hub: Hub
    case: Referral
    calls: Calls
    next: HealthcareService

    @property
    def path(self) -> str:
        return f"cases/{self.case.pk}"

    def read(self, calls: Calls | None = None) -> Any:
        return (calls or self.calls).get(self.path, x_acting_user=DOCTOR).json()

    def begun(self, use_case: str) -> Any:
        answer = self.calls.get(f"{self.path}/onward-content", {"use_case": use_case})
        assert answer.status_code == 200, answer.content
        schema = {"$ref": "#/components/schemas/OnwardContent", "components": document()["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())
        return answer.json()

    def body(self, use_case: str = "a1t2", **changes: Any) -> dict[str, Any]:
        begun = self.begun(use_case)
        content = {**begun["content"], **ANEW}
        return {**begun, "service": self.next.service_id, "content": content, **changes}

    def post(self, path: str, body: Any, *, person: str = DOCTOR) -> Any:
        return self.calls.post(path, body, x_acting_user=person)


@pytest.fixture
def onward(hub: Hub) -> Onward:
    hub.sent(UseCase.A1T1)
    case = Referral.objects.get(direction=Direction.RECEIVED)
    calls = Calls(make_application(organisation=case.organisation))
    return Onward(hub, case, calls, make_hub(accepted_use_cases=["a1t2", "a4t1"]))


def test_a_case_goes_onward_with_what_it_said(onward: Onward) -> None:
    assert "refer-onward" in onward.read()["can"]
    body = onward.body()
    said = onward.hub.calls.get("referrals", x_acting_user=DOCTOR).json()["items"][0]
    assert body["patient"]["family_name"] == PATIENT["family_name"]
    assert "consent" not in onward.begun("a1t2")["content"]
    tried = onward.post("referrals/validate", body)
    assert tried.status_code == 200, tried.content
    made = onward.post("referrals", body)
    assert made.status_code == 202, made.content
    read = made.json()
    assert (read["onward_from"], read["journey"]) == (str(onward.case.pk), str(onward.case.journey_id))
    assert read["content"]["assessment"]["case_number"] == onward.case.reference == said["reference"]
    onward.hub.network.deliver_all()
    shown = onward.read()
    assert [each["id"] for each in shown["onward"]] == [read["id"]]
    sent = Referral.objects.get(pk=read["id"])
    assert (sent.status, sent.correlation_id) == (CaseStatus.SENT, onward.case.correlation_id)


def test_a_validation_can_carry_a_case_on_too(onward: Onward) -> None:
    body = onward.body("a4t1")
    body["content"]["times"] = {"end": "2199-01-01T10:00:00+00:00"}
    body["content"].setdefault("flags", {})["scene"] = "UNK"
    body["content"].setdefault("assessment", {})["priority"] = "C3"
    body["content"].setdefault(
        "places", [{"address": "20 The Headrow", "town": "Leeds", "postcode": "LS1 6PT"}]
    )
    made = onward.post("validations", body)
    assert made.status_code == 202, made.content
    assert made.json()["onward_from"] == str(onward.case.pk)


@pytest.mark.parametrize(
    ("changes", "pointer", "words"),
    [
        ({"onward_from": NOBODYS}, "/onward_from", "There is no such case."),
        ({"onward_from": "x"}, "/onward_from", "There is no such case."),
        ({"onward_from": 7}, "/onward_from", "There is no such case."),
        ({"onward_from": "sent"}, "/onward_from", "There is no such case."),
        ({"journey": "other"}, "/journey", "The case that goes onward has a journey of its own"),
    ],
)
def test_what_cannot_be_carried_on_is_named(
    onward: Onward, changes: dict[str, Any], pointer: str, words: str
) -> None:
    sent = Referral.objects.get(direction=Direction.SENT)
    other = make_patient(organisation=onward.case.organisation).journey
    real = {"sent": str(sent.pk), "other": str(other.pk)}
    told = {name: real.get(value, value) for name, value in changes.items()}
    for path in ("referrals/validate", "referrals"):
        (fault,) = onward.post(path, onward.body(**told)).json()["errors"]
        assert (fault["pointer"], fault["detail"].startswith(words)) == (pointer, True)


def test_who_may_not_see_or_carry_on_a_case_does_not(onward: Onward) -> None:
    body = onward.body()
    blind = Calls(onward.calls.application, (Scope.REFERRALS_WRITE,))
    unseen = blind.post("referrals", body, x_acting_user=DOCTOR)
    assert [each["pointer"] for each in unseen.json()["errors"]] == ["/onward_from"]
    strange = onward.hub.post("referrals", body)
    assert [each["pointer"] for each in strange.json()["errors"]] == ["/onward_from"]
    assert onward.hub.calls.get(f"{onward.path}/onward-content", {"use_case": "a1t2"}).status_code == 404
    elsewhere = onward.calls.application
    elsewhere.service_ids = [onward.next.service_id]
    elsewhere.save()
    closed = onward.post("referrals", body)
    assert [each["pointer"] for each in closed.json()["errors"]] == ["/onward_from"]
    elsewhere.service_ids = []
    elsewhere.save()
    assert "refer-onward" not in onward.calls.get(onward.path, x_acting_user=CLERK).json()["can"]
    Referral.objects.filter(pk=onward.case.pk).update(status=CaseStatus.REJECTED)
    for path in ("referrals/validate", "referrals"):
        over = onward.post(path, body)
        assert (over.status_code, over.json()["detail"]) == (409, "This case was rejected already.")
    assert not Referral.objects.filter(onward_from=onward.case.pk).exists()


@pytest.mark.parametrize("asked", [{}, {"use_case": "x"}, {"use_case": "a1t2", "usecase": "a1t2"}])
def test_what_goes_onward_is_asked_for_by_use_case(onward: Onward, asked: dict[str, str]) -> None:
    refused = onward.calls.get(f"{onward.path}/onward-content", asked)
    assert (refused.status_code, refused.json()["title"]) == (400, "The request cannot be read")


# -- links


@dataclass
class Pair:
    """A received booking and a received referral of one patient, and an application there."""

    calls: Calls
    booking: Booking
    case: Referral

    def do(self, what: str, booking: Any = None, *, calls: Calls | None = None, person: str = CLERK) -> Any:
        body = {"booking": str(self.booking.pk) if booking is None else booking}
        return (calls or self.calls).post(f"cases/{self.case.pk}/{what}", body, x_acting_user=person)


@pytest.fixture
def pair(calls: Calls) -> Pair:
    hub = make_hub(provider=calls.application.organisation)
    patient = make_patient(organisation=hub.provider)
    booking = make_booking(direction=Direction.RECEIVED, service=hub, patient=patient, start=TOMORROW)
    case = make_case(service=hub, patient=patient)
    assert isinstance(case, Referral)
    return Pair(calls, booking, case)


def test_an_appointment_is_linked_and_unlinked_later(pair: Pair) -> None:
    read = pair.calls.get(f"cases/{pair.case.pk}", x_acting_user=CLERK).json()
    assert [each["id"] for each in read["linkable_bookings"]] == [str(pair.booking.pk)]
    assert ("link-booking" in read["can"], "unlink-booking" in read["can"]) == (True, False)
    for _ in range(2):
        linked = pair.do("link-booking")
        assert linked.status_code == 200, linked.content
    told = linked.json()
    (shown,) = told["bookings"]
    assert (shown["id"], shown["by_hand"]) == (str(pair.booking.pk), True)
    assert (told["linkable_bookings"], "unlink-booking" in told["can"]) == ([], True)
    assert BookingLink.objects.get().made_by_label.endswith(f"{pair.calls.application.name} (application)")
    assert AuditEvent.objects.filter(action="referrals.link_booking").count() == 1
    apart = pair.do("unlink-booking")
    assert (apart.status_code, apart.json()["bookings"]) == (200, [])
    again = pair.do("unlink-booking")
    assert (again.status_code, again.json()["detail"]) == (409, "They are not linked by hand.")


@pytest.mark.parametrize("what", ["link-booking", "unlink-booking"])
@pytest.mark.parametrize("named", [NOBODYS, "x", 7, "sent", "strange"])
def test_only_what_was_received_here_is_linked(pair: Pair, what: str, named: Any) -> None:
    real = {
        "sent": make_booking(organisation=pair.case.organisation, patient=pair.case.patient),
        "strange": make_booking(direction=Direction.RECEIVED),
    }
    refused = pair.do(what, str(real[named].pk) if named in real else named)
    assert refused.json()["errors"] == [{"detail": "There is no such booking.", "pointer": "/booking"}]


def test_who_is_another_patient_and_who_may_not_are_refused(pair: Pair) -> None:
    details = make_details(nhs_number="9658499007", family_name="Dyball", birth_date=date(1932, 10, 29))
    somebody = make_patient(organisation=pair.case.organisation, details=details)
    about: dict[str, Any] = {
        "service": pair.case.service,
        "patient": somebody,
        "start": TOMORROW,
        "reference": "R-2",
    }
    other = make_booking(direction=Direction.RECEIVED, **about)
    refused = pair.do("link-booking", str(other.pk))
    assert (refused.status_code, refused.json()["detail"]) == (409, "This booking is for another patient.")
    unnamed = pair.calls.post(f"cases/{pair.case.pk}/link-booking", {"booking": str(pair.booking.pk)})
    assert unnamed.status_code == 403
    blind = pair.do("link-booking", calls=Calls(pair.calls.application, (Scope.WORKLIST_WRITE,)))
    assert blind.json()["detail"] == "You are not allowed to see received bookings."
    strange = pair.do("link-booking", calls=Calls(make_application()))
    assert strange.status_code == 404
    assert not BookingLink.objects.exists()
