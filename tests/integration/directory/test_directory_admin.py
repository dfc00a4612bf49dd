from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from directory.models import Endpoint, HealthcareService
from tests.factories.accounts import make_organisation, make_user
from tests.factories.directory import make_endpoint, make_service

pytestmark = pytest.mark.django_db

SERVICES = "/admin/directory/healthcareservice/"


def client_of(role: Role, organisation: Organisation | None = None) -> Client:
    client = Client()
    client.force_login(make_user(role=role, organisation=organisation))
    return client


def change_url(row: HealthcareService | Endpoint) -> str:
    return reverse(f"admin:directory_{row._meta.model_name}_change", args=[row.pk])


def service_form(service: HealthcareService, **changes: Any) -> dict[str, Any]:
    """What the page of `service` posts when only `changes` were made."""
    form: dict[str, Any] = {
        "name": service.name,
        "service_type": service.service_type,
        "active": "on",
        "address_lines": "",
        "postcode": "",
        "phone": "",
        "opening_hours": "",
        "takes_bookings": "on",
        "accepted_use_cases": ["a1t2"],
        "allowed_callers": "",
        **changes,
    }
    return {name: value for name, value in form.items() if value is not None}


def endpoint_form(endpoint: Endpoint, **changes: Any) -> dict[str, Any]:
    dates = {f"period_{end}_{part}": "" for end in ("start", "end") for part in (0, 1)}
    kept = {
        "name": endpoint.name,
        "status": endpoint.status,
        "connection_type": endpoint.connection_type,
        "address": endpoint.address,
    }
    return {**dates, **kept, **changes}


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.MANAGER, 200),
        (Role.ENGINEER, 200),
        (Role.AUDITOR, 200),
        (Role.CLINICIAN, 403),
        (Role.CLERK, 403),
    ],
)
def test_who_may_look(role: Role, status: int) -> None:
    assert client_of(role).get(SERVICES, follow=True).status_code == status


def test_managers_see_the_services_of_their_organisation_only() -> None:
    own, other = make_service(name="Own one"), make_service(name="Foreign one")
    client = client_of(Role.MANAGER, own.provider)

    page = client.get(SERVICES).content.decode()

    assert "Own one" in page
    assert "Foreign one" not in page
    assert client.get(change_url(own)).status_code == 200
    assert client.get(change_url(other)).status_code == 404
    client.post(change_url(other), service_form(other, name="Taken over"))
    other.refresh_from_db()
    assert other.name == "Foreign one"


def test_a_manager_changes_a_service_and_the_trail_names_fields_only() -> None:
    service = make_service()
    client = client_of(Role.MANAGER, service.provider)
    changes = {
        "name": "New name",
        "postcode": "ls14ap",
        "address_lines": "1 Wharf Street\r\n\r\n Leeds \r\n",
        "opening_hours": "Mon 8:00-20:00\r\nSun closed",
        "accepted_use_cases": ["a1t1", "a1t2"],
        "allowed_callers": "rx1, RRV01\r\nRX1",
        "requires_booking": "on",
    }

    response = client.post(change_url(service), service_form(service, **changes))

    assert response.status_code == 302
    service.refresh_from_db()
    assert service.name == "New name"
    assert service.postcode == "LS1 4AP"
    assert service.address_lines == ["1 Wharf Street", "Leeds"]
    assert service.opening_hours == {"mon": [["08:00", "20:00"]], "sun": []}
    assert service.accepted_use_cases == ["a1t1", "a1t2"]
    assert service.allowed_callers == ["RRV01", "RX1"]
    event = AuditEvent.objects.get(action="directory.change_service")
    assert event.detail["fields"] == ", ".join(sorted(changes))
    assert event.organisation == service.provider
    assert event.actor_user is not None


def test_saving_without_a_change_writes_nothing() -> None:
    service = make_service(
        opening_hours={"mon": [["08:00", "20:00"]], **{day: [] for day in ("tue", "wed", "thu", "fri")}},
        address_lines=["1 Wharf Street"],
    )
    client = client_of(Role.MANAGER, service.provider)
    shown = client.get(change_url(service)).context["adminform"].form
    as_shown = {name: shown[name].value() for name in ("opening_hours", "address_lines", "allowed_callers")}

    again = {name: shown.fields[name].prepare_value(value) for name, value in as_shown.items()}
    first = client.post(change_url(service), service_form(service, **again))
    stored = HealthcareService.objects.get(pk=service.pk)

    assert first.status_code == 302
    assert stored.opening_hours["mon"] == [["08:00", "20:00"]]
    assert not AuditEvent.objects.filter(action="directory.change_service").exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("opening_hours", "Mon 8", "Monday: a span has a start and an end."),
        ("opening_hours", "Funday 08:00-20:00", "Line 1: start with a day"),
        ("opening_hours", "\x00", "Null characters are not allowed"),
        ("opening_hours", "x" * 10_000, "at most 2000 characters"),
        ("postcode", "LS1", "Enter a full UK postcode"),
        ("accepted_use_cases", ["zz"], "not one of the available choices"),
        ("allowed_callers", "A&amp;E", "An ODS code has 3 to 12 letters and digits."),
        ("address_lines", "a\n" * 9, "Enter at most 8 lines"),
        ("name", "", "This field is required"),
        ("name", "\x00", "Null characters are not allowed"),
        ("takes_bookings", None, "A service that requires a booking must take bookings."),
    ],
)
def test_wrong_values_are_refused_in_words(field: str, value: Any, words: str) -> None:
    service = make_service(name="Kept")
    client = client_of(Role.MANAGER, service.provider)

    response = client.post(
        change_url(service), service_form(service, requires_booking="on", **{field: value}, phone="new")
    )

    assert response.status_code == 200
    assert words in response.content.decode()
    service.refresh_from_db()
    assert (service.name, service.phone) == ("Kept", "")
    assert not AuditEvent.objects.exists()


def test_who_and_where_a_service_is_stays_fixed() -> None:
    service, other = make_service(), make_organisation()
    client = client_of(Role.MANAGER, service.provider)

    client.post(
        change_url(service),
        service_form(service, phone="0113 496 0000", service_id="999", provider=other.pk, hosted=""),
    )

    changed = HealthcareService.objects.get(pk=service.pk)
    assert changed.phone == "0113 496 0000"
    assert (changed.service_id, changed.provider, changed.hosted) == (
        service.service_id,
        service.provider,
        True,
    )


@pytest.mark.parametrize("hours", [{"mon": 3}, ["mon"], {"mon": [["99:99", "1"]]}])
def test_stored_hours_that_make_no_sense_can_be_put_right(hours: object) -> None:
    service = make_service(opening_hours=hours)
    client = client_of(Role.MANAGER, service.provider)

    assert client.get(change_url(service)).status_code == 200
    client.post(change_url(service), service_form(service))

    service.refresh_from_db()
    assert service.opening_hours == {}


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.AUDITOR])
def test_others_look_without_changing(role: Role) -> None:
    service = make_service(name="Kept")
    client = client_of(role, service.provider)

    assert client.get(change_url(service)).status_code == 200
    assert client.post(change_url(service), service_form(service, name="Changed")).status_code == 403
    service.refresh_from_db()
    assert service.name == "Kept"


@pytest.mark.parametrize("role", [Role.MANAGER, Role.ENGINEER, Role.AUDITOR])
def test_nobody_adds_or_deletes_services(role: Role) -> None:
    service = make_service()
    client = client_of(role, service.provider)

    assert client.get(f"{SERVICES}add/").status_code == 403
    assert client.post(f"{SERVICES}{service.pk}/delete/", {"post": "yes"}).status_code == 403
    assert HealthcareService.objects.filter(pk=service.pk).exists()


def test_an_engineer_changes_an_endpoint_of_the_own_organisation() -> None:
    own, foreign = make_endpoint(), make_endpoint()
    client = client_of(Role.ENGINEER, own.managing_organisation)
    wanted = "https://new.example.nhs.uk/FHIR/R4"

    assert client.post(change_url(own), endpoint_form(own, address=f"{wanted}/")).status_code == 302
    assert client.post(change_url(foreign), endpoint_form(foreign, address=wanted)).status_code == 404

    own.refresh_from_db()
    assert own.address == wanted
    event = AuditEvent.objects.get(action="directory.change_endpoint")
    assert event.detail == {"fields": "address"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", "http://plain.example.nhs.uk"),
        ("address", "javascript:alert(1)"),
        ("address", ""),
        ("address", "https://" + "a" * 10_000),
        ("connection_type", "carrier-pigeon"),
        ("status", "maybe"),
    ],
)
def test_an_endpoint_refuses_wrong_values(field: str, value: str) -> None:
    endpoint = make_endpoint()
    client = client_of(Role.ENGINEER, endpoint.managing_organisation)

    response = client.post(change_url(endpoint), endpoint_form(endpoint, **{field: value}))

    assert response.status_code == 200
    assert response.context["adminform"].form.errors.keys() == {field}


def test_a_period_ends_after_it_starts() -> None:
    endpoint = make_endpoint()
    client = client_of(Role.ENGINEER, endpoint.managing_organisation)
    period = {
        "period_start_0": "2026-07-15",
        "period_start_1": "09:00",
        "period_end_0": "2026-07-14",
        "period_end_1": "09:00",
    }

    response = client.post(change_url(endpoint), endpoint_form(endpoint, **period))

    assert "The period must end after it starts." in response.content.decode()


def test_managers_only_look_at_endpoints_of_their_services() -> None:
    own, foreign = make_endpoint(), make_endpoint()
    client = client_of(Role.MANAGER, own.service.provider)

    assert client.get(change_url(own)).status_code == 200
    assert client.post(change_url(own), endpoint_form(own, name="x")).status_code == 403
    assert client.get(change_url(foreign)).status_code == 404


@pytest.mark.parametrize("text", ["\x00", "%", "x" * 10_000, "'"])
def test_hostile_searches_never_break_the_list(text: str) -> None:
    service = make_service()

    assert client_of(Role.MANAGER, service.provider).get(SERVICES, {"q": text}).status_code == 200


def test_a_superuser_adds_and_changes_any_service() -> None:
    owner = make_organisation()
    client = Client()
    client.force_login(make_user(role=None, is_superuser=True))
    blank = HealthcareService(name="New one", service_type="ed")
    form = service_form(blank, service_id="2000777777", provider=owner.pk, hosted="on")

    assert client.post(f"{SERVICES}add/", form).status_code == 302

    added = HealthcareService.objects.get(service_id="2000777777")
    assert added.provider == owner
    assert "New one" in client.get(SERVICES).content.decode()
    assert client.post(change_url(added), service_form(added, phone="111")).status_code == 302
    actions = AuditEvent.objects.filter(action__startswith="directory.").values_list("action", flat=True)
    assert sorted(actions) == ["directory.change_service", "directory.create_service", "directory.view_list"]


def test_a_service_id_is_given_once() -> None:
    service = make_service()
    client = Client()
    client.force_login(make_user(role=None, is_superuser=True))

    response = client.post(
        f"{SERVICES}add/",
        service_form(service, service_id=service.service_id, provider=service.provider.pk),
    )

    assert response.context["adminform"].form.errors.keys() == {"service_id"}
