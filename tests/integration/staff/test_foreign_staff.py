"""Every act of the administration, by people of another organisation: nothing is seen, nothing changes."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from directory.models import Endpoint, HealthcareService, Source
from tests.databases import contents
from tests.factories.everything import MARK
from tests.integration.staff.acting import carry_out
from tests.integration.staff.conftest import World

IMPORT = "/admin/directory/catalogueimport/add/"
# What everybody of the administration may read: codes are of no organisation, and what services say of
# themselves they say to everybody.
SHARED = frozenset(
    {
        *("referrals.listedcode", "directory.servicecapability", "directory.capabilitychange"),
        "exchange.partnercircuit",
    }
)


def page(row: Model, what: str) -> str:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{what}"
    return reverse(name, args=[] if what in ("changelist", "add") else [row.pk])


def acts(row: Model) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """(address, what is posted or None) of everything that the administration can do with a row."""
    listed = page(row, "changelist")
    yield listed, None
    yield f"{listed}?q={row.pk}", None
    filled = {
        **{"name": "Taken over", "minutes": "5", "category": "validation", "fingerprint": "x", "post": "yes"},
        **{"password1": "taken over by others", "password2": "taken over by others", "set-password": "1"},
    }
    # Custom ones too, such as that of a password.
    for route in (str(each.pattern) for each in admin.site.get_model_admin(type(row)).get_urls()):
        if "<" in route:
            address = listed + re.sub(r"<[^>]+>", str(row.pk), route)
            yield address, None
            yield address, filled
    for action in admin.site.get_model_admin(type(row)).actions or ():
        yield listed, {"action": action, "_selected_action": [str(row.pk)], "select_across": "1"}


def gives_away(answer: Any) -> bool:
    text = answer.content.decode()
    return answer.status_code == 200 and (MARK in text or "QUILL" in text.upper() or "zanzibar" in text)


def test_there_is_a_row_of_everything(world: World) -> None:
    shown = {model._meta.label_lower for model in admin.site._registry}
    assert shown - {"referrals.listedcode"} == {row._meta.label_lower for row in world.rows}


def test_with_every_role_elsewhere_nothing_is_seen_and_nothing_changes(world: World) -> None:
    """All roles at once: what none of them may do together, each may not do alone."""
    client, before = world.client(*Role), contents(remembered=True)
    seen: list[str] = []
    for row in world.rows:
        for address, posted in acts(row):
            if posted is None:
                answer = client.get(address)
            elif "action" in posted:
                # Whoever is asked first says yes.
                answer = carry_out(client, address, posted["action"], [row.pk], select_across="1")
            else:
                answer = client.post(address, posted)
            if row._meta.label_lower in SHARED:
                continue
            if gives_away(answer):
                seen.append(address)
            if str(row.pk) in address.split("/") and not address.endswith(f"/{row.pk}/"):
                assert answer.status_code in (403, 404), address
    assert not seen
    assert contents(remembered=True) == before


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ENGINEER], ids=str)
def test_what_was_tried_elsewhere_is_on_both_trails(world: World, role: Role) -> None:
    message = next(row for row in world.rows if row._meta.model_name == "outboundmessage")
    assert world.client(role).get(page(message, "change")).status_code == 404
    tried = AuditEvent.objects.filter(outcome="refused", subject_id=str(message.pk))
    assert {each.organisation_id for each in tried} == {world.owner.pk, world.elsewhere.pk}
    assert {each.action for each in tried} == {"accounts.open_page"}


def test_choices_of_pages_are_of_the_own_organisation(world: World) -> None:
    """The lookup behind the form of a person."""
    client = world.client(*Role)
    asked = {"app_label": "accounts", "model_name": "membership", "field_name": "organisation", "term": ""}
    answer = client.get(reverse("admin:autocomplete"), asked)
    assert MARK not in answer.content.decode()


def test_a_superuser_who_opens_something_is_on_the_trail_of_its_owner(world: World) -> None:
    """Also when they act for another one."""
    client = Client()
    person = world.person(Role.CLINICIAN)
    type(person).objects.filter(pk=person.pk).update(is_superuser=True)
    client.force_login(person)
    opened = [row for row in world.rows if row._meta.model_name in ("patient", "outboundmessage", "referral")]
    for row in opened:
        assert client.get(page(row, "change")).status_code == 200
    events = AuditEvent.objects.filter(subject_id__in=[str(row.pk) for row in opened], actor_user=person)
    assert {each.organisation_id for each in events} == {world.owner.pk}
    assert events.count() == len(opened)


def uploads(world: World) -> Iterator[tuple[str, str]]:
    """(source, content): catalogues that take a hosted service over, as a whole or by its way in."""
    service = next(row for row in world.rows if isinstance(row, HealthcareService))
    ours, theirs = world.elsewhere.ods_code, world.owner.ods_code
    head = "service_id,name,provider_ods,allowed_callers,endpoint_address"
    for provider in (ours, theirs):
        yield "csv", f"{head}\n{service.service_id},Taken,{provider},{ours},https://evil.example/FHIR/R4\n"
    # As it is: whether it is as they guess is told to nobody.
    yield "csv", f"{head}\n{service.service_id},{service.name},{theirs},ZZZ99,\n"
    yield "csv", f"service_id,name,provider_ods\n2000777777,Made for others,{theirs}\n"
    # What a list leaves out is gone: of the own organisation.
    yield "csv", f"service_id,name,provider_ods\n2000888888,Ours,{ours}\n"
    system = "https://fhir.nhs.uk/Id/dos-service-id"
    ways = {"NHSD-Target-Identifier": {system: {service.service_id: "https://evil.example/FHIR/R4"}}}
    yield "routes", json.dumps(ways)


@pytest.mark.parametrize(
    "roles", [(Role.ENGINEER,), (Role.INSTALLER,), tuple(Role)], ids=["engineer", "installer", "all"]
)
def test_a_catalogue_takes_nobodys_hosted_service_over(world: World, roles: tuple[Role, ...]) -> None:
    client = world.client(*roles)
    HealthcareService.objects.update(source=Source.CSV)
    hosted = HealthcareService.objects.filter(hosted=True).values().order_by("pk")
    before, ways = list(hosted), list(Endpoint.objects.values().order_by("pk"))
    for source, content in uploads(world):
        file = SimpleUploadedFile("list", content.encode())
        answer = client.post(
            IMPORT, {"source": source, "file": file, "provider": str(world.elsewhere.pk)}, follow=True
        )
        text = answer.content.decode()
        assert "Apply these changes" not in text or "2000888888" in content or Role.INSTALLER in roles, (
            content
        )
        if "fingerprint" in (answer.context or {}):
            client.post(answer.redirect_chain[-1][0], {"fingerprint": answer.context["fingerprint"]})
    assert HealthcareService.objects.filter(service_id="2000888888").exists(), "own ones can be added"
    assert list(hosted.all()) == before
    assert list(Endpoint.objects.values().order_by("pk")) == ways


def test_an_engineer_asks_the_catalogue_for_the_own_organisation_only(world: World) -> None:
    posted = {"source": "api", "organisations": world.owner.ods_code}
    answer = world.client(Role.ENGINEER).post(IMPORT, posted)
    assert "You can ask for your own organisation only" in answer.content.decode()


@pytest.mark.parametrize("model", ["bookings_schedule", "referrals_breachrule"])
def test_nothing_is_added_to_a_foreign_service(world: World, model: str) -> None:
    service = next(row for row in world.rows if isinstance(row, HealthcareService))
    client, before = world.client(*Role), contents(remembered=True)
    diary = {
        "name": "Mine",
        "weekdays": ["0"],
        "slot_minutes": "15",
        "day_start": "08:00",
        "day_end": "09:00",
    }
    posted = {"service": str(service.pk), "category": "validation", "minutes": "5", "active": "on", **diary}
    answer = client.post(reverse(f"admin:{model}_add"), posted)
    assert "not one of the available choices" in answer.content.decode()
    assert contents(remembered=True) == before
