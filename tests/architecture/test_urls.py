"""Every page of the portal: closed to strangers unless listed, and never broken for anybody."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from bars_portal.accounts.models import Organisation, User
from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.models import OutboundMessage
from bookings.models import Booking, Clinic, SenderCall, WaitingEntry
from bookings.models.plan import Hours, Plan, Session
from bookings.states import BookingStatus
from directory.models import HealthcareService
from referrals.cases.duties import Duty, DutyKind
from referrals.cases.models import CaseAnswer, ValidationCase, owned_by
from referrals.cases.states import Category, ReplyKind, ResponseState
from tests.databases import contents
from tests.factories.accounts import make_organisation, make_user
from tests.factories.bookings import make_booking, make_schedule, make_slot
from tests.factories.directory import make_endpoint, make_service
from tests.factories.patients import make_patient
from tests.factories.referrals import NOW, make_case, make_sent_case
from tests.profiles import share
from tests.worlds import Kept, Worlds

pytestmark = pytest.mark.django_db

# Reviewed: what anybody may read.
PUBLIC = {
    "health/live",
    "health/ready",
    "accounts/sign-in/",
    "onboarding/keys/<ods_code>/<environment>.json",
    # What the API can do, and what its problems mean: for whoever writes a program.
    "api/docs/",
    "api/docs/<resource>/",
    "api/schema/",
    "api/docs/problems/<name>/",
}
# What a form without anything in it is told there (RFC 6749).
MISUSED = {"api/oauth2/token/": (400,)}
NOBODY = UUID(int=0)
PAGES_ANSWER = (200, 204, 301, 302, 403, 404, 405)
TO_SIGN_IN = ("/accounts/sign-in/", "/admin/login/", "/admin/")


def routes() -> list[str]:
    """Every route of the portal, parameters as <name>."""
    return sorted({_plain(each) for each in _walk(get_resolver("bars_portal.urls").url_patterns)})


def _walk(patterns: list[Any], before: str = "") -> Iterator[str]:
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _walk(each.url_patterns, route)
        elif isinstance(each, URLPattern):
            yield route


def _plain(route: str) -> str:
    route = re.sub(r"<\w+:(\w+)>", r"<\1>", route)
    route = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route)
    return re.sub(r"[\^$?\\]", "", route)


@pytest.fixture(scope="module")
def kept_known(worlds: Worlds) -> Kept[dict[str, Any]]:
    return worlds.keep("kept_known", make_known)


@pytest.fixture
def known(kept_known: Kept[dict[str, Any]], db: None) -> dict[str, Any]:
    return kept_known.copy()


def make_known() -> dict[str, Any]:
    """Things that exist, one of each kind that a route can name; all of one organisation."""
    organisation = make_organisation()
    service = make_service(provider=organisation)
    make_endpoint(service=service)
    slot = make_slot(schedule=make_schedule(service=service))
    sent = make_booking(organisation=organisation, service=service)
    received = make_booking(service=service, direction=Direction.RECEIVED, slot=slot)
    return {
        "organisation": organisation,
        "person_id": make_user(organisation=organisation).pk,
        "service_id": service.service_id,
        "booking_id": sent.pk,
        "received_booking_id": received.pk,
        **known_clinic(service, received),
        **known_cases(organisation, service),
    }


def known_clinic(service: HealthcareService, received: Booking) -> dict[str, Any]:
    """What a manager has made, a call that waits, and somebody for whom there was no time."""
    refused = make_booking(
        organisation=service.provider, service=service, status=BookingStatus.REFUSED, created_at=NOW
    )
    plan = Plan("Clinic", date(2026, 1, 1), None, (Session((0,), Hours(time(9), time(12))),), 15)
    return {
        "clinic_id": Clinic.objects.create(
            service=service, name="Clinic", plan=plan.as_json(), created_at=NOW, updated_at=NOW
        ).pk,
        "call_id": SenderCall.objects.create(booking=received, message="Moved", made_at=NOW).pk,
        "entry_id": WaitingEntry.objects.create(
            service=service,
            organisation=service.provider,
            label="Somebody",
            booking=refused,
            journey=refused.journey,
            wanted_from=NOW,
            wanted_until=NOW,
            refused_at=datetime.now(UTC),
        ).pk,
    }


def known_cases(organisation: Organisation, service: HealthcareService) -> dict[str, Any]:
    """A request in each direction, an answer and a journey."""
    patient = make_patient(organisation=organisation)
    received = make_case(Category.VALIDATION, service=service, patient=patient, use_case="a4t1")
    assert isinstance(received, ValidationCase)
    sent = make_sent_case(organisation=organisation)
    answer = CaseAnswer.objects.create(
        validation=received,
        kind=ReplyKind.INTERIM,
        state=ResponseState.REFUSED,
        author_label="Somebody",
        created_at=NOW,
    )
    message = OutboundMessage.objects.create(
        message_type="validation-interim",
        subject_type=answer._meta.label_lower,
        subject_id=str(answer.pk),
        organisation=organisation,
        actor_label="Somebody",
        correlation_id=received.correlation_id,
        bundle_id=NOBODY,
        service_id="1",
        headers={},
        body=b"",
        created_at=NOW,
    )
    return {
        "message_id": message.pk,
        "correlation_id": message.correlation_id,
        "received_id": received.pk,
        "sent_id": sent.pk,
        "answer_id": answer.pk,
        "duty_id": Duty.objects.create(
            kind=DutyKind.REJECTED, organisation=organisation, raised_at=NOW, **owned_by(sent)
        ).pk,
        "journey_id": received.journey_id,
    }


def is_of_programs(route: str) -> bool:
    """Opened by a token alone."""
    return route.startswith(("api/v1/", "api/oauth2/"))


def filled(route: str, known: dict[str, Any]) -> list[str]:
    """The route with what exists, and with what does not."""
    case = known["received_id" if "/received/" in route else "sent_id"]
    row = _first_of(route) if "<object_id>" in route or "<id>" in route else NOBODY
    answers = {
        "case_id": (case, NOBODY),
        "answer_id": (known["answer_id"], NOBODY),
        "journey_id": (known["journey_id"], NOBODY),
        "duty_id": (known["duty_id"], NOBODY),
        "task_id": (known["duty_id"], NOBODY),
        "filter_id": (0, 999),
        "person_id": (known["person_id"], 0),
        "invitation_id": (0, 999),
        "break_glass_id": (NOBODY, NOBODY),
        "message_id": (known["message_id"], NOBODY),
        "key": (known["correlation_id"], NOBODY),
        "decision_id": (0, 999),
        "resending_id": (0, 999),
        "response_id": (1, 0),
        "reply_id": (1 if "<case_id>" in route else NOBODY, 0),
        "number": (1, 9),
        "service_id": (known["service_id"], "0"),
        "booking_id": (known["received_booking_id" if _is_received(route) else "booking_id"], NOBODY),
        "draft_id": (NOBODY, NOBODY),
        "ods_code": (known["organisation"].ods_code, "X"),
        "environment": ("simulated-int", "nothing"),
        "step_name": ("facts", "nothing"),
        "webhook_id": (NOBODY, NOBODY),
        # Of the API, which knows people by their token alone.
        "referral_id": (NOBODY, NOBODY),
        "validation_id": (NOBODY, NOBODY),
        "clinic_id": (known["clinic_id"], NOBODY),
        "call_id": (known["call_id"], NOBODY),
        "entry_id": (known["entry_id"], NOBODY),
        "feed_id": (NOBODY, NOBODY),
        "block_id": (0, 999),
        "alarm_id": (0, 999),
        "slug": ("assessment", "nothing"),
        "object_id": (row, NOBODY),
        "id": (row, NOBODY),
        "app_label": ("bookings", "nothing"),
        "content_type_id": (1, 0),
        "url": ("nothing/at/all", ""),
        "name": ("appointments" if route.startswith("reports/") else "slot-gone", "nothing"),
        "cut": ("attendance", "nothing"),
        "resource": ("bookings", "nothing"),
        "report_name": ("bookings", "nothing"),
    }
    names = re.findall(r"<(\w+)>", route)
    paths = []
    for position in (0, 1) if names else (0,):
        path = route
        for name in names:
            path = path.replace(f"<{name}>", str(answers[name][position]))
        paths.append(f"/{path}")
    return paths


def _is_received(route: str) -> bool:
    return "appointments" in route or "/diary/" in route


def _first_of(route: str) -> Any:
    for model in admin.site._registry:
        if f"/{model._meta.app_label}/{model._meta.model_name}/" in route:
            found = model._default_manager.first()
            return found.pk if found else NOBODY
    return NOBODY


def test_the_admin_has_no_sign_in_of_its_own(client: Client) -> None:
    response = client.get("/admin/login/?next=/admin/")
    assert response.headers["Location"].startswith("/accounts/sign-in/")


def test_the_walk_finds_the_portal() -> None:
    found = routes()
    assert len(found) > 40
    assert {"", "bookings/<booking_id>/cancel/", "admin/exchange/inboundmessage/", *PUBLIC} <= set(found)


def test_a_stranger_is_sent_to_sign_in(client: Client, known: dict[str, Any]) -> None:
    for route, path in [(each, path) for each in routes() for path in filled(each, known)]:
        response = client.get(path)
        if route in PUBLIC:
            assert response.status_code == 200 or path.endswith("/nothing/"), path
        elif is_of_programs(route):
            # Whether there is such a thing is not told either.
            assert response.status_code in (401, 404, 405), path
        elif response.status_code == 302:
            assert response.headers["Location"].startswith(TO_SIGN_IN), path
        else:
            assert response.status_code in (404, 405), path
        posted = client.post(path).status_code
        assert posted in (
            302,
            401,
            403,
            404,
            405,
            *([200] if route in PUBLIC else []),
            *MISUSED.get(route, ()),
        ), path


@pytest.mark.parametrize(("number", "role"), list(enumerate([*Role, None])))
def test_no_page_breaks_for_anybody(
    client: Client, known: dict[str, Any], number: int, role: Role | None
) -> None:
    """An exception fails the test by itself: the client raises it. Whoever reads a name leaves an event.

    And a look changes nothing, but for the trail and the session.
    """
    person: User = make_user(role=role, organisation=known["organisation"])
    client.force_login(person)
    before = contents()
    seen: dict[int, int] = {}
    unrecorded: list[str] = []
    recorded = AuditEvent.objects.count()
    for at, route in enumerate(routes()):
        # In turns: each page by every third role, what does not exist by every sixth.
        if "sign-out" in route or "logout" in route or not share([route], number + at, of=3):
            continue
        there, *nowhere = filled(route, known)
        for path in (there, *share(nowhere, number + at, of=6)):
            response = client.get(path)
            status, recorded_before = response.status_code, recorded
            recorded = AuditEvent.objects.count()
            # A person's session opens nothing of the API.
            assert status in ((401, 404, 405) if is_of_programs(route) else PAGES_ANSWER), path
            seen[status] = seen.get(status, 0) + 1
            if b"quill" in response.getvalue().lower() and recorded == recorded_before:
                unrecorded.append(path)
    assert not unrecorded
    assert contents() == before
    assert seen[403 if role is None else 200] > 3, "somebody with a role sees something"


OWNED = ("person_id", "booking_id", "case_id", "journey_id", "answer_id", "message_id", "key", "duty_id")


@pytest.mark.parametrize(("number", "role"), list(enumerate(Role)))
def test_pages_of_another_organisation_are_not_there(
    client: Client, known: dict[str, Any], number: int, role: Role
) -> None:
    client.force_login(make_user(role=role))
    owned = [each for each in routes() if any(f"<{name}>" in each for name in OWNED)]
    refused = AuditEvent.objects.filter(outcome="refused")
    recorded = refused.count()
    # In turns: each page by every third role.
    for route in share([each for each in owned if not is_of_programs(each)], number, of=3):
        path, recorded_before = filled(route, known)[0], recorded
        response = client.get(path, follow=True)
        status = response.redirect_chain[0][1] if response.redirect_chain else response.status_code
        assert status in (302, 403, 404, 405), path
        assert "Quill" not in response.content.decode(), path
        recorded = refused.count()
        assert recorded - recorded_before == (response.status_code in (403, 404)), path
