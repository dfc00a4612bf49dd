"""What each application asked: counted without a statement for each request, told to it and its manager."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bars_portal.accounts.permissions import Role
from bars_portal.api import usage
from bars_portal.api.models import Application, ApplicationUsage
from bars_portal.api.usage import DayOfUse, Tally, forget_usage, usage_of
from tests.factories.accounts import confirm, make_user
from tests.factories.api import make_application
from tests.integration.api.conftest import Calls
from tests.live.partner import wait_until

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 30)


def ask(tally: Tally, application: Application, *answers: tuple[int, int], now: datetime = NOW) -> None:
    """Status and milliseconds of each."""
    for status, milliseconds in answers:
        tally.note(application, status=status, seconds=milliseconds / 1000, now=now)


@pytest.mark.django_db
def test_days_add_up_over_processes_and_times() -> None:
    application, others = make_application(), [Tally(), Tally()]
    ask(others[0], application, *[(200, 8)] * 90, (404, 3), (429, 1))
    ask(others[1], application, *[(201, 140)] * 6, (503, 90_000))
    # Half an hour to midnight in UTC is the next day in a London summer.
    ask(others[0], application, (200, 60), now=datetime(2026, 7, 1, 23, 30, tzinfo=UTC))
    for tally in others * 2:
        tally.write()
    ask(others[0], application, (500, 1))
    others[0].write()
    assert usage_of(application) == [
        DayOfUse(TODAY, requests=100, refused=2, failed=2, milliseconds=150),
        DayOfUse(date(2026, 7, 2), requests=1, refused=0, failed=0, milliseconds=75),
    ]
    assert usage_of(make_application()) == []
    assert forget_usage(now=NOW) == 1
    assert forget_usage(now=NOW + timedelta(days=90)) == 0
    assert forget_usage(now=NOW + timedelta(days=91)) > 0
    assert not ApplicationUsage.objects.exists()


@pytest.mark.django_db
def test_requests_are_counted_without_a_statement(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    tally = Tally()
    monkeypatch.setattr("bars_portal.api.views.TALLY", tally)
    calls.get("applications/me")
    with CaptureQueriesContext(connection) as queries:
        assert calls.get("applications/me").status_code == 200
    assert "usage" not in str(queries.captured_queries)
    calls.get("bookings", {"nothing": "x"})
    calls.client.get("/api/v1/applications/me", headers={"Authorization": "Bearer nobody"})
    assert calls.get("applications/me/usage").json() == {"days": []}
    tally.write()
    (day,) = calls.get("applications/me/usage").json()["days"]
    assert (day["requests"], day["refused"], day["failed"]) == (4, 1, 0)
    assert Calls(make_application()).get("applications/me/usage").json() == {"days": []}


@pytest.mark.django_db
def test_what_the_database_does_not_take_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    application, tally = make_application(), Tally()
    ask(tally, application, (200, 1), (500, 1))
    with monkeypatch.context() as patch, transaction.atomic():
        patch.setattr(usage, "_ADD", "SELECT nothing")
        tally.write()
        transaction.set_rollback(True)
    ask(tally, application, (200, 1))
    tally.write()
    assert [(each.requests, each.failed) for each in usage_of(application)] == [(3, 1)]


@pytest.mark.django_db(transaction=True)
def test_it_is_written_by_itself_after_a_while(settings: Any) -> None:
    settings.API_USAGE_SECONDS = 0.01
    application = make_application()
    ask(Tally(), application, (200, 1))
    wait_until(lambda: usage_of(application))


@pytest.mark.django_db
def test_a_manager_sees_the_last_days(client: Client) -> None:
    person, tally = make_user(role=Role.MANAGER), Tally()
    client.force_login(person)
    confirm(client)
    application = make_application(organisation=person.memberships.get().organisation)
    ask(tally, application, (200, 1_200), (404, 1))
    tally.write()
    page = client.get(f"/admin/api/application/{application.pk}/change/").content.decode()
    assert "<td>30 November 2026</td><td>2</td><td>1</td><td>0</td><td>2,500</td>" in page
