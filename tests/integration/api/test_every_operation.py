"""Every operation with every scope, of another organisation, and as the OpenAPI document says."""

from copy import copy
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import jsonschema
import pytest
from django.core.management import call_command
from django.utils import timezone

from bars_portal.api.operations import Scope
from bars_portal.api.problems import PROBLEMS
from bars_portal.api.schema import document
from bars_portal.exchange.models import InboundMessage
from bookings.models import Booking
from bookings.slots import search_slots
from referrals.cases.duties import Duty, DutyKind
from referrals.cases.models import Case, CaseReply
from referrals.cases.states import Category, ReplyKind
from tests.factories.api import bearer, make_application, make_webhook
from tests.factories.bookings import make_booking
from tests.factories.patients import make_patient
from tests.factories.referrals import make_case, make_sent_case
from tests.integration.api.conftest import DOCTOR, PATIENT, Calls, World
from tests.integration.wire import ask
from tests.profiles import share
from tests.worlds import Kept, Worlds

pytestmark = pytest.mark.django_db
OWNED = (
    *("booking_id", "webhook_id", "referral_id", "validation_id"),
    *("case_id", "task_id", "journey_id"),
)
DOCS = Path(__file__).parents[3] / "docs"
# They are about no service, or leave out what the application may not see.
OPEN_ALL_THE_SAME = {
    *("get-own-application", "get-own-usage", "find-services", "get-service", "list-bookings"),
    *("list-referrals", "list-validations", "list-worklist", "list-tasks", "search-patients"),
}
# What is committed of the document, and how it is written.
PAGES = {"api-scopes.md": (), "api/openapi.json": ("--openapi",)}


@pytest.fixture(autouse=True)
def _without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads see nothing of a test's transaction; the real fan-out is in test_bookings.py."""
    monkeypatch.setattr("bookings.api.slots.compare_services", _one_by_one)


def _one_by_one(client: Any, *, services: list[Any], **asked: Any) -> list[Any]:
    return [(each, search_slots(client, service=each, **asked)) for each in services]


def operations() -> list[tuple[str, str, Any]]:
    return [
        (path, verb.upper(), operation)
        for path, verbs in document()["paths"].items()
        for verb, operation in verbs.items()
    ]


IDS = [operation["operationId"] for _, _, operation in operations()]


def example_of(operation: Any) -> Any:
    return operation.get("requestBody", {"content": {"application/json": {"example": {}}}})["content"][
        "application/json"
    ]["example"]


def a_slot(world: World, operation: Any) -> str:
    """A search costs more than all the rest: only for what books."""
    return world.slot_ids()[0] if "slot" in example_of(operation) else "x"


def send(calls: Calls, path: str, verb: str, operation: Any, ids: dict[str, str], slot: str) -> Any:
    """As its example says, with what there really is."""
    address = path.removeprefix("/api/v1/").format_map(ids)
    if verb == "GET":
        query = {"service": ids["service_id"]} if operation["operationId"] == "get-slots-of-services" else {}
        return calls.get(address, query)
    example = example_of(operation)
    there = {"slot": slot, "service": ids["service_id"]}
    named = {name: there[name] for name in there if name in example}
    # For a person who has read it: some operations need that, and to the others it is all the same.
    return calls.post(address, {**example, **named}, x_acting_user=DOCTOR, if_match="*")


Token = dict[str, str]


@dataclass
class Known:
    """Something of the application for each path to name, tokens of it, and one of another's."""

    ids: dict[str, str]
    # Each scope by itself.
    alone: dict[Scope, Token]
    # For each operation all scopes but those that open it.
    rest: dict[str, Token]
    other: Token


@pytest.fixture(scope="module")
def kept_known(worlds: Worlds, kept_world: Kept[World]) -> Kept[Known]:
    def make() -> Known:
        world = kept_world.original()
        application = world.calls.application
        by_need: dict[frozenset[str], Token] = {}
        for _, _, operation in operations():
            needed = frozenset(needed_by(operation))
            if needed not in by_need:
                by_need[needed] = bearer(application, [each for each in Scope if each.value not in needed])
        return Known(
            some_of_everything(world),
            {scope: bearer(application, [scope]) for scope in Scope},
            {each["operationId"]: by_need[frozenset(needed_by(each))] for _, _, each in operations()},
            bearer(make_application()),
        )

    return worlds.keep("kept_known", make)


@pytest.fixture
def known(kept_known: Kept[Known], world: World) -> Known:
    return kept_known.copy()


@pytest.fixture
def ids(known: Known) -> dict[str, str]:
    return known.ids


def needed_by(operation: Any) -> list[str]:
    """Any one of these scopes opens it; none: every token does."""
    needed: list[str] = operation["security"][0]["oauth2"]
    return needed


def some_of_everything(world: World) -> dict[str, str]:
    booking = make_booking(organisation=world.calls.application.organisation, service=world.service)
    webhook, _ = make_webhook(url="https://hospital.example/in", application=world.calls.application)
    own = {"booking_id": str(booking.pk), "webhook_id": str(webhook.pk)}
    world.service.accepted_use_cases += ["a4t1"]
    world.service.takes_referrals = True
    world.service.save()
    ask(world.service, by=booking.organisation)
    for category in Category:
        case = make_sent_case(category, organisation=booking.organisation, service=world.service)
        own[f"{category.value}_id"] = str(case.pk)
        heard: dict[str, Any] = {"received_at": timezone.now(), category.value: case}
        heard["message"] = InboundMessage.objects.create(headers={}, body=b"{}", **_ARRIVED)
        own["response_id"] = str(CaseReply.objects.create(kind=ReplyKind.INTERIM, **heard).pk)
    own |= {"case_id": str(a_case_of(booking).pk), "journey_id": str(booking.journey_id)}
    task = {"organisation": booking.organisation, "booking": booking, "raised_at": timezone.now()}
    own["task_id"] = str(Duty.objects.create(kind=DutyKind.REFERRAL, **task).pk)
    return {"service_id": world.service.service_id, **own}


_ARRIVED = {"received_at": timezone.now(), "state": "accepted"}


def a_case_of(booking: Booking) -> Case:
    """Received by the application's organisation; as little as can be decided on."""
    asked = [
        ["urn:uuid:e", {"resourceType": "Encounter", "id": "e", "status": "triaged"}],
        ["urn:uuid:p", {"resourceType": "Patient", "id": "p"}],
    ]
    return make_case(
        service=booking.service,
        patient=make_patient(organisation=booking.organisation),
        resource={"resourceType": "ServiceRequest", "status": "active"},
        included=asked,
    )


def names_one(path: str) -> bool:
    """Something that belongs to somebody."""
    return any(f"{{{each}}}" in path for each in OWNED)


@pytest.mark.parametrize(("path", "verb", "operation"), operations(), ids=IDS)
def test_a_scope_opens_what_the_table_says_and_nothing_else(
    world: World, known: Known, path: str, verb: str, operation: Any
) -> None:
    """Who has all the others has none that opens it: each by itself is thorough."""
    needed, slot = needed_by(operation), a_slot(world, operation)
    for scope in (each for each in Scope if not needed or each.value in needed):
        answer = send(under(known.alone[scope], world), path, verb, operation, known.ids, slot)
        assert answer.status_code != 403, (scope, answer.content)
    if needed:
        rest = under(known.rest[operation["operationId"]], world)
        answer = send(rest, path, verb, operation, known.ids, slot)
        assert answer.status_code == 403, answer.content
    assert send(under({}, world), path, verb, operation, known.ids, slot).status_code == 401


def under(token: Token, world: World) -> Calls:
    """Requests with another token than the application's, or with none."""
    calls = copy(world.calls)
    calls.headers = token
    return calls


@pytest.mark.thorough
@pytest.mark.parametrize(("path", "verb", "operation"), operations(), ids=IDS)
def test_each_scope_by_itself_opens_what_the_table_says_and_nothing_else(
    world: World, known: Known, path: str, verb: str, operation: Any
) -> None:
    needed, slot = needed_by(operation), a_slot(world, operation)
    for scope, token in known.alone.items():
        answer = send(under(token, world), path, verb, operation, known.ids, slot)
        missing = answer.status_code == 403
        assert missing == (bool(needed) and scope.value not in needed), (scope, answer.content)


@pytest.mark.parametrize(("path", "verb", "operation"), operations(), ids=IDS)
def test_what_is_of_another_organisation_is_not_there(
    world: World, known: Known, path: str, verb: str, operation: Any
) -> None:
    ids = known.ids
    answer = send(under(known.other, world), path, verb, operation, ids, a_slot(world, operation))
    if names_one(path):
        assert (answer.status_code, answer.json()["title"]) == (404, PROBLEMS["not-found"].title)
    else:
        assert answer.status_code in (200, 201, 202)
    assert not [name for name in OWNED if ids[name].encode() in answer.content]


@pytest.mark.thorough
@pytest.mark.parametrize(("path", "verb", "operation"), operations(), ids=IDS)
def test_no_scope_by_itself_opens_what_is_of_another_organisation(
    world: World, ids: dict[str, str], path: str, verb: str, operation: Any
) -> None:
    needed, slot = needed_by(operation), a_slot(world, operation)
    other = make_application()
    for scope in Scope:
        answer = send(Calls(other, (scope,)), path, verb, operation, ids, slot)
        if needed and scope.value not in needed:
            assert answer.status_code == 403, scope
        elif names_one(path):
            assert answer.status_code == 404, scope
        assert not [name for name in OWNED if ids[name].encode() in answer.content], scope


@pytest.mark.parametrize(("path", "verb", "operation"), operations(), ids=IDS)
def test_services_that_it_may_not_act_for_are_closed_to_it(
    world: World, ids: dict[str, str], path: str, verb: str, operation: Any
) -> None:
    slot, application = a_slot(world, operation), world.calls.application
    application.service_ids = ["1"]
    application.save()
    answer = send(Calls(application), path, verb, operation, ids, slot)
    if operation["operationId"] in OPEN_ALL_THE_SAME:
        assert answer.status_code == 200
        assert not [name for name in OWNED if ids[name].encode() in answer.content]
    elif operation["tags"][0] in ("Events", "Webhooks"):
        # They hold what may be seen at the services that are left.
        assert answer.status_code in (200, 201, 202)
    else:
        assert answer.status_code == (404 if names_one(path) else 403)


@pytest.mark.parametrize(
    ("number", "path", "verb", "operation"),
    [(number, *each) for number, each in enumerate(operations())],
    ids=IDS,
)
def test_each_answer_is_as_described(
    world: World, ids: dict[str, str], number: int, path: str, verb: str, operation: Any
) -> None:
    """The example of the document, sent as it stands but for the slot; and an answer that refuses.

    Two bodies of the wrong kind in turns: one way reads them all.
    """
    answer = send(world.calls, path, verb, operation, ids, a_slot(world, operation))
    check(answer, operation)
    if verb == "POST":
        bodies: list[Any] = [{"no such field": 1}, [], "text", None]
        for body in share(bodies, number, of=2):
            check(world.calls.post(path.removeprefix("/api/v1/").format_map(ids), body), operation)
    else:
        check(
            world.calls.get(path.removeprefix("/api/v1/").format_map(ids), {"from": "x", "limit": "x"}),
            operation,
        )
    nothing = {"service_id": "1", "response_id": "1", **dict.fromkeys(OWNED, str(uuid4()))}
    check(send(world.calls, path, verb, operation, nothing, "x"), operation)


def check(answer: Any, operation: Any) -> None:
    assert answer.status_code < 500
    described = operation["responses"][str(answer.status_code)]
    media = answer["Content-Type"]
    schema = described["content"][media]["schema"]
    if media == "application/pdf":
        assert answer.content.startswith(b"%PDF")
        return
    whole = {**schema, "components": document()["components"]}
    jsonschema.Draft202012Validator(whole).validate(answer.json())
    if media == "application/problem+json":
        name = answer.json()["type"].rstrip("/").rpartition("/")[2]
        assert name in described["description"].split(", ")
    for header in ("X-Request-ID", "RateLimit", "RateLimit-Policy"):
        assert header in answer


def test_a_booking_with_all_that_it_can_hold_is_as_described(world: World) -> None:
    booked = world.booked()
    schema = {"$ref": "#/components/schemas/Booking", "components": document()["components"]}
    jsonschema.Draft202012Validator(schema).validate(booked)
    assert booked["patient"]["birth_date"] == PATIENT["birth_date"]
    blind = Calls(world.calls.application, (Scope.BOOKINGS_READ,))
    read = blind.get(f"bookings/{booked['id']}")
    assert read.json()["patient"] is None
    assert "quill" not in read.content.decode().lower()


@pytest.mark.parametrize("page", PAGES)
def test_what_is_committed_is_as_the_code_is(page: str) -> None:
    out = StringIO()
    call_command("list_api_scopes", *PAGES[page], stdout=out)
    same = (DOCS / page).read_text() == out.getvalue()
    assert same, f"run manage.py list_api_scopes {' '.join(PAGES[page])} > docs/{page}"
