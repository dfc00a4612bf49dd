"""Referrals and validations through the API, over the wire to our own receiver."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from bars_portal.api.models import Event
from bars_portal.api.operations import Scope
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import SDS_ROLE_PROFILE_SYSTEM
from bars_portal.exchange.models import OutboundMessage
from bars_portal.patients.models import Patient
from referrals.api.responses import response_json
from referrals.cases.models import Case, CaseReply, Referral, ValidationCase
from referrals.cases.states import CaseStatus, ReplyKind
from referrals.parts.applications import application_of
from referrals.sending.models import Rereferral
from referrals.sending.views import lookup
from tests.factories.accounts import make_acting
from tests.factories.contents import FIRST_OF, STARTED
from tests.factories.referrals import make_sent_case
from tests.integration.api.conftest import CLERK, DOCTOR, NOT_CLINICAL, PATIENT, Calls, Diary, Hub, stated
from tests.integration.bookings.loopback import timeout
from tests.integration.referrals.sending import Desk, theirs

pytestmark = pytest.mark.django_db


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
    whole = hub.calls.get(response["url"].partition("/api/v1/")[2]).json()
    assert whole["content"]["groups"]
    assert {name: each for name, each in whole.items() if name != "content"} == response
    blind = Calls(hub.calls.application, (Scope.REFERRALS_READ,))
    assert blind.get(response["url"].partition("/api/v1/")[2]).json()["content"] is None
    unknown = hub.calls.get(f"{path}/responses/{10**17}")
    assert unknown.status_code == 404
    assert response["outcomes"]
    types = Event.objects.filter(subject_id=case.pk).order_by("pk").values_list("type", flat=True)
    assert "validation.task-raised" in types
    steps = [each for each in types if each != "validation.task-raised"]
    assert steps[-2:] == ["validation.in-progress", "validation.completed"]
    over = hub.post(f"{path}/revoke", {"how": "revoked", "reason": "x"})
    assert (over.status_code, over.json()["type"].rstrip("/").rpartition("/")[2]) == (409, "refused")


@pytest.mark.parametrize("kind", ReplyKind)
def test_what_only_repeats_the_plan_of_the_request_is_no_outcome(kind: ReplyKind) -> None:
    told = {"outcomes": [{"text": "Pain"}], "priority": "C2", "action_needed": True, "clock_start": STARTED}
    request, reply = (
        Request(RequestFactory().get("/")),
        CaseReply(pk=1, kind=kind, received_at=STARTED, **told),
    )
    shown = response_json(request, make_sent_case(), reply)
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


def test_an_outcome_that_comes_between_two_looks_is_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case is read, then it is settled, then its message is looked at: it waits for nothing any more."""
    case = Referral.objects.get(pk=hub.post("referrals", hub.body()).json()["id"])

    def settles_now(_: Case) -> bool:
        hub.network.deliver_all()
        return False

    monkeypatch.setattr(lookup, "is_waiting", settles_now)
    lookup.wait_for_case(case, patience=1)
    assert case.status == CaseStatus.SENT


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
