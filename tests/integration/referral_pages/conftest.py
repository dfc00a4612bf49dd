"""A department that receives, an organisation that asks, and people of both at their pages."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import Role
from bars_portal.exchange.gateway import client as gateway
from referrals.cases.models import Case
from referrals.cases.selectors import steps_of
from referrals.responding.response_view import wait_for_response
from referrals.sending.views.lookup import wait_for_case
from tests.factories.accounts import make_acting
from tests.integration.bookings.loopback import Loopback
from tests.integration.referrals.desk import AnsweringDesk, own_address
from tests.worlds import Kept, Worlds


def client_of(acting: Acting) -> Client:
    client = Client()
    client.force_login(acting.user)
    return client


def words(response: Any) -> str:
    """The page as one line of text, tags and all."""
    return " ".join(response.content.decode().split())


@dataclass
class Office:
    """The desk with somebody at the pages on each side."""

    desk: AnsweringDesk
    client: Client
    asking: Client

    def page(self, case: Case) -> str:
        return reverse("referrals:received", args=[case.pk])

    def sent_page(self) -> str:
        return reverse("referrals:sent-case", args=[self.desk.sent.pk])

    def press(self, name: str, case: Case, **typed: str) -> Any:
        """A button of the case's page, with what the page knows now."""
        seen = steps_of(case)
        return self.client.post(
            reverse(f"referrals:{name}", args=[case.pk]), {"seen": seen, **typed}, follow=True
        )

    def colleague(self, role: Role = Role.CLINICIAN) -> Client:
        return client_of(make_acting(role=role, organisation=self.desk.hub.provider))


@pytest.fixture
def network(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """The process's own client, with our receiver at the other end instead of a socket."""
    own_address(settings)
    network = Loopback(now=datetime.now(UTC))
    monkeypatch.setattr(gateway._process, "config", dict(settings.BARS))
    monkeypatch.setattr(gateway._process, "client", network.client)
    for wait in (wait_for_response, wait_for_case):
        # The tests deliver the messages themselves: there is nothing to wait for.
        assert wait.__kwdefaults__ is not None
        monkeypatch.setitem(wait.__kwdefaults__, "patience", 0.0)
    return network


@pytest.fixture(scope="module")
def kept_office(worlds: Worlds, shared_dir: Path) -> Kept[Office]:
    def make() -> Office:
        desk = AnsweringDesk(shared_dir)
        return Office(desk, client_of(desk.clinician), client_of(make_acting(organisation=desk.asking)))

    return worlds.keep("kept_office", make)


@pytest.fixture
def office(kept_office: Kept[Office], network: Loopback) -> Office:
    office = kept_office.copy()
    office.desk.network, office.desk.now = network, network.now
    return office
