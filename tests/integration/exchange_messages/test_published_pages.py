"""Every published message, sent to the receiver, is whole on the page of whoever got it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client, override_settings
from django.urls import reverse
from lxml import html

from bars_portal.accounts.models import Organisation
from bars_portal.exchange.fhir.formats import Format
from bars_portal.settings import test as portal
from bookings.models import Booking
from referrals.cases.models import CaseReply, CaseVersion
from tests.contract.published import PUBLISHED
from tests.factories.accounts import make_acting
from tests.integration.exchange.calling import Json
from tests.integration.exchange_messages.stories import adapted, before
from tests.integration.exchange_messages.world import World
from tests.unit.referrals.message_pages import UUID, missing_from, without_codes, words_in

PORTAL = override_settings(ROOT_URLCONF=portal.ROOT_URLCONF, MIDDLEWARE=portal.MIDDLEWARE)
ALARMS = ("safeguarding", "scene safety")


@pytest.mark.further
def test_every_published_message_is_whole_on_its_page(world: World, shared_dir: Path) -> None:
    shown = 0
    for name in (each.strip() for each in PUBLISHED):
        with transaction.atomic():
            sent = take(world, shared_dir, name)
            check_page(name, sent, page_of(sent))
            shown += 1
            transaction.set_rollback(True)
    assert shown > 15


def take(world: World, shared: Path, name: str) -> Json:
    """The message as it was sent, after those that go before it."""
    world.prepare("")
    answers: list[Json] = []
    for each in (*before(name), name):
        sent = adapted(shared, each, world, earlier=answers)
        answers.append(world.take(sent, Format.JSON))
    return sent


def page_of(sent: Json) -> Any:
    organisation, address = owner_and_address(sent["id"])
    client = Client()
    client.force_login(make_acting(organisation=organisation).user)
    with PORTAL:
        response = client.get(address)
    assert response.status_code == 200
    return html.fromstring(response.content).find(".//main")


def owner_and_address(bundle_id: str) -> tuple[Organisation, str]:
    """Who got it, and where they read it."""
    with PORTAL:
        for reply in CaseReply.objects.filter(bundle_id=bundle_id):
            return reply.case.organisation, reverse("referrals:case-reply", args=[reply.case.pk, reply.pk])
        for version in CaseVersion.objects.filter(message__bundle_id=bundle_id):
            case = version.case
            if case.version == version.number and case.status == "received":
                return case.organisation, reverse("referrals:received", args=[case.pk])
            return case.organisation, reverse("referrals:version", args=[case.pk, version.number])
        booking = Booking.objects.get()
        return booking.organisation, reverse("bookings:received", args=[booking.pk])


def check_page(name: str, sent: Json, page: Any) -> None:
    assert missing_from(words_in(page), sent) == [], name
    assert re.findall(UUID, words_in(without_codes(page))) == [], name
    top, *_ = page.find_class("app-message__top")
    buttons = [each for each in page.iter("button", "a") if "nhsuk-button" in each.get("class", "")]
    for alarm in alarms(sent):
        assert alarm in words_in(top), name
        assert all(each.sourceline > top.sourceline for each in buttons), name


def alarms(sent: Json) -> Iterator[str]:
    kinds = dict(zip(("SG", "SS"), ALARMS, strict=True))
    for entry in sent["entry"]:
        if entry["resource"]["resourceType"] == "Flag":
            code = entry["resource"]["category"][0]["coding"][0]["code"]
            if code in kinds:
                yield kinds[code]
