from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from bars_portal.audit.actor import Actor
from bars_portal.audit.models import AuditEvent
from directory.models import HealthcareService
from directory.services.entries import (
    create_entry,
    record_contact,
    record_no_contact,
    save_entry,
)
from tests.factories.accounts import make_organisation
from tests.factories.directory import make_endpoint, make_service

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)
ACTOR = Actor(label="Sam Manager")


def test_a_change_is_audited_by_field_names_alone() -> None:
    service = make_service(name="Before")
    service.name, service.phone = "After", "0113 496 0000"

    save_entry(entry=service, changed=["phone", "name"], actor=ACTOR, now=NOW)

    service.refresh_from_db()
    event = AuditEvent.objects.get(action="directory.change_service")
    assert service.name == "After"
    assert event.detail == {"fields": "name, phone"}
    assert event.subject_id == str(service.pk)
    assert (event.actor_label, event.at) == ("Sam Manager", NOW)


def test_only_named_fields_are_written() -> None:
    service = make_service(name="Kept")
    service.name, service.phone = "Not meant", "0113 496 0000"

    save_entry(entry=service, changed=["phone"], actor=ACTOR, now=NOW)

    service.refresh_from_db()
    assert (service.name, service.phone) == ("Kept", "0113 496 0000")


def test_nothing_changed_is_nothing_written() -> None:
    save_entry(entry=make_service(), changed=[], actor=ACTOR, now=NOW)

    assert not AuditEvent.objects.exists()


def test_an_endpoint_change_is_audited() -> None:
    endpoint = make_endpoint()
    endpoint.status = "off"

    save_entry(entry=endpoint, changed=["status"], actor=ACTOR, now=NOW)

    assert AuditEvent.objects.get().action == "directory.change_endpoint"


def test_a_service_id_is_taken_once_and_a_failure_leaves_no_event() -> None:
    make_service(service_id="2000000001")
    twin = HealthcareService(
        service_id="2000000001", name="Twin", service_type="ed", provider=make_organisation()
    )

    with pytest.raises(IntegrityError), transaction.atomic():
        create_entry(entry=twin, actor=ACTOR, now=NOW)

    assert not AuditEvent.objects.exists()


def test_the_last_contact_never_goes_back(django_assert_num_queries: object) -> None:
    service = make_service()

    with django_assert_num_queries(1):  # type: ignore[operator]  # a pytest-django fixture without a type
        assert record_contact(service_id=service.service_id, now=NOW)
    assert not record_contact(service_id=service.service_id, now=NOW - timedelta(hours=1))
    assert record_contact(service_id=service.service_id, now=NOW + timedelta(hours=1))
    assert not record_contact(service_id="404", now=NOW)

    service.refresh_from_db()
    assert service.last_success_at == NOW + timedelta(hours=1)


def test_the_database_refuses_a_service_that_requires_what_it_does_not_take() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_service(takes_bookings=False, requires_booking=True)


def test_the_database_refuses_a_period_that_ends_before_it_starts() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_endpoint(period_start=NOW, period_end=NOW)


def test_the_first_failure_is_remembered_until_contact() -> None:
    service = make_service(service_id="1", last_success_at=NOW)

    def failing_since() -> datetime | None:
        service.refresh_from_db()
        return service.failing_since

    assert not record_no_contact(service_id="1", now=NOW - timedelta(minutes=1)), "it answered since"
    assert record_no_contact(service_id="1", now=NOW + timedelta(minutes=1))
    assert not record_no_contact(service_id="1", now=NOW + timedelta(minutes=2))
    assert failing_since() == NOW + timedelta(minutes=1)

    assert record_contact(service_id="1", now=NOW + timedelta(minutes=3))
    assert failing_since() is None
