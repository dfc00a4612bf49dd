"""Access rules: nobody is refused without one, everybody that none lets in with one, and every door asks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.models import InboundMessage, InboundState
from bars_portal.metrics.figures import ACCESS_REFUSED, known
from bookings.models import Booking, Slot
from directory.models import AccessRule, HealthcareService
from directory.selectors.access import dry_run
from tests.factories.accounts import make_user
from tests.factories.directory import make_service
from tests.integration.exchange.calling import (
    Receiver,
    encoded,
    fresh,
    headers,
    issue_of,
    outcome,
    target,
)

PRODUCT = "111 Connect"
DAY = datetime(2026, 5, 4, tzinfo=UTC)


def software(version: str, name: str = PRODUCT) -> str:
    """NHSD-Requesting-Software."""
    return encoded({"resourceType": "Device", "deviceName": {"name": name}, "version": {"value": version}})


def rule(service: HealthcareService, **asked: Any) -> AccessRule:
    fields = {"name": "Ours", "in_force": True, "software": PRODUCT, **asked}
    return AccessRule.objects.create(service=service, **fields)


@pytest.mark.parametrize("version", ["2.1", "v2.10"])
def test_a_version_in_the_range_is_let_in_and_another_is_not(
    receiver: Receiver, slot: Slot, version: str
) -> None:
    rule(slot.service, version_from="2.1")
    old = receiver.send(fresh(), NHSD_Requesting_Software=software("2.0.9"))
    assert outcome(old) == (401, "REC_UNAUTHORIZED", "forbidden")
    assert issue_of(old)["expression"] == ["http.NHSD-Requesting-Software"]
    assert not Booking.objects.exists()
    assert receiver.send(fresh(), NHSD_Requesting_Software=software(version)).status_code == 200


def test_a_refusal_is_on_the_trail_and_counted_by_service(
    receiver: Receiver, slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "_names", frozenset({slot.service.service_id, "RX111"}))
    counted = ACCESS_REFUSED.labels(slot.service.service_id, "RX111")
    before = counted._value.get()
    rule(slot.service, roles=["62247001"])
    assert receiver.send(fresh()).status_code == 401
    event = AuditEvent.objects.get(action="exchange.receive_message")
    assert (event.outcome, event.detail["rule"]) == ("refused", "access")
    assert counted._value.get() == before + 1


def search(service: HealthcareService) -> str:
    wanted = f"Schedule.actor:HealthcareService={service.service_id}&status=free"
    times = f"start=ge{DAY:%Y-%m-%dT%H:%M:%SZ}&start=le{DAY + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    included = "_include=Slot:schedule&_include=Schedule:actor:Practitioner"
    return f"/Slot?{wanted}&{times}&{included}&_include=Schedule:actor:HealthcareService"


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_every_read_asks_too(receiver: Receiver, slot: Slot, version: str) -> None:
    assert receiver.send(fresh()).status_code == 200
    booked = Booking.objects.get()
    rule(slot.service, version_from="2.1")
    status = 200 if version == "2.1" else 401
    number = booked.patient.nhs_number
    by_patient = f"/Appointment?patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{number}"
    for path in (search(slot.service), f"/Appointment/{booked.pk}", by_patient):
        answer = receiver.get(
            path,
            NHSD_Requesting_Software=software(version),
            NHSD_Target_Identifier=target(slot.service.service_id),
        )
        assert answer.status_code == status, path


def test_no_message_pays_for_rules(receiver: Receiver, slot: Slot) -> None:
    """Neither where there are none nor where there are some."""
    receiver.send(fresh(), NHSD_Requesting_Software=software("3"))
    counted = []
    for name in ("First", "Second"):
        with CaptureQueriesContext(connection) as found:
            receiver.send({"resourceType": "Bundle"}, NHSD_Requesting_Software=software("3"))
        counted.append(len(found))
        rule(slot.service, name=name)
    assert counted[0] == counted[1]


def test_what_is_kept_with_the_service_follows_the_rows(slot: Slot) -> None:
    def kept() -> list[str]:
        slot.service.refresh_from_db()
        return [each["software"] for each in slot.service.access_rules]

    one = rule(slot.service, in_force=False)
    assert kept() == []
    AccessRule.objects.update(in_force=True)
    two = rule(slot.service, name="Theirs", software="Other")
    assert sorted(kept()) == [PRODUCT, "Other"]
    one.delete()
    assert kept() == ["Other"]
    elsewhere = make_service()
    two.service = elsewhere
    two.save()
    assert kept() == []
    elsewhere.refresh_from_db()
    assert len(elsewhere.access_rules) == 1
    elsewhere.delete()
    assert not AccessRule.objects.exists()


def test_a_dry_run_tells_what_it_would_have_refused_and_refuses_nothing(
    receiver: Receiver, slot: Slot
) -> None:
    for version in ("1.9", "1.9", "2.4"):
        receiver.send({"resourceType": "Bundle"}, NHSD_Requesting_Software=software(version))
    receiver.send({"resourceType": "Bundle"}, NHSD_Requesting_Software=None)
    tried = rule(slot.service, version_from="2", in_force=False)
    found = dry_run(tried)
    told = {(each.caller.version, each.headers, each.messages) for each in found.refused}
    header = ("NHSD-Requesting-Software",)
    assert told == {("1.9", header, 2), ("", header, 1)}
    assert (found.looked_at, found.messages, found.already, found.not_judged) == (4, 3, 0, 0)
    rule(slot.service, name="Old ones too", version_to="1.9")
    assert (dry_run(tried).messages, dry_run(tried).already) == (1, 2)


def posted(service: HealthcareService, **changes: str) -> dict[str, str]:
    empty = dict.fromkeys(("organisations", "roles", "software", "version_from", "version_to"), "")
    return {"service": str(service.pk), "name": "Ours", **empty, **changes}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Say which organisations, roles or software"),
        ({"version_from": "2"}, "Name the software"),
        ({"software": "X", "version_from": "new"}, "A version begins with numbers"),
        ({"software": "X", "version_from": "2.10", "version_to": "2.9"}, "comes before the first"),
        ({"roles": "doctor"}, "6 to 18 digits"),
        ({"organisations": "A&E"}, "An ODS code has"),
    ],
)
def test_what_a_form_refuses(slot: Slot, changes: dict[str, str], words: str) -> None:
    client = Client()
    client.force_login(make_user(role=Role.MANAGER, organisation=slot.service.provider))
    page = client.post(reverse("admin:directory_accessrule_add"), posted(slot.service, **changes))
    assert page.status_code == 200
    assert words in page.content.decode()
    assert not AccessRule.objects.exists()


def test_a_manager_makes_one_and_sees_what_it_would_refuse(slot: Slot) -> None:
    InboundMessage.objects.create(
        service_id=slot.service.service_id,
        peer="proxy",
        headers=headers(NHSD_Requesting_Software=software("1.9")),
        body=b"",
        received_at=DAY,
        state=InboundState.ACCEPTED,
    )
    client = Client()
    client.force_login(make_user(role=Role.MANAGER, organisation=slot.service.provider))
    answer = client.post(
        reverse("admin:directory_accessrule_add"), posted(slot.service, software="X", organisations="rx1")
    )
    assert answer.status_code == 302
    made = AccessRule.objects.get()
    assert (made.organisations, made.in_force) == (["RX1"], False)
    assert AuditEvent.objects.filter(action="directory.create_access_rule", subject_id=str(made.pk)).exists()
    page = client.get(reverse("admin:directory_accessrule_change", args=[made.pk])).content.decode()
    assert "it would have refused\n<strong>1</strong>" in page
    assert f"{PRODUCT} 1.9" in page
