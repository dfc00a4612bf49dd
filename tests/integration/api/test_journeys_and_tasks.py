"""Journeys, patients and tasks through the API: as the pages have them, and nothing of anybody else's."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bars_portal.api.models import Event
from bars_portal.api.operations import Scope
from bars_portal.api.schema import document
from bars_portal.audit.models import AuditEvent
from referrals.cases.duties import Duty
from tests.factories.api import make_application
from tests.factories.patients import make_details, make_patient
from tests.factories.referrals import make_case, make_hub
from tests.integration.api.conftest import DOCTOR, Calls
from tests.integration.bookings.loopback import Loopback
from tests.integration.referral_pages.conftest import network
from tests.integration.referrals.desk import AnsweringDesk

__all__ = ["network"]
PERSON = {"X_Acting_User": DOCTOR}
NUMBER = "9449306621"


def check(body: Any, name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)


@pytest.fixture
def desk(network: Loopback, shared_dir: Path) -> AnsweringDesk:
    return AnsweringDesk(shared_dir, network=network, now=network.now)


def test_each_side_reads_its_own_journey(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    hosting = Calls(make_application(organisation=desk.hub.provider))
    asking = Calls(make_application(organisation=desk.asking))
    hosting.post(f"cases/{case.pk}/start", {}, If_Match="*", **PERSON)
    desk.deliver()
    received = hosting.get(f"journeys/{case.journey_id}").json()
    check(received, "Journey")
    words = [each["words"] for each in received["entries"]]
    assert {"Validation request: received", "Validation request: in progress"} <= set(words)
    assert "answer: " in " ".join(words)
    assert received["entries"][0]["about"]["url"].endswith(f"/api/v1/cases/{case.pk}")
    assert received["patient"]["family_name"] == "Jones"
    sent = asking.get(f"journeys/{desk.sent.journey_id}").json()
    assert {each["side"] for each in sent["entries"]} <= {"sent", None}
    assert "Validation request: in progress" in [each["words"] for each in sent["entries"]]
    seen = AuditEvent.objects.filter(action="referrals.view_journey")
    assert {each.subject_id for each in seen} == {str(case.journey_id), str(desk.sent.journey_id)}
    blind = Calls(hosting.application, (Scope.BOOKINGS_READ, Scope.PATIENTS_READ))
    for calls in (asking, blind):
        assert calls.get(f"journeys/{case.journey_id}").status_code == 404


@pytest.mark.django_db
def test_a_patient_is_found_by_number_with_what_the_scopes_show(calls: Calls) -> None:
    organisation = calls.application.organisation
    hub, closed = make_hub(provider=organisation), make_hub(provider=organisation)
    patient = make_patient(organisation=organisation)
    case = make_case(service=hub, patient=patient, reference="R-1")
    hidden = make_case(service=closed, patient=patient, reference="R-2")
    other = make_patient(organisation=organisation, details=make_details(nhs_number="9658499007"))
    make_case(service=hub, patient=other, reference="R-3")
    make_case(service=make_hub())

    def found(by: Calls) -> list[Any]:
        answer = by.post("patients/search", {"nhs_number": "944 930 6621"})
        check(answer.json(), "KnownPatients")
        return [
            one["id"] for each in answer.json()["patients"] for j in each["journeys"] for one in j["subjects"]
        ]

    assert set(found(calls)) == {str(case.pk), str(hidden.pk)}
    assert found(Calls(calls.application, (Scope.PATIENTS_READ,))) == []
    calls.application.service_ids = [hub.service_id]
    calls.application.save()
    assert found(Calls(calls.application)) == [str(case.pk)]
    asked = AuditEvent.objects.filter(action="patients.view_known_patients")
    assert sorted(each.outcome for each in asked) == ["done", "done", "none"]
    for number in (NUMBER, "9658499007"):
        assert not [each for each in AuditEvent.objects.all() if number in str(each.detail)]


@pytest.mark.django_db
def test_a_search_names_the_faults_of_the_form_and_needs_no_key(calls: Calls) -> None:
    refused = calls.client.post(
        "/api/v1/patients/search",
        {"nhs_number": "123"},
        content_type="application/json",
        headers=calls.headers,
    )
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["pointer"]) == (422, "/nhs_number")


def test_a_task_is_taken_and_closed_by_who_read_it(desk: AnsweringDesk) -> None:
    """A rejected request is ours again."""
    case = desk.ask("VALREQ01")
    hosting = Calls(make_application(organisation=desk.hub.provider))
    asking = Calls(make_application(organisation=desk.asking))
    hosting.post(f"cases/{case.pk}/reject", {"reason": "RRNA"}, If_Match="*", **PERSON)
    desk.deliver()
    (task,) = asking.get("tasks").json()["items"]
    check(task, "Task")
    assert (task["kind"]["code"], task["about"]["kind"], task["holder"]["name"]) == (
        "rejected",
        "validation",
        "",
    )
    path, read = f"tasks/{task['id']}", asking.get(f"tasks/{task['id']}", **PERSON)
    assert read.json()["can"] == ["take", "close"]
    assert asking.post(f"{path}/take", {}, **PERSON).status_code == 428
    taken = asking.post(f"{path}/take", {}, If_Match=read["ETag"], **PERSON)
    assert (taken.status_code, taken.json()["can"]) == (200, ["give-back", "close"])
    late = asking.post(f"{path}/close", {"outcome": "x"}, If_Match=read["ETag"], **PERSON)
    assert late.status_code == 412
    nothing = asking.post(f"{path}/close", {"outcome": " "}, If_Match=taken["ETag"], **PERSON)
    assert nothing.json()["errors"] == [{"detail": "Enter what was done", "pointer": "/outcome"}]
    closed = asking.post(f"{path}/close", {"outcome": "Seen."}, If_Match=taken["ETag"], **PERSON)
    assert (closed.json()["is_open"], closed.json()["outcome"]) == (False, "Seen.")
    assert asking.get("tasks").json()["items"] == []
    told = Event.objects.filter(subject_id=desk.sent.pk, type__contains="task").order_by("id")
    assert [each.type for each in told] == [
        *("validation.task-raised", "validation.task-taken", "validation.task-closed")
    ]
    assert Duty.objects.get().closed_by == asking.application.account
    assert hosting.get(path).status_code == 404


def test_who_sends_nothing_closes_no_task(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    hosting = Calls(make_application(organisation=desk.hub.provider))
    asking = Calls(make_application(organisation=desk.asking))
    hosting.post(f"cases/{case.pk}/reject", {"reason": "RRNA"}, If_Match="*", **PERSON)
    desk.deliver()
    (task,) = asking.get("tasks").json()["items"]
    assert task["can"] == []
    unnamed = asking.post(f"tasks/{task['id']}/take", {}, If_Match="*")
    assert (unnamed.status_code, unnamed.json()["title"]) == (403, "A person has to answer for this")
