"""Referrals and validations through the API, over the wire to our own receiver."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bars_portal.api.models import Event
from bars_portal.api.scopes import Scope
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import SDS_ROLE_PROFILE_SYSTEM
from bars_portal.exchange.models import OutboundMessage
from bars_portal.patients.models import Patient
from directory.models import HealthcareService
from referrals.api.content import content_json
from referrals.api.referrals_json import response_json
from referrals.cases.models import Case, CaseReply, Referral, ValidationCase
from referrals.cases.states import CaseStatus, ReplyKind
from referrals.forms.base import FormContext
from referrals.parts.applications import application_of
from referrals.sending.models import Rereferral
from tests.factories.accounts import make_acting
from tests.factories.bookings import make_schedule, make_slot
from tests.factories.contents import FIRST_OF, STARTED, make_content
from tests.factories.referrals import make_hub, make_sent_case
from tests.integration.api.conftest import DOCTOR, PATIENT, Calls
from tests.integration.booking_pages.conftest import client_of
from tests.integration.bookings.loopback import Loopback, timeout
from tests.integration.referrals.sending import OWN_SERVICE_ID, Desk, theirs
from tests.integration.request_pages.conftest import Desk as PageDesk

pytestmark = pytest.mark.django_db
CLERK = DOCTOR.replace("clinician", "clerk").replace("true", "false")
NOT_CLINICAL = DOCTOR.replace("true", "false")


@dataclass
class Hub:
    """A service that takes every request, and an application of another organisation that refers to it."""

    calls: Calls
    service: HealthcareService
    network: Loopback

    def body(self, use_case: UseCase = UseCase.A1T1, **changes: Any) -> dict[str, Any]:
        """Everything that the use case can hold."""
        content = stated(use_case)
        service = {"service": self.service.service_id, "use_case": use_case.value}
        return {**service, "patient": PATIENT, "content": content, **changes}

    def post(self, path: str, body: Any, *, person: str = DOCTOR, **headers: str) -> Any:
        return self.calls.post(path, body, x_acting_user=person, **headers)

    def sent(self, use_case: UseCase = UseCase.A1T1, **changes: Any) -> Any:
        """As it stands once the service has answered."""
        kind = application_of(use_case).category.value
        made = self.post(f"{kind}s", self.body(use_case, **changes))
        assert made.status_code == 202, made.content
        return self.arrived(made)

    def arrived(self, answer: Any) -> Any:
        self.network.deliver_all()
        return self.read(answer).json()

    def read(self, answer: Any) -> Any:
        return self.calls.get(answer["Location"].split("/api/v1/")[1], x_acting_user=DOCTOR)


def stated(use_case: UseCase) -> dict[str, Any]:
    content = make_content(use_case)
    found = content_json(content, FormContext(use_case, datetime.now(UTC)))
    if "times" in found:
        found["times"] = {**found["times"], "end": "2199-01-01T10:00:00+00:00"}
    if use_case in (UseCase.A5T1,):
        found["task"].pop("start", None)
        found["task"].pop("end", None)
    return found


@pytest.fixture
def hub(calls: Calls, network: Loopback) -> Hub:
    service = make_hub(accepted_use_cases=[each.value for each in UseCase])
    organisation = calls.application.organisation
    make_hub(service_id=OWN_SERVICE_ID, provider=organisation, accepted_use_cases=[])
    return Hub(calls, service, network)


@pytest.mark.parametrize("use_case", FIRST_OF.values(), ids=FIRST_OF)
def test_a_full_request_arrives_and_is_read_as_it_was_sent(hub: Hub, use_case: UseCase) -> None:
    asked = hub.body(use_case)
    kind = application_of(use_case).category.value
    made = hub.post(f"{kind}s", asked)
    assert (made.status_code, made.json()["state"]["code"]) == (202, "requested"), made.content
    read = hub.arrived(made)
    assert read["state"] == {"code": "sent", "name": "Sent", "is_open": False}
    assert read["content"] == {**asked["content"], **_that_are_now(read["content"])}
    assert read["patient"]["family_name"] == "Quill"
    assert theirs(_case(read)).status == CaseStatus.RECEIVED
    assert Event.objects.filter(subject_id=read["id"]).count() == 2
    trail = AuditEvent.objects.get(action="referrals.view_case")
    assert trail.actor_label.startswith("Dr Ann Lee, through ")
    # Its author is who asked, as their own system knows them.
    (author,) = _resources(read["id"], "Practitioner")
    assert author["name"] == [{"family": "Dr Ann Lee"}]
    assert author["identifier"] == [{"system": "https://hospital.example/staff", "value": "77"}]


def _that_are_now(content: Any) -> dict[str, Any]:
    """What the pages fill in when it is sent."""
    return {"times": content["times"]} if "times" in content else {}


def _case(read: Mapping[str, Any]) -> Case:
    model = Referral if "/referrals/" in read["url"] else ValidationCase
    return model.objects.get(pk=read["id"])


def _resources(case_id: str, kind: str) -> list[Any]:
    message = OutboundMessage.objects.filter(subject_id=case_id).latest("created_at")
    entries = json.loads(bytes(message.body))["entry"]
    return [each["resource"] for each in entries if each["resource"]["resourceType"] == kind]


def test_a_person_with_a_role_profile_is_named_by_it_and_only_clinicians_author_a_plan(hub: Hub) -> None:
    person = DOCTOR.replace("https://hospital.example/staff", SDS_ROLE_PROFILE_SYSTEM)
    made = hub.post("referrals", hub.body(UseCase.A5T1), person=person.replace("true", "false"))
    assert made.status_code == 202, made.content
    (author,) = _resources(made.json()["id"], "Practitioner")
    assert author["identifier"] == [{"system": SDS_ROLE_PROFILE_SYSTEM, "value": "77"}]
    (plan,) = _resources(made.json()["id"], "CarePlan")
    clinical = hub.post("referrals", hub.body(UseCase.A5T1), person=person)
    (other,) = _resources(clinical.json()["id"], "CarePlan")
    assert "author" in other
    assert plan.get("author") != other["author"]


@pytest.mark.parametrize(
    ("person", "use_case", "status", "title"),
    [
        (None, UseCase.A1T1, 403, "A person has to answer for this"),
        (CLERK, UseCase.A1T1, 403, "This may not be done for this person"),
        (NOT_CLINICAL, UseCase.A4T1, 403, "This may not be done for this person"),
        (CLERK, UseCase.A5T1, 202, None),
    ],
)
def test_what_a_person_may_is_the_smaller_of_scope_and_role(
    hub: Hub, person: str | None, use_case: UseCase, status: int, title: str | None
) -> None:
    headers = {} if person is None else {"x_acting_user": person}
    kind = application_of(use_case).category.value
    for path in (f"{kind}s/validate", f"{kind}s"):
        answer = hub.calls.post(path, hub.body(use_case), **headers)
        assert answer.status_code == (200 if title is None and "validate" in path else status)
        assert answer.json().get("title") == title
    assert Referral.objects.filter(direction="sent").exists() == (status == 202)


BAD: list[tuple[UseCase, str, dict[str, str], Any]] = [
    (UseCase.A1T1, "assessment", {}, {}),
    (UseCase.A1T1, "assessment", {"narrative": "x" * 20_001}, {"narrative": "x" * 20_001}),
    (
        UseCase.A3T1,
        "assessment",
        {"narrative": "Pain", "priority": "C9", "rows": "1", "row-0-kind": "odd", "row-0-what": "Dx0122"},
        {"narrative": "Pain", "priority": "C9", "outcomes": [{"kind": "odd", "what": "Dx0122"}]},
    ),
    (
        UseCase.A3T1,
        "assessment",
        {
            "narrative": "Pain",
            "priority": "C3",
            "connected": "21/11/2026 14:30",
            "answered": "21/11/2026 14:20",
            "rows": "1",
            "row-0-what": "Sore",
        },
        {
            "narrative": "Pain",
            "priority": "C3",
            "connected": "2026-11-21T14:30:00+00:00",
            "answered": "2026-11-21T14:20:00+00:00",
            "outcomes": [{"what": "Sore"}],
        },
    ),
    (
        UseCase.A4T1,
        "times",
        {"end-day": "1", "end-month": "1", "end-year": "2020", "end_time": "10:00"},
        {"end": "2020-01-01T10:00:00+00:00"},
    ),
    (UseCase.A4T1, "flags", {"scene": "U"}, {"scene": "U"}),
    (
        UseCase.A4T1,
        "places",
        {"rows": "1", "row-0-town": "Leeds", "row-0-what3words": "one.two", "row-0-latitude": "99"},
        [{"town": "Leeds", "what3words": "one.two", "latitude": "99"}],
    ),
    (
        UseCase.A1T1,
        "allergies",
        {"known": "none-known", "rows": "1", "row-0-what": "Penicillin", "row-0-reaction": "\x07"},
        {"known": "none-known", "allergies": [{"what": "Penicillin", "reaction": "\x07"}]},
    ),
    (
        UseCase.A5T1,
        "task",
        {"what": "Whatever", "description": "Call"},
        {"what": "Whatever", "description": "Call"},
    ),
    (UseCase.A6T2, "task", {}, {}),
    (UseCase.A6T1, "questions", {"noisy": "yes"}, {"noisy": "yes"}),
    (UseCase.A1T1, "observations", {"age": "151"}, {"age": "151"}),
    (UseCase.A1T1, "rejected-services", {"rows": "1", "row-0-name": "X"}, [{"name": "X"}]),
    (UseCase.A1T1, "consent", {}, {}),
]


@pytest.mark.parametrize(("use_case", "slug", "typed", "given"), BAD)
def test_a_page_and_the_api_name_the_same_faults(
    hub: Hub, use_case: UseCase, slug: str, typed: dict[str, str], given: Any
) -> None:
    acting = make_acting()
    desk = PageDesk(acting, client_of(acting), hub.service, hub.network)
    draft = desk.begin(use_case.value)
    desk.fill(draft, slug, typed)
    page = desk.client.get(desk.step(draft, slug)).content.decode()
    summary = page.partition("nhsuk-error-summary__list")[2].partition("</ul>")[0]
    lines = re.findall("<li>.*?</li>", summary, re.DOTALL)
    on_the_page = [html.unescape(re.sub("<[^>]*>", "", each)).strip() for each in lines]
    assert on_the_page
    section = slug.replace("-", "_")
    body = hub.body(use_case)
    body["content"][section] = given
    kind = application_of(use_case).category.value
    refused = hub.post(f"{kind}s/validate", body)
    assert refused.status_code == 422
    faults = refused.json()["errors"]
    assert [each["detail"] for each in faults] == on_the_page
    assert all(each["pointer"].startswith(f"/content/{section}") for each in faults)
    assert hub.post(f"{kind}s", body).json()["errors"] == faults
    assert not Patient.objects.exists()


def test_every_fault_of_a_body_is_named_at_once(hub: Hub) -> None:
    body = {
        "use_case": "a1t1",
        "patient": {**PATIENT, "phone": ""},
        "content": {"times": {"end": "soon"}, "task": {}},
        "booking": str(uuid4()),
        "journey": "x",
        "colour": 1,
    }
    wanted = ["/booking", "/colour", "/content/assessment", "/content/consent", "/content/task"]
    wanted += ["/content/times/end", "/journey", "/patient/phone", "/service"]
    for path in ("referrals/validate", "referrals"):
        refused = hub.post(path, body)
        assert sorted(each["pointer"] for each in refused.json()["errors"]) == wanted
    other = hub.post("validations", {**hub.body(UseCase.A4T1), "use_case": "a1t1", "booking": "x"})
    assert {each["pointer"] for each in other.json()["errors"]} == {"/use_case", "/booking"}


def test_a_dry_run_writes_and_asks_nothing(hub: Hub) -> None:
    hub.network.requests.clear()
    untraced = {**PATIENT, "traced_in": ""}
    tried = hub.post("referrals/validate", hub.body(patient=untraced))
    assert (tried.status_code, tried.json()["can_be_sent"]) == (200, True)
    assert tried.json()["notes"]
    hub.service.accepted_use_cases = ["a1t2"]
    hub.service.save()
    refused = hub.post("referrals/validate", hub.body())
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "This service does not take requests of this kind. Choose another service.",
    )
    assert not hub.network.requests
    assert not OutboundMessage.objects.exists()
    assert not Patient.objects.exists()


def test_a_validation_is_updated_answered_and_taken_back(hub: Hub) -> None:
    sent = hub.sent(UseCase.A4T1)
    path = f"validations/{sent['id']}"
    tag = hub.calls.get(path)["ETag"]
    worse = {**stated(UseCase.A4T1)}
    worse["assessment"] = {**worse["assessment"], "narrative": "It is getting worse", "priority": "C2"}
    began = worse["assessment"].pop("started")
    changed = hub.post(f"{path}/update", {"content": worse}, if_match=tag)
    assert (changed.status_code, changed.json()["update"]["code"]) == (202, "updating"), changed.content
    read = hub.arrived(changed)
    assert read["update"] is None
    assert read["content"]["assessment"]["narrative"] == "It is getting worse"
    assert read["content"]["assessment"]["started"] == began
    stale = hub.post(f"{path}/update", {"content": worse}, if_match=tag)
    assert (stale.status_code, stale.json()["title"]) == (412, "It is no longer what If-Match names")
    case, desk = _case(read), Desk(make_acting(), hub.service, hub.network, hub.service)
    desk.hear(case, "in-progress")
    desk.tick()
    desk.hear(case, "finished")
    answered = hub.calls.get(path).json()
    assert answered["state"]["code"] == "completed"
    response, _ = answered["responses"]
    assert (response["kind"]["code"], response["is_from_a_stranger"]) == ("full", False)
    assert response["verdict"]
    assert response["outcomes"]
    types = Event.objects.filter(subject_id=case.pk).order_by("pk").values_list("type", flat=True)
    assert list(types)[-2:] == ["validation.in-progress", "validation.completed"]
    over = hub.post(f"{path}/revoke", {"how": "revoked", "reason": "x"})
    assert (over.status_code, over.json()["type"].rstrip("/").rpartition("/")[2]) == (409, "refused")


@pytest.mark.parametrize("kind", ReplyKind)
def test_what_only_repeats_the_plan_of_the_request_is_no_outcome(kind: ReplyKind) -> None:
    told = {"outcomes": [{"text": "Pain"}], "priority": "C2", "action_needed": True, "clock_start": STARTED}
    shown = response_json(make_sent_case(), CaseReply(kind=kind, received_at=STARTED, **told))
    assert [bool(shown[name]) for name in told] == [kind is ReplyKind.FULL] * len(told)


@pytest.mark.parametrize(("how", "code"), [("revoked", "revoked"), ("entered-in-error", "entered-in-error")])
def test_a_referral_is_taken_back(hub: Hub, how: str, code: str) -> None:
    sent = hub.sent()
    assert sent["can"] == ["revoke", "refer-again"]
    gone = hub.post(f"referrals/{sent['id']}/revoke", {"how": how, "reason": "The patient  is better"})
    assert (gone.status_code, gone.json()["state"]["code"]) == (202, "revoking"), gone.content
    read = hub.arrived(gone)
    assert (read["state"]["code"], read["end_reason"]) == (code, "The patient is better")


def test_a_referral_is_made_anew_and_names_who_asked(hub: Hub) -> None:
    sent = hub.sent()
    wrong = hub.post(f"referrals/{sent['id']}/refer-again", {"reassessed": "not-yet", "use_case": "a4t1"})
    assert {each["pointer"] for each in wrong.json()["errors"]} == {"/reassessed", "/reason", "/use_case"}
    again = {"reassessed": "unchanged", "reason": "Nearer", "use_case": "a1t2"}
    other = DOCTOR.replace("Dr Ann Lee", "Dr Bo Ray")
    changed = hub.post(f"referrals/{sent['id']}/refer-again", again, person=other)
    assert changed.status_code == 202, changed.content
    old = hub.arrived(changed)
    assert old["state"]["code"] == "revoked"
    new = hub.calls.get(f"referrals/{old['replaced_by']['referral']}").json()
    assert (new["state"]["code"], new["replaces"], new["use_case"]["code"]) == ("sent", sent["id"], "a1t2")
    (author,) = _resources(new["id"], "Practitioner")
    assert author["name"] == [{"family": "Dr Bo Ray"}]
    assert Rereferral.objects.filter(stated__name="Dr Bo Ray").exists()


def test_what_is_not_known_is_a_state_and_is_asked_again(hub: Hub) -> None:
    hub.sent()
    made = hub.post("referrals", hub.body())
    hub.network.before.append(timeout)
    unknown = hub.arrived(made)
    assert unknown["state"]["code"] == "unknown"
    assert unknown["reason"]
    assert unknown["can"] == ["check-again"]
    assert hub.read(made).status_code == 200
    again = hub.post(f"referrals/{unknown['id']}/check-again", {})
    assert (again.status_code, again.json()["state"]["code"]) == (202, "requested")
    assert hub.arrived(again)["state"]["code"] == "sent"


@dataclass
class Diary:
    """Times of the hub's service, and a booking of one of them."""

    hub: Hub

    def times(self) -> list[str]:
        found = self.hub.calls.get(f"services/{self.hub.service.service_id}/slots").json()
        return [each["id"] for each in found["slots"]]

    def booked(self, **more: Any) -> Any:
        body = {"slot": self.times()[0], "use_case": "a1t1", "patient": PATIENT, **more}
        made = self.hub.calls.post("bookings", body)
        assert made.status_code == 202, made.content
        return self.hub.arrived(made)


@pytest.fixture
def diary(hub: Hub) -> Diary:
    schedule, tomorrow = make_schedule(service=hub.service), datetime.now(UTC).date() + timedelta(days=1)
    for minutes in (0, 15, 30):
        make_slot(schedule=schedule, start=datetime.combine(tomorrow, time(10, minutes), UTC))
    return Diary(hub)


def test_a_referral_goes_with_the_booking_that_it_names(hub: Hub, diary: Diary) -> None:
    booked = diary.booked()
    hub.service.requires_booking = True
    hub.service.save()
    alone = hub.post("referrals/validate", hub.body())
    assert (alone.status_code, alone.json()["detail"][:21]) == (409, "This service takes re")
    assert hub.post("referrals/validate", hub.body(booking=booked["id"])).status_code == 200
    sent = hub.sent(booking=booked["id"])
    assert sent["bookings"] == [{"id": booked["id"], "stands": True, "is_late": False}]
    assert sent["journey"] == booked["journey"]
    blind = Calls(hub.calls.application, (Scope.REFERRALS_WRITE,))
    unseen = blind.post("referrals", hub.body(booking=booked["id"]), x_acting_user=DOCTOR)
    assert [each["pointer"] for each in unseen.json()["errors"]] == ["/booking"]


def test_a_booking_is_rebooked_with_its_referral_as_one_act(hub: Hub, diary: Diary) -> None:
    sent = hub.sent()
    booked = diary.booked(journey=sent["journey"])
    path, body = f"bookings/{booked['id']}/rebook", {"slot": diary.times()[0], "reason": "patient"}
    untold = hub.post(path, body)
    assert [each["pointer"] for each in untold.json()["errors"]] == ["/reassessed"], untold.content
    changed = hub.post(path, {**body, "reassessed": "changed"})
    assert changed.json()["errors"][0]["detail"].startswith("Refer again first")
    assert hub.post(path, {**body, "reassessed": "unchanged"}).status_code == 202
    hub.network.deliver_all()
    old = hub.calls.get(f"referrals/{sent['id']}").json()
    assert old["state"]["code"] == "revoked"
    new = hub.calls.get(f"referrals/{old['replaced_by']['referral']}").json()
    assert (new["state"]["code"], [each["stands"] for each in new["bookings"]]) == ("sent", [True])
    again = hub.calls.get(f"bookings/{booked['id']}").json()
    assert again["rebooking"]["booked"] == new["bookings"][0]["id"]


def test_a_list_goes_on_by_its_cursor_and_is_filtered(hub: Hub) -> None:
    ids = [hub.sent(UseCase.A1T1)["id"], hub.sent(UseCase.A3T1)["id"], hub.sent(UseCase.A1T1)["id"]]
    page = hub.calls.get("referrals", {"limit": 2}).json()
    rest = hub.calls.client.get(page["next"], headers=hub.calls.headers).json()
    assert [each["id"] for each in (*page["items"], *rest["items"])] == ids[::-1]
    assert rest["next"] is None
    first = hub.calls.get(f"referrals/{ids[0]}").json()
    for filters, found in (
        ({"use_case": "a3t1"}, [ids[1]]),
        ({"journey": first["journey"]}, [ids[0]]),
        ({"state": "sent", "service": hub.service.service_id}, ids[::-1]),
        ({"state": "refused"}, []),
        ({"service": "1"}, []),
        ({"due_before": "2150-01-01T00:00:00Z"}, []),
        ({"due_from": "2150-01-01T00:00:00Z"}, ids[::-1]),
    ):
        listed = hub.calls.get("referrals", filters).json()["items"]
        assert [each["id"] for each in listed] == found, filters
    assert not hub.calls.get("validations").json()["items"]
    wrong = hub.calls.get(
        "referrals", {"state": "x", "use_case": "x", "journey": "x", "due_from": "1", "q": 1}
    )
    assert len(wrong.json()["errors"]) == 5


def test_who_may_not_see_patients_sees_neither_them_nor_what_is_said(hub: Hub) -> None:
    sent = hub.sent()
    blind = Calls(hub.calls.application, (Scope.REFERRALS_READ,))
    read = blind.get(f"referrals/{sent['id']}")
    assert (read.json()["patient"], read.json()["content"]) == (None, None)
    assert not re.search("quill|chest pain", read.content.decode().lower())
    # A tag says nothing of who asks: what may be done next depends on them.
    path = f"referrals/{sent['id']}"
    assert hub.calls.get(path)["ETag"] == hub.calls.get(path, x_acting_user=DOCTOR)["ETag"]
