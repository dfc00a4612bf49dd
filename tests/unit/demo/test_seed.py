"""The demo's data: as the operations contract says, and a later start only rolls the slots forward."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models

from bars_portal.accounts.models import User
from bars_portal.demo import facts
from bars_portal.demo.seed import seed
from bookings.models import Schedule, Slot, SlotStatus
from directory.models import Endpoint, HealthcareService
from tests.worlds import Kept, Worlds

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
A_DAY = 48
DIARIES = 6


@pytest.fixture
def two_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds for two days holds for three weeks."""
    monkeypatch.setattr(facts, "SLOT_DAYS", 2)


@pytest.fixture(scope="module")
def kept_seed(worlds: Worlds) -> Kept[int]:
    def make() -> int:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(facts, "SLOT_DAYS", 2)
            return seed(now=NOW)

    return worlds.keep("kept_seed", make)


@pytest.fixture
def seeded(kept_seed: Kept[int], db: None, two_days: None) -> None:
    """As it is after the first start."""
    assert kept_seed.copy() == DIARIES * A_DAY * 2


def everything(*, but: tuple[type[models.Model], ...] = ()) -> dict[str, list[Any]]:
    """Every row of our own apps."""
    ours = {"accounts", "audit", "patients", "exchange", "directory", "bookings", "referrals"}
    kinds = [each for each in apps.get_models() if each._meta.app_label in ours and each not in but]
    return {each._meta.label: list(each._default_manager.order_by("pk").values()) for each in kinds}


def test_the_counts_of_the_contract() -> None:
    assert seed(now=NOW) == DIARIES * A_DAY * facts.SLOT_DAYS == Slot.objects.count()
    # And the accounts of the API's two applications, with which nobody signs in.
    assert User.objects.filter(is_active=True).count() == len(facts.USERS) == User.objects.count() - 2
    assert HealthcareService.objects.count() == len(facts.SERVICES)
    for schedule in Schedule.objects.all():
        starts = [each.astimezone(LONDON) for each in schedule.slots.values_list("start", flat=True)]
        days = {each.date() for each in starts}
        assert (min(days), max(days), len(days)) == (date(2026, 11, 21), date(2026, 12, 11), 21)
        assert len(starts) == A_DAY * 21
        assert {(each.hour, each.minute) for each in starts} == {
            (hour, minute) for hour in range(8, 20) for minute in (0, 15, 30, 45)
        }
    assert set(Slot.objects.values_list("status", flat=True)) == {SlotStatus.FREE}


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=5)])
@pytest.mark.usefixtures("seeded")
def test_a_second_run_changes_nothing(later: timedelta) -> None:
    before = everything()
    assert seed(now=NOW + later) == 0
    assert everything() == before


@pytest.mark.usefixtures("seeded")
def test_a_day_later_there_are_only_new_slots() -> None:
    before, slots = everything(but=(Slot,)), {each["id"]: each for each in Slot.objects.values()}
    assert seed(now=NOW + timedelta(days=1)) == DIARIES * A_DAY
    assert everything(but=(Slot,)) == before
    after = {each["id"]: each for each in Slot.objects.values()}
    assert {ident: after[ident] for ident in slots} == slots
    new = [after[ident]["start"].astimezone(LONDON).date() for ident in after.keys() - slots.keys()]
    assert set(new) == {date(2026, 11, 23)}


@pytest.mark.usefixtures("two_days")
def test_the_first_day_is_londons() -> None:
    """At 23:30 UTC in summer it is tomorrow in London."""
    seed(now=datetime(2026, 7, 14, 23, 30, tzinfo=UTC))
    first = Slot.objects.order_by("start").values_list("start", flat=True)[0]
    assert first == datetime(2026, 7, 15, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [SlotStatus.BUSY, SlotStatus.BUSY_UNAVAILABLE])
@pytest.mark.usefixtures("seeded")
def test_a_slot_that_is_taken_stays_taken(status: SlotStatus) -> None:
    taken = Slot.objects.order_by("pk")[:7].values_list("pk", flat=True)
    Slot.objects.filter(pk__in=list(taken)).update(status=status)
    before = list(Slot.objects.exclude(status=SlotStatus.FREE).order_by("pk").values())
    assert len(before) == 7
    assert seed(now=NOW) == 0
    seed(now=NOW + timedelta(days=3))
    assert list(Slot.objects.exclude(status=SlotStatus.FREE).order_by("pk").values()) == before


@pytest.mark.usefixtures("seeded")
def test_what_people_changed_stays_changed() -> None:
    HealthcareService.objects.filter(service_id="2000099001").update(name="Renamed")
    User.objects.filter(username="clerk").update(first_name="Other")
    before = everything()
    seed(now=NOW)
    assert everything() == before


@pytest.mark.usefixtures("seeded")
def test_every_endpoint_is_valid() -> None:
    for endpoint in Endpoint.objects.select_related("service"):
        endpoint.full_clean()
        assert endpoint.address.startswith("https://")
        assert (endpoint.address == "https://localhost:8443/FHIR/R4") is endpoint.service.hosted


def test_the_command_is_for_the_demo_only(settings: Any) -> None:
    with pytest.raises(CommandError, match="demo settings only"):
        call_command("seed_demo")
    assert not User.objects.exists()
