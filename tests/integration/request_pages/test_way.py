"""Sending a referral: its way through the files, as docs/ARCHITECTURE.md has it."""

from django.urls import reverse

from bars_portal.exchange.fhir.codes import UseCase
from tests.integration.request_pages.conftest import Desk
from tests.integration.request_pages.minimal import minimal
from tests.integration.ways import check, traced


def test_sending_a_referral(desk: Desk) -> None:
    draft = desk.filled(desk.begin("a1t1"), minimal(UseCase.A1T1))
    with traced("referrals/sending/views/steps.py", "send_draft") as way:
        desk.client.post(reverse("referrals:request-check", args=[draft.pk]))
    check(way, "Sending a referral, to the commit", most_stages=15)
