"""The database server's own log: told of at migrations, before it holds a patient."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection

from bars_portal.database_log import DISCREET

pytestmark = pytest.mark.django_db


def named() -> set[str]:
    """The settings that `migrate` warns of."""
    found = [each for each in run_checks(databases=["default"]) if each.id == "portal.W001"]
    return {each.msg.split(": ")[1].split(" is ")[0] for each in found}


def test_what_postgresql_does_unasked_is_told_where_patients_are_real(settings: Any) -> None:
    settings.BARS = {**settings.BARS, "ENVIRONMENT": "prod"}
    with connection.cursor() as cursor:
        for name, values in DISCREET.items():
            cursor.execute(f"SET LOCAL {name} = '{values[0]}'")
        assert named() == set()
        unasked = {
            "log_min_error_statement": "error",
            "log_error_verbosity": "default",
            "log_min_messages": "warning",
        }
        for name, value in unasked.items():
            cursor.execute(f"SET LOCAL {name} = '{value}'")
    assert named() == unasked.keys()


def test_a_demo_is_left_alone(settings: Any) -> None:
    assert settings.BARS["ENVIRONMENT"] == "simulator"
    assert named() == set()
