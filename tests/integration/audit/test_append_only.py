"""An audit event cannot be changed or deleted: not by the model, the manager, or SQL."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from bars_portal.audit.actor import SYSTEM, Actor
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.selectors import views_of
from bars_portal.audit.services import record
from tests.factories.accounts import make_user
from tests.factories.patients import make_patient

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)


@pytest.fixture
def event() -> AuditEvent:
    return record(actor=SYSTEM, action="tests.happen", detail={"count": 1}, now=NOW)


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


BY_DJANGO: list[Callable[[AuditEvent], object]] = [
    lambda event: event.save(),
    lambda event: event.delete(),
    lambda event: AuditEvent.objects.update(action="x"),
    lambda event: AuditEvent.objects.filter(pk=event.pk).update(action="x"),
    lambda event: AuditEvent.objects.all().delete(),
    lambda event: AuditEvent.objects.bulk_update([event], ["action"]),
    lambda event: AuditEvent(pk=event.pk, at=NOW, actor_label="x", action="x").save(),
]


@pytest.mark.parametrize("attempt", range(len(BY_DJANGO)))
def test_django_refuses(event: AuditEvent, attempt: int) -> None:
    with pytest.raises(TypeError, match=r"never (changed|deleted)"), transaction.atomic():
        BY_DJANGO[attempt](event)
    assert AuditEvent.objects.get(pk=event.pk).action == "tests.happen"


BY_SQL = [
    "UPDATE audit_auditevent SET action = 'x'",
    "DELETE FROM audit_auditevent",
    "INSERT INTO audit_auditevent (id, at, actor_label, action, outcome, subject_type, subject_id, detail)"
    " SELECT id, at, actor_label, 'x', outcome, subject_type, subject_id, detail FROM audit_auditevent"
    " ON CONFLICT (id) DO UPDATE SET action = 'x'",
]


@pytest.mark.parametrize("statement", BY_SQL)
def test_the_database_refuses(event: AuditEvent, statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert AuditEvent.objects.get(pk=event.pk).action == "tests.happen"


def test_the_database_refuses_to_empty_the_table(event: AuditEvent) -> None:
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        # The tests' own set-up may have switched this one trigger off.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER audit_no_truncate")
        cursor.execute("TRUNCATE audit_auditevent")
    assert AuditEvent.objects.filter(pk=event.pk).exists()


def test_an_actor_is_required() -> None:
    with pytest.raises(IntegrityError, match="audit_actor_required"), transaction.atomic():
        record(actor=Actor(label=""), action="tests.happen", now=NOW)


def test_an_event_points_at_its_subject_and_actor() -> None:
    user, patient = make_user(), make_patient()
    event = record(actor=Actor("Someone", user.pk), action="tests.see", subject=patient, now=NOW)
    assert (event.subject_type, event.subject_id) == ("patients.patient", str(patient.pk))
    assert event.actor_user == user


def test_who_looked_is_told_by_looks_alone() -> None:
    patient = make_patient()
    organisation, about = patient.organisation_id, [("patients.patient", str(patient.pk))]
    for action in ("tests.view_it", "tests.change_it", "tests.export_it"):
        record(actor=Actor("Someone", None, organisation), action=action, subject=patient, now=NOW)
    assert [each.action for each in views_of(organisation, about)] == ["tests.view_it", "tests.export_it"]
    assert views_of(organisation, []) == []


def test_a_rolled_back_deed_leaves_no_event() -> None:
    def deed() -> None:
        with transaction.atomic():
            record(actor=SYSTEM, action="tests.vanish", now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        deed()
    assert not AuditEvent.objects.filter(action="tests.vanish").exists()
