"""Rows written without the ORM's compiler are the rows that the ORM would have written."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from bars_portal.accounts.models import Organisation
from bars_portal.audit.models import AuditEvent
from bars_portal.patients.models import Contact, Journey
from bars_portal.sql import insert, insert_unless_there
from directory.models import HealthcareService
from referrals.cases.models import Referral
from tests.factories.accounts import make_organisation
from tests.factories.directory import make_service
from tests.factories.patients import make_patient
from tests.factories.referrals import make_case

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
KEYS = {"id", "reference", "service_id", "ods_code", "rank"}


def columns(row: models.Model) -> dict[str, object]:
    """As the database has them; what names one row is left out."""
    found = type(row)._default_manager.filter(pk=row.pk).values().get()
    return {name: value for name, value in found.items() if name not in KEYS}


def written_twice(kind: str) -> tuple[models.Model, models.Model]:
    """By the ORM, and an unwritten copy."""
    if kind == "referral":
        one: models.Model = make_case(flags=["A", 'it\'s "B"'], resource={"n": None, "t": "50 % \\ %s"})
        other: models.Model = Referral(**values(one) | {"id": uuid4(), "reference": "RIV-2222-22"})
    elif kind == "service":
        one = make_service(accepted_use_cases=["a1t1", "a1t2"], allowed_callers=[])
        fields = values(one)
        fields.pop("folded_name")
        other = HealthcareService(**fields | {"id": uuid4(), "service_id": "2000555555"})
    else:
        one = make_patient().contacts.get()
        other = Contact(**values(one) | {"id": None, "rank": 9})
    return one, other


def values(row: models.Model) -> dict[str, object]:
    return {each.attname: getattr(row, each.attname) for each in row._meta.concrete_fields}


@pytest.mark.parametrize("kind", ["referral", "service", "contact"])
def test_every_column_is_as_the_orm_writes_it(kind: str) -> None:
    one, other = written_twice(kind)
    insert(other)
    assert columns(other) == columns(one)


def test_keys_that_the_database_gives_are_filled_in_and_a_later_save_is_an_update() -> None:
    first, second = Organisation(ods_code="Q1", name="One"), Organisation(ods_code="Q2", name="Two")
    event = AuditEvent(at=NOW, actor_label="Somebody", action="tests.see")
    insert(first, event, second)
    assert Organisation.objects.get(ods_code="Q1").pk == first.pk
    assert Organisation.objects.get(ods_code="Q2").pk == second.pk
    assert AuditEvent.objects.get(pk=event.pk).action == "tests.see"
    second.name = "Changed"
    second.save()
    assert Organisation.objects.get(ods_code="Q2").name == "Changed"


def test_several_rows_are_one_trip() -> None:
    with CaptureQueriesContext(connection) as seen:
        insert(Organisation(ods_code="Q1", name="One"), Organisation(ods_code="Q2", name="Two"))
    assert len(seen) == 1


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_all_or_none() -> None:
    with pytest.raises(IntegrityError):
        insert(Organisation(ods_code="Q1", name="One"), Organisation(ods_code="Q1", name="Again"))
    assert not Organisation.objects.filter(ods_code="Q1").exists()


def test_what_breaks_a_constraint_raises() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(AuditEvent(at=NOW, actor_label="", action="tests.see"))


def test_unless_there_says_whether_it_wrote() -> None:
    organisation = make_organisation()
    ids = {"organisation": organisation, "journey_id": uuid4(), "correlation_id": uuid4(), "created_at": NOW}
    assert insert_unless_there(Journey(**ids))
    assert not insert_unless_there(Journey(**ids))
    assert Journey.objects.filter(organisation=organisation).count() == 1
