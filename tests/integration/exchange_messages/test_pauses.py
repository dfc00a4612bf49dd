"""A service that takes no referrals for now: what managers do, partners hear and people read."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.fhir.access import is_paused
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.nhsuk.dates import format_moment
from directory.forms import PauseForm
from directory.models import HealthcareService, ServiceCapability
from directory.selectors.search import ServiceSearch
from directory.services.entries import pause_referrals
from referrals.cases.models import Referral, ValidationCase
from referrals.sending.policies import check_told_to_take
from tests.factories.accounts import make_acting
from tests.factories.directory import make_service
from tests.integration.exchange.calling import Json, fresh, outcome
from tests.integration.exchange_messages.world import World
from tests.unit.exchange_fhir.samples import SAMPLES

pytestmark = pytest.mark.django_db
REASON = "No clinician on duty"


def pause(service: HealthcareService, *, hours: int = 4) -> None:
    until = timezone.now() + timedelta(hours=hours)
    HealthcareService.objects.filter(pk=service.pk).update(paused_until=until, pause_reason=REASON)
    service.refresh_from_db()


def service_of(world: World) -> HealthcareService:
    service: HealthcareService = world.slot.schedule.service
    return service


@pytest.mark.parametrize("key", ["referral-new", "validation-new"])
def test_new_requests_are_refused_for_good_and_write_nothing(world: World, key: str) -> None:
    pause(service_of(world))
    message = fresh(SAMPLES[key]())
    assert outcome(world.post(message)) == (422, "REC_UNPROCESSABLE_ENTITY", "processing")
    assert not Referral.objects.exists() and not ValidationCase.objects.exists()
    pause(service_of(world), hours=-1)
    world.take(fresh(SAMPLES[key]()))


@pytest.mark.parametrize("key", ["referral-update", "referral-revoked", "validation-cancelled"])
def test_what_was_taken_before_goes_on(world: World, key: str) -> None:
    world.prepare(key)
    pause(service_of(world))
    world.take(fresh(SAMPLES[key]()))


def test_bookings_go_on(world: World) -> None:
    pause(service_of(world))
    world.take(fresh(SAMPLES["booking-new"]()))


def definitions(world: World) -> set[str]:
    context = f"https://fhir.nhs.uk/Id/dos-service-id|{service_of(world).service_id}"
    answer: Json = json.loads(world.receiver.get(f"/MessageDefinition?context={context}").content)
    return {each["resource"]["eventCoding"]["code"] for each in answer["entry"]}


def test_partners_hear_of_it(world: World) -> None:
    before = definitions(world)
    assert "servicerequest-request" in before
    pause(service_of(world))
    assert definitions(world) == before - {"servicerequest-request"}


@pytest.fixture
def manager() -> Acting:
    return make_acting(role=Role.MANAGER)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_manager_stops_changes_and_takes_up_again(manager: Acting) -> None:
    service = make_service(provider=manager.organisation, takes_referrals=True)
    ServiceCapability.objects.create(service=service, read_at=timezone.now())
    client, address = signed_in(manager.user), reverse("directory:pause", args=[service.service_id])
    page = client.post(address, {"until": "4", "reason": ""}).content.decode()
    assert "Enter" in page and 'value="4" checked' in page, "what was chosen stays"
    service.refresh_from_db()
    assert service.paused_until is None

    assert client.post(address, {"until": "4", "reason": REASON}).status_code == 302
    service.refresh_from_db()
    assert service.paused_until and is_paused(service.paused_until, timezone.now())
    assert not ServiceCapability.objects.exists(), "who sends from here asks it anew"
    listed = client.get(reverse("directory:pauses")).content.decode()
    assert service.name in listed and REASON in listed
    assert reverse("directory:pauses") in client.get("/").content.decode(), "it waits at home"

    assert client.post(address, {"resume": "yes"}).status_code == 302
    service.refresh_from_db()
    assert (service.paused_until, service.pause_reason) == (None, "")
    made = AuditEvent.objects.filter(subject_id=str(service.pk)).order_by("at")
    assert [each.action for each in made] == ["directory.pause_referrals", "directory.resume_referrals"]


@pytest.mark.parametrize(
    ("role", "own", "status"),
    [(Role.MANAGER, False, 404), (Role.CLINICIAN, True, 403), (Role.ENGINEER, True, 403)],
)
def test_nobody_else_may(role: Role, own: bool, status: int) -> None:
    acting = make_acting(role=role)
    service = make_service(takes_referrals=True, provider=acting.organisation if own else None)
    address = reverse("directory:pause", args=[service.service_id])
    assert signed_in(acting.user).post(address, {"until": "4", "reason": REASON}).status_code == status
    service.refresh_from_db()
    assert service.paused_until is None


@pytest.mark.parametrize("hours", [-1, 0, 24 * 28 + 1])
def test_the_end_is_near_and_still_to_come(manager: Acting, hours: int) -> None:
    service = make_service(provider=manager.organisation, takes_referrals=True)
    now = timezone.now()
    until = now + timedelta(hours=hours)
    with pytest.raises(PolicyRefused, match="4 weeks"):
        pause_referrals(service=service, until=until, reason=REASON, acting=manager, now=now)


def test_our_own_people_read_it_before_they_choose() -> None:
    service = make_service(takes_referrals=True, accepted_use_cases=["a1t2"])
    pause(service)
    now = timezone.now()
    assert service.paused_until
    sentence = f"takes no referrals until {format_moment(service.paused_until, now)}: {REASON}"
    page = signed_in(make_acting().user).get(f"/services/{service.service_id}/").content.decode()
    assert sentence in page and "Refer a patient" not in page
    with pytest.raises(PolicyRefused, match="takes no referrals until"):
        check_told_to_take(service, UseCase.A1T2, now)
    assert not list(ServiceSearch(takes="referrals", now=now)[:10])
    later = now + timedelta(hours=5)
    assert [each.service for each in ServiceSearch(takes="referrals", now=later)[:10]] == [service]
    check_told_to_take(service, UseCase.A1T2, later)


@pytest.mark.parametrize(
    ("chosen", "now", "ends"),
    [
        ("1", datetime(2026, 11, 30, 12, tzinfo=UTC), datetime(2026, 11, 30, 13, tzinfo=UTC)),
        ("today", datetime(2026, 11, 30, 12, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
        # In summer London's day ends an hour before UTC's.
        ("today", datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 23, tzinfo=UTC)),
        ("tomorrow", datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 23, tzinfo=UTC)),
        ("week", datetime(2026, 11, 30, 12, tzinfo=UTC), datetime(2026, 12, 7, 12, tzinfo=UTC)),
    ],
)
def test_when_it_ends(chosen: str, now: datetime, ends: datetime) -> None:
    form = PauseForm({"until": chosen, "reason": REASON})
    assert form.is_valid()
    assert form.ends_at(now) == ends
