"""A clinician at a desk, a service that takes every request, and the network between them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.gateway import client as gateway
from directory.models import HealthcareService
from referrals.cases.models import Case, Referral, ValidationCase
from referrals.forms.steps import DONE
from referrals.sending.models import RequestDraft
from referrals.sending.views.lookup import wait_for_case
from tests.factories.accounts import make_acting
from tests.factories.referrals import make_hub
from tests.integration.booking_pages.conftest import ANSWERS as PATIENT
from tests.integration.booking_pages.conftest import client_of
from tests.integration.bookings.loopback import Loopback
from tests.integration.request_pages.minimal import minimal
from tests.integration.wire import ask
from tests.worlds import Kept, Worlds

OWN_SERVICE_ID = "2000099090"


@dataclass
class Desk:
    """`begin()` as far as the list of tasks; `fill()` one step; `send()` all the way."""

    acting: Acting
    client: Client
    service: HealthcareService
    network: Loopback

    def begin(self, use_case: str = "a1t1", **query: Any) -> RequestDraft:
        known = set(RequestDraft.objects.values_list("pk", flat=True))
        address = reverse("referrals:new", query={"service": self.service.service_id, **query})
        response = self.client.post(address, {"use_case": use_case})
        assert response.status_code == 302, response.content.decode()
        draft = RequestDraft.objects.exclude(pk__in=known).get()
        assert response["Location"] == reverse("referrals:request", args=[draft.pk])
        return draft

    def step(self, draft: RequestDraft, slug: str) -> str:
        if slug == "patient":
            return reverse("referrals:request-patient", args=[draft.pk])
        return reverse("referrals:request-step", args=[draft.pk, slug])

    def fill(self, draft: RequestDraft, slug: str, answers: dict[str, str]) -> Any:
        return self.client.post(self.step(draft, slug), answers)

    def filled(self, draft: RequestDraft, steps: dict[str, dict[str, str]]) -> RequestDraft:
        for slug, answers in steps.items():
            response = self.fill(draft, slug, answers)
            assert response.status_code == 302, (slug, response.content.decode())
            assert response["Location"] != self.step(draft, slug), slug
        draft.refresh_from_db()
        return draft

    def written(self, use_case: UseCase = UseCase.A1T1) -> RequestDraft:
        """With the least that can be sent, as `filled()` leaves it: for what is about later pages."""
        now = datetime.now(UTC)
        return RequestDraft.objects.create(
            user=self.acting.user,
            organisation=self.acting.organisation,
            service=self.service,
            use_case=use_case.value,
            typed={slug: {**typed, DONE: "1"} for slug, typed in minimal(use_case).items()},
            created_at=now,
            updated_at=now,
        )

    def send(self, draft: RequestDraft, **answers: str) -> Any:
        response = self.client.post(reverse("referrals:request-check", args=[draft.pk]), answers)
        self.network.now = datetime.now(UTC)
        self.network.deliver_all()
        return response

    def case(self) -> Case:
        """The one that was sent."""
        sent: list[Case] = [
            *Referral.objects.filter(direction="sent"),
            *ValidationCase.objects.filter(direction="sent"),
        ]
        (case,) = sent
        return case


@pytest.fixture
def network(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """The process's own client, with our receiver at the other end instead of a socket."""
    settings.BARS = {**django_settings.BARS, "SERVICE_ID": OWN_SERVICE_ID}
    settings.CELERY_TASK_ALWAYS_EAGER = False
    network = Loopback(now=datetime.now(UTC))
    monkeypatch.setattr(gateway._process, "config", dict(settings.BARS))
    monkeypatch.setattr(gateway._process, "client", network.client)
    # The tests deliver the messages themselves: there is nothing to wait for.
    assert wait_for_case.__kwdefaults__ is not None
    monkeypatch.setitem(wait_for_case.__kwdefaults__, "patience", 0.0)
    return network


def make_desk() -> Desk:
    acting = make_acting()
    service = make_hub(accepted_use_cases=[each.value for each in UseCase])
    make_hub(service_id=OWN_SERVICE_ID, provider=acting.organisation, accepted_use_cases=[])
    return Desk(acting, client_of(acting), service, Loopback())


@pytest.fixture(scope="module")
def kept_desk(worlds: Worlds) -> Kept[Desk]:
    def make() -> Desk:
        desk = make_desk()
        ask(desk.service, by=desk.acting.organisation)
        return desk

    return worlds.keep("kept_desk", make)


@pytest.fixture
def desk(kept_desk: Kept[Desk], db: None, network: Loopback) -> Desk:
    desk = kept_desk.copy()
    desk.network = network
    return desk


@pytest.fixture
def sign_in(db: None) -> Callable[..., Client]:
    """Another person: of this organisation, or of one of their own."""

    def enter(organisation: Organisation | None, role: Role = Role.CLINICIAN) -> Client:
        return client_of(make_acting(role=role, organisation=organisation))

    return enter


__all__ = ["PATIENT", "Desk"]
