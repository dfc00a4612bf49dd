"""Nobody reads the name of a constraint: what a page may break is told in words, in a race too."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection, models
from django.db.models.signals import pre_save
from django.forms.models import ModelForm
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.admin import JudgedAgain
from bars_portal.accounts.models import Organisation
from bars_portal.audit.admin import ReadOnlyAdmin
from bookings.models import Slot
from tests.factories.accounts import make_user

OURS = ("bars_portal", "bookings", "directory", "referrals")
# Of a slot the administration shows everything and changes only the status, in bulk.
WRITING = [
    each
    for each in admin.site._registry.values()
    if not isinstance(each, ReadOnlyAdmin) and each.model is not Slot
]


def written() -> set[type[models.Model]]:
    """Models that a page of the administration, a row on such a page or a form of a model writes."""
    found = {each.model for each in WRITING} | {row.model for each in WRITING for row in each.inlines}
    return found | {each._meta.model for each in _forms(ModelForm) if each.__module__.startswith(OURS)}


def _forms(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from _forms(each)


def breakable() -> list[Any]:
    """A unique constraint with a field that no form has is left to the services."""
    return [
        pytest.param(model, each, id=each.name)
        for model in sorted(written(), key=lambda model: model._meta.label)
        for each in model._meta.constraints
        if all(model._meta.get_field(name).editable for name in getattr(each, "fields", ()))
    ]


@pytest.mark.parametrize(("model", "constraint"), breakable())
def test_a_constraint_that_a_form_may_break_has_words(
    model: type[models.Model], constraint: models.BaseConstraint
) -> None:
    plain = (
        isinstance(constraint, models.UniqueConstraint) and constraint.fields and constraint.condition is None
    )
    own = constraint.violation_error_message != models.BaseConstraint.default_violation_error_message
    # Of plain unique fields Django speaks by their names for people.
    assert plain or own


def test_there_are_some() -> None:
    names = {each.id for each in breakable()}
    assert {"schedule_day_has_an_end", "service_requires_what_it_takes", "breach_rule_once"} <= names


def test_every_page_that_writes_judges_again() -> None:
    assert [each for each in WRITING if not isinstance(each, JudgedAgain)] == []


@pytest.mark.django_db(transaction=True)
def test_somebody_adds_the_same_between_the_form_and_the_database() -> None:
    client = Client()
    client.force_login(make_user(is_superuser=True), backend="bars_portal.accounts.acting.RoleBackend")

    def rival(**_: Any) -> None:
        pre_save.disconnect(rival, sender=Organisation)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(add).result()

    def add() -> None:
        Organisation.objects.bulk_create([Organisation(ods_code="RV99", name="First")])
        connection.close()

    pre_save.connect(rival, sender=Organisation)
    address = reverse("admin:accounts_organisation_add")
    page = client.post(address, {"ods_code": "RV99", "name": "Second", "phone": ""})
    told = page.content.decode()
    assert page.status_code == 200
    assert "already exists" in told
    assert 'value="Second"' in told, "what was typed is still there"
    assert "_once" not in told
    assert Organisation.objects.get(ods_code="RV99").name == "First"
