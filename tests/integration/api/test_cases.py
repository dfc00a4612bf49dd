"""Received cases through the API: what the pages show, and what people decide there, by the same rules."""

import html
import re
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from bars_portal.accounts.permissions import Role
from bars_portal.api.models import Event
from bars_portal.api.operations import Scope
from bars_portal.api.schema import document
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.models import OutboundMessage
from referrals.cases.models import Case, CaseAnswer
from referrals.cases.states import CaseStatus, Category
from referrals.responding.models import ContactAttempt
from tests.factories.accounts import make_acting
from tests.factories.api import make_application
from tests.factories.referrals import NOW, make_case, make_hub
from tests.integration.api.conftest import DOCTOR, Calls
from tests.integration.bookings.loopback import Loopback
from tests.integration.referral_pages.conftest import network
from tests.integration.referrals.desk import AnsweringDesk
from tests.worlds import Kept, Worlds

__all__ = ["network"]
CLERK = (
    '{"name": "Cal Clark", "identifier": {"system": "s", "value": "8"}, "role": "clerk", "clinical": false}'
)
PERSON = {"X_Acting_User": DOCTOR}


@dataclass
class Ward:
    """A hosted service that has received a request, and an application of its organisation."""

    desk: AnsweringDesk
    calls: Calls

    def read(self, case: Case) -> Any:
        return self.calls.get(f"cases/{case.pk}", **PERSON)

    def do(self, case: Case, what: str, body: Any = None, **headers: str) -> Any:
        """As somebody who has read the case as it stands."""
        read = headers.pop("If_Match", "") or self.read(case)["ETag"]
        return self.calls.post(
            f"cases/{case.pk}/{what}", body or {}, **{"If_Match": read, **PERSON, **headers}
        )


@pytest.fixture(scope="module")
def kept_ward(worlds: Worlds, shared_dir: Path) -> Kept[Ward]:
    def make() -> Ward:
        desk = AnsweringDesk(shared_dir)
        return Ward(desk, Calls(make_application(organisation=desk.hub.provider)))

    return worlds.keep("kept_ward", make)


@pytest.fixture
def ward(kept_ward: Kept[Ward], network: Loopback) -> Ward:
    ward = kept_ward.copy()
    ward.desk.network, ward.desk.now = network, network.now
    return ward


def check(body: Any, name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    jsonschema.Draft202012Validator(schema).validate(body)


# -- reading


@pytest.mark.parametrize("name", ["REFREQ01", "VALREQ01"])
def test_a_case_says_what_its_page_says(ward: Ward, name: str) -> None:
    case = ward.desk.ask(name)
    case.refresh_from_db()
    read = ward.read(case).json()
    check(read, "Case")
    assert read["patient"]["family_name"] == "Jones"
    client = Client()
    client.force_login(ward.desk.clinician.user)
    page = client.get(reverse("referrals:received", args=[case.pk])).content.decode()
    for group in read["content"]["groups"]:
        assert group["title"] in page
        for item in group["items"]:
            assert item["title"] in page.replace("&#39;", "'").replace("&amp;", "&")
    assert AuditEvent.objects.filter(action="referrals.view_case", subject_id=case.pk).count() == 2


def test_without_patients_read_nobody_is_named(ward: Ward) -> None:
    case = ward.desk.ask("VALREQ01")
    blind = Calls(ward.calls.application, (Scope.WORKLIST_READ, Scope.WORKLIST_WRITE))
    for address in (f"cases/{case.pk}", "worklist", f"journeys/{case.journey_id}"):
        answer = blind.get(address)
        assert answer.status_code == 200, address
        assert not [each for each in ("Jones", "Julie", "3478526985") if each in answer.content.decode()]
    for address in ("message", "document"):
        assert blind.get(f"cases/{case.pk}/{address}").json()["title"] == "The token does not have the scope"


def test_the_message_and_the_paper_are_whole(ward: Ward) -> None:
    case = ward.desk.ask("REFREQ01")
    told = ward.calls.get(f"cases/{case.pk}/message")
    assert (told["Content-Type"], told.json()) == ("application/fhir+json", ward.desk.request("REFREQ01"))
    paper = ward.calls.get(f"cases/{case.pk}/document", Accept="application/pdf")
    text = PdfReader(BytesIO(paper.content)).pages[0].extract_text()
    assert "JONES, Julie" in text
    exported = AuditEvent.objects.filter(action="referrals.export_case", subject_id=case.pk)
    assert exported.count() == 2
    nothing_kept = make_case(service=ward.desk.hub, reference="K-1")
    assert ward.calls.get(f"cases/{nothing_kept.pk}/message").status_code == 404


ORDERS = ["", "priority", "age"]


@pytest.mark.django_db
@pytest.mark.parametrize("order", ORDERS)
def test_the_worklist_goes_on_where_the_page_before_ended(calls: Calls, order: str) -> None:
    """While a case is taken out of it, and one comes in before."""
    hub = make_hub(provider=calls.application.organisation)
    for number in range(7):
        make_case(
            Category.VALIDATION if number % 2 else Category.REFERRAL,
            service=hub,
            reference=f"R-{number}",
            priority=["C2", "", "routine"][number % 3],
            breach_at=NOW + timedelta(hours=number % 4) if number % 3 else None,
            created_at=NOW + timedelta(minutes=number),
        )
    whole = calls.get("worklist", {"order": order}).json()
    check(whole, "Worklist")
    assert (whole["counts"]["open"], whole["next"]) == (7, None)
    first = calls.get("worklist", {"order": order, "limit": "3"}).json()
    found = [each["reference"] for each in first["items"]]
    make_case(service=hub, reference="new", priority="C1", breach_at=NOW, created_at=NOW - timedelta(days=1))
    following = first["next"]
    while following:
        page = calls.client.get(following, headers=calls.headers).json()
        found += [each["reference"] for each in page["items"]]
        following = page["next"]
    assert found == [each["reference"] for each in whole["items"]]


@pytest.mark.django_db
def test_filters_are_those_of_the_page_and_slips_are_named(calls: Calls) -> None:
    hub = make_hub(provider=calls.application.organisation)
    make_case(service=hub, reference="R-1", safeguarding=True)
    make_case(service=hub, reference="R-2", status=CaseStatus.COMPLETED)
    make_case(service=make_hub(provider=hub.provider), reference="R-3")

    def found(**asked: str) -> list[str]:
        return [each["reference"] for each in calls.get("worklist", asked).json()["items"]]

    assert (found(state="closed"), found(flag="SG")) == (["R-2"], ["R-1"])
    assert found(service=hub.service_id) == ["R-1"]
    for slip in ({"state": "shut"}, {"servce": "1"}, {"service": "1"}, {"cursor": "WyIxIiwxLCIxIiwiMSJd"}):
        refused = calls.get("worklist", slip)
        assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, next(iter(slip)))
    own = calls.application
    own.service_ids = [hub.service_id]
    own.save()
    assert (found(), calls.get("worklist").json()["counts"]["open"]) == (["R-1"], 1)


# -- deciding


def test_a_validation_is_worked_from_its_arrival_to_its_outcome(ward: Ward) -> None:
    """The requester hears of it, and events tell of each step."""
    case = ward.desk.ask("VALREQ01")
    assert ward.do(case, "assign", {"to": "me"}).json()["holder"]["is_caller"]
    started = ward.do(case, "start")
    assert (started.status_code, started.json()["answers"][0]["state"]["code"]) == (202, "sending")
    assert started["Location"].endswith(f"/cases/{case.pk}")
    ward.desk.deliver()
    said = {"disposition": "hear-and-treat", "priority": "C5", "triage_1": "Dx335"}
    said["narrative"] = "Spoke to the caller."
    done = ward.do(case, "outcome", said)
    assert (done.status_code, done.json()["state"]["code"]) == (202, "completed")
    ward.desk.deliver()
    assert ward.desk.sent.status == CaseStatus.COMPLETED
    read = ward.read(case).json()
    assert [each["state"]["code"] for each in read["answers"]] == ["delivered", "delivered"]
    assert [each["by"] for each in read["answers"]] == [
        f"Dr Ann Lee, through {ward.calls.application.name} (application)"
    ] * 2
    corrected = ward.do(case, "outcome", {**said, "narrative": "Called again: still well."})
    assert corrected.json()["answers"][-1]["kind"]["code"] == "full"
    told = Event.objects.filter(subject_id=case.pk).order_by("id").values_list("type", flat=True)
    assert list(told) == [
        *("validation.received", "validation.assigned", "validation.in-progress"),
        *("validation.answer-delivered", "validation.completed", "validation.answer-delivered"),
        "validation.completed",
    ]


def test_a_referral_is_accepted_started_and_completed_and_nobody_is_told(ward: Ward) -> None:
    case = ward.desk.ask("REFREQ01")
    for what, state in (("accept", "accepted"), ("start", "in-progress"), ("complete", "completed")):
        assert what in ward.read(case).json()["can"]
        answer = ward.do(case, what)
        assert (answer.status_code, answer.json()["state"]["code"]) == (200, state)
    assert not CaseAnswer.objects.exists()
    again = ward.do(case, "complete")
    assert (again.status_code, again.json()["detail"]) == (409, "This case is completed already.")


def test_an_answer_that_was_refused_or_is_unknown_has_that_state(ward: Ward) -> None:
    case = ward.desk.ask("VALREQ01")
    ward.desk.network.before.append(_silence)
    ward.do(case, "start")
    ward.desk.deliver()
    (answer,) = ward.read(case).json()["answers"]
    assert (answer["state"]["code"], answer["state"]["is_open"]) == ("unknown", True)
    assert answer["can"] == ["check-again"]
    checked = ward.do(case, "answer/check-again")
    assert (checked.status_code, checked.json()["answers"][0]["state"]["code"]) == (202, "sending")
    ward.desk.deliver()
    assert ward.read(case).json()["answers"][0]["state"]["code"] == "delivered"
    assert OutboundMessage.objects.count() == 1
    assert ward.do(case, "answer/send-again").status_code == 409


def _silence(_: Any) -> Any:
    import httpx

    raise httpx.ReadTimeout("no answer")


def test_what_was_not_read_is_not_decided_on(ward: Ward) -> None:
    case = ward.desk.ask("REFREQ01")
    path, read = f"cases/{case.pk}/accept", ward.read(case)["ETag"]
    unsaid = ward.calls.post(path, {}, **PERSON)
    assert (unsaid.status_code, unsaid.json()["title"]) == (428, "Say what you read")
    ward.do(case, "notes", {"text": "The line is bad."})
    # A note is nothing that is decided on.
    assert ward.calls.post(path, {}, If_Match=read, **PERSON).status_code == 200
    late = ward.calls.post(f"cases/{case.pk}/reject", {"reason": "RRNA"}, If_Match=read, **PERSON)
    assert late.status_code == 412
    assert ward.calls.post(f"cases/{case.pk}/start", {}, If_Match="*", **PERSON).status_code == 200


def test_a_case_is_taken_only_from_who_had_it(ward: Ward) -> None:
    case = ward.desk.ask("REFREQ01")
    read = ward.read(case)["ETag"]
    colleague = ward.desk.clinician.user
    given = ward.do(case, "assign", {"to": colleague.username})
    assert given.json()["holder"] == {
        "name": colleague.get_full_name() or colleague.username,
        "is_caller": False,
    }
    late = ward.calls.post(f"cases/{case.pk}/assign", {"to": "me"}, If_Match=read, **PERSON)
    assert late.status_code == 412
    assert ward.do(case, "assign", {"to": None}).status_code == 409
    stranger = make_acting().user.username
    for body in ({"to": stranger}, {"to": "nobody"}, {"to": 1}, {}):
        wrong = ward.do(case, "assign", body)
        assert wrong.json()["errors"] == [
            {"detail": "Nobody who works here is called this.", "pointer": "/to"}
        ]


FAULTS = [
    ("VALREQ01", "reject", {}, "/reason", "Select why this case is rejected"),
    ("VALREQ01", "reject", {"reason": "OTH"}, "/words", "Say in your own words why the case is rejected"),
    ("REFREQ01", "reject", {"reason": "unreached"}, "/reason", "Select why this case is rejected"),
    ("VALREQ01", "outcome", {"disposition": "dispatch", "narrative": "x"}, "/priority", "Select how urgent"),
    ("VALREQ01", "outcome", {"disposition": "onward", "narrative": "x", "triage_1": "?"}, "/triage_1", "Cho"),
    ("VALREQ01", "outcome", {"ended": ["x"]}, "/ended", ""),
    ("REFREQ01", "did-not-attend", {"day": "2999-01-01"}, "/day", "The day cannot be in the future"),
    ("REFREQ01", "complete", {"consultation": "held"}, "/consultation", "There is no such field."),
    ("REFREQ03", "complete", {}, "/consultation", "Select whether there was a consultation"),
    ("REFREQ01", "notes", {"text": ""}, "/text", "Write something first"),
    ("REFREQ01", "place", {"eastings": "1"}, "/northings", "Northing in metres is missing"),
    ("REFREQ01", "accept", {"words": "x"}, "/words", "There is no such field."),
]


@pytest.mark.parametrize(("name", "what", "body", "pointer", "words"), FAULTS)
def test_faults_are_named_as_the_form_names_them(
    ward: Ward, name: str, what: str, body: Any, pointer: str, words: str
) -> None:
    case = ward.desk.ask(name)
    if what == "complete":
        ward.do(case, "accept", If_Match="*")
    refused = ward.do(case, what, body, If_Match="*")
    assert refused.status_code == 422, refused.content
    named = {each["pointer"]: each["detail"] for each in refused.json()["errors"]}
    assert named[pointer].startswith(words)


# The pages of the same; what only JSON can get wrong, a field that no page has, is left out.
PAGES = {
    "reject": "reject",
    "outcome": "outcome",
    "did-not-attend": "did-not-attend",
    "complete": "complete",
    "notes": "note",
    "place": "place",
}
ON_PAGES = [
    (name, what, body)
    for name, what, body, pointer, words in FAULTS
    if what in PAGES and pointer != "/ended" and words != "There is no such field."
]


@pytest.mark.parametrize(("name", "what", "body"), ON_PAGES)
def test_the_page_names_the_same_faults(ward: Ward, name: str, what: str, body: Any) -> None:
    case = ward.desk.ask(name)
    if what == "complete":
        ward.do(case, "accept", If_Match="*")
    client = Client()
    client.force_login(ward.desk.clinician.user)
    posted, address = typed(body), reverse(f"referrals:{PAGES[what]}", args=[case.pk])
    page = client.post(address, posted, follow=True).content.decode()
    summary = page.partition("nhsuk-error-summary__list")[2].partition("</ul>")[0]
    lines = [html.unescape(re.sub("<[^>]*>", "", each)) for each in re.findall("<li>.*?</li>", summary, re.S)]
    told = [each["detail"] for each in ward.do(case, what, body, If_Match="*").json()["errors"]]
    assert [each.strip() for each in lines] == told


def typed(body: dict[str, Any]) -> dict[str, Any]:
    """As a browser posts it: a day in three fields."""
    posted = {name: value for name, value in body.items() if name != "day"}
    if "day" in body:
        parts = zip(("year", "month", "day"), body["day"].split("-"), strict=True)
        posted |= {f"day-{name}": value for name, value in parts}
    return posted


def test_who_decides_is_named_and_a_clinician(ward: Ward) -> None:
    case = ward.desk.ask("REFREQ01")
    unnamed = ward.calls.post(f"cases/{case.pk}/accept", {}, If_Match="*")
    assert (unnamed.status_code, unnamed.json()["title"]) == (403, "A person has to answer for this")
    clerk = ward.do(case, "accept", X_Acting_User=CLERK)
    assert clerk.json()["detail"] == "Only clinicians answer received cases."
    assert ward.do(case, "notes", {"text": "Rang."}, X_Acting_User=CLERK).status_code == 200
    assert "accept" not in ward.calls.get(f"cases/{case.pk}", X_Acting_User=CLERK).json()["can"]


def test_a_pharmacy_writes_down_three_calls(ward: Ward) -> None:
    case = ward.desk.ask("REFREQ03")
    for number in (1, 2, 3):
        body = {"reached": "no", "text": "No answer."}
        assert len(ward.do(case, "attempts", body).json()["attempts"]) == number
    assert ward.do(case, "attempts", {"reached": "yes"}).status_code == 409
    assert "attempts" not in ward.read(case).json()["can"]
    assert ContactAttempt.objects.count() == 3


def test_a_repeat_of_a_decision_is_one(ward: Ward) -> None:
    case = ward.desk.ask("VALREQ01")
    tag, key = ward.read(case)["ETag"], str(uuid4())
    first, second = (
        ward.calls.post(f"cases/{case.pk}/start", {}, key=key, If_Match=tag, **PERSON) for _ in range(2)
    )
    assert (first.content, second["Idempotent-Replayed"]) == (second.content, "true")
    assert CaseAnswer.objects.count() == 1


def test_another_organisation_s_person_has_no_case_here(ward: Ward) -> None:
    case = ward.desk.ask("REFREQ01")
    other = Calls(make_application(organisation=ward.desk.asking))
    for answer in (other.get(f"cases/{case.pk}"), other.post(f"cases/{case.pk}/accept", {}, **PERSON)):
        assert answer.status_code == 404
    assert make_acting(role=Role.CLERK)
