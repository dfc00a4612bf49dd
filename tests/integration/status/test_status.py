"""The status page says in words what is wrong, what it means and what to do; green says since when."""

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from bars_portal.accounts.permissions import Role
from bars_portal.api.models import Webhook, WebhookDelivery
from bars_portal.audit.actor import Actor
from bars_portal.audit.chain.sealer import seal_trail
from bars_portal.audit.services import record
from bars_portal.exchange.models import (
    AccessToken,
    CircuitState,
    DeliveryState,
    Heartbeat,
    OutboundMessage,
    PartnerCircuit,
)
from bars_portal.sql import database_time
from bars_portal.status import checks, selectors
from bars_portal.status.checks import CHECKS, Finding, Moment, graded, words_for
from bars_portal.status.models import Condition, Level
from bars_portal.status.services import note_conditions
from bookings.models import Clinic
from bookings.models.plan import Hours, Plan, Session
from tests.factories.accounts import make_organisation, make_user
from tests.factories.api import make_webhook
from tests.factories.directory import make_service

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
BY_NAME = {check.name: check for check in CHECKS}


def look(name: str) -> Finding:
    return BY_NAME[name].look(Moment(NOW, NOW))


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def message(state: DeliveryState, *, written: datetime, service_id: str = "2000099001") -> OutboundMessage:
    return OutboundMessage.objects.create(
        message_type="booking-new",
        subject_type="bookings.booking",
        subject_id=str(uuid4()),
        organisation=make_organisation(),
        actor_label="Somebody",
        correlation_id=uuid4(),
        bundle_id=uuid4(),
        service_id=service_id,
        headers={},
        body=b"{}",
        state=state,
        created_at=written,
        settled_at=written if state == DeliveryState.ABANDONED else None,
    )


def circuit(service_id: str, since: datetime) -> None:
    PartnerCircuit.objects.create(
        service_id=service_id, state=CircuitState.OPEN, failures=3, failing_since=since, retry_at=NOW
    )


def token(**columns: Any) -> None:
    AccessToken.objects.create(environment="simulator", key_id=columns.pop("key_id"), **columns)


@pytest.mark.parametrize(
    ("age", "level"), [(3, Level.WELL), (19, Level.WELL), (21, Level.WARNING), (46, Level.WRONG)]
)
def test_a_worker_that_is_still(age: int, level: Level) -> None:
    Heartbeat.objects.create(name="postroom", seen_at=ago(seconds=age))
    assert look("worker") == Finding(level, f"A worker last looked at what waits {age} seconds ago.")


def test_no_worker_at_all() -> None:
    assert look("worker").level is Level.WRONG


def test_what_waits_for_a_service_that_is_spared_is_not_the_queues_fault() -> None:
    message(DeliveryState.QUEUED, written=ago(hours=2), service_id="2000099007")
    circuit("2000099007", ago(hours=2))
    assert look("queue").level is Level.WELL
    message(DeliveryState.QUEUED, written=ago(minutes=6))
    found = look("queue")
    assert found == Finding(Level.WRONG, "2 messages wait, the oldest for 6 minutes.")


def test_a_service_is_named_and_since_when() -> None:
    make_service(service_id="2000099007", name="Riverside Pharmacy")
    circuit("2000099007", ago(hours=2))
    found = look("partners")
    assert found.level is Level.WARNING
    assert found.fact == "Not answering: Riverside Pharmacy (2000099007) since 11:00."


def test_services_that_answered_say_when_the_last_did() -> None:
    """For some seconds after it went away a service is still thought to answer."""
    service = make_service(last_success_at=None)
    assert look("partners") == Finding(Level.WELL, "Every service that was asked has answered.")
    words = "Every service that was asked has answered. The last answer:"
    for answered, when in (
        (ago(minutes=5, seconds=7), "12:54:53"),
        (ago(days=1), "Sunday 3 May 2026 at 13:00"),
    ):
        type(service).objects.update(last_success_at=answered)
        assert look("partners") == Finding(Level.WELL, f"{words} {when}.")


def test_webhooks_that_fail_are_told_and_those_that_nobody_tries_are_wrong() -> None:
    assert look("webhooks") == Finding(Level.WELL, "There are none.")
    webhook, _ = make_webhook(url="https://example.org/")
    assert look("webhooks").level is Level.WELL
    Webhook.objects.update(failures=2, failing_since=ago(hours=1), resting_until=ago(seconds=-10))
    WebhookDelivery.objects.create(webhook=webhook, created_at=NOW, next_attempt_at=ago(minutes=11))
    found = look("webhooks")
    assert found == Finding(Level.WARNING, "1 on, 1 of them not answering; 0 switched off for that.")
    Webhook.objects.update(failures=0, failing_since=None, resting_until=None)
    found = look("webhooks")
    assert found == Finding(Level.WRONG, "A delivery is due for 11 minutes, and nobody has tried it.")
    Webhook.objects.update(off_at=NOW, off_reason="gone")
    found = look("webhooks")
    assert found == Finding(Level.WARNING, "0 on, 0 of them not answering; 1 switched off for that.")


def test_what_was_given_up_is_counted_for_a_day() -> None:
    message(DeliveryState.ABANDONED, written=ago(hours=25))
    assert look("outcomes").level is Level.WELL
    message(DeliveryState.ABANDONED, written=ago(hours=1))
    message(DeliveryState.UNKNOWN, written=ago(hours=1))
    found = look("outcomes")
    assert found == Finding(Level.WARNING, "1 without a clear answer yet; 1 given up in the last day.")


@pytest.mark.parametrize(
    ("ends", "failing", "level"),
    [
        (NOW + timedelta(minutes=3), None, Level.WELL),
        (NOW + timedelta(minutes=3), ago(minutes=1), Level.WARNING),
        (ago(seconds=1), ago(minutes=5), Level.WRONG),
        (None, ago(minutes=5), Level.WRONG),
    ],
)
def test_renewals_of_the_token(
    settings: Any, ends: datetime | None, failing: datetime | None, level: Level
) -> None:
    token(key_id=settings.BARS["KEY_ID"], expires_at=ends, failing_since=failing)
    assert look("token").level is level


def test_the_chain_of_the_trail() -> None:
    assert look("sealer").level is Level.WELL
    record(actor=Actor(label="Somebody"), action="x.y", now=ago(minutes=2))
    assert look("sealer") == Finding(Level.WARNING, "The oldest event outside the chain is 2 minutes old.")
    seal_trail(now=NOW)
    assert look("sealer").level is Level.WELL


def test_certificates(settings: Any, tmp_path: Path, pki: Callable[..., Path]) -> None:
    def watch(*files: Path) -> Finding:
        settings.BARS_WATCHED_CERTIFICATES = [str(file) for file in files]
        return look("certificates")

    good, short, over = (
        pki(name, NOW + timedelta(days=days)) for name, days in (("good", 200), ("short", 6), ("over", -2))
    )
    assert watch(good).level is Level.WELL
    assert watch(good, short) == Finding(Level.WRONG, "The first to end is short.pem, in 6 days.")
    assert watch(over) == Finding(Level.WRONG, "over.pem ended 2 days ago.")
    assert watch(tmp_path / "gone.pem") == Finding(Level.WRONG, "Not readable: gone.pem.")
    assert watch().level is Level.WARNING


@pytest.fixture
def pki(tmp_path: Path) -> Callable[..., Path]:
    """A certificate that ends then, beside one that lasts: the chain is as good as its first to end."""
    from cryptography.hazmat.primitives.serialization import Encoding

    from bars_portal.credentials.local_pki import new_root

    def make(name: str, ends_at: datetime) -> Path:
        begins = NOW - timedelta(days=30)
        files = [
            new_root("Test", now=begins, lifetime=lifetime).certificate.public_bytes(Encoding.PEM)
            for lifetime in (ends_at - begins, timedelta(days=4000))
        ]
        file = tmp_path / f"{name}.pem"
        file.write_bytes(b"".join(files))
        return file

    return make


def test_a_clinic_whose_slots_are_not_made() -> None:
    assert look("diaries").level == Level.WELL
    plan = Plan("Room 9", date(2026, 1, 1), None, (Session((0,), Hours(time(9), time(12))),), 15)
    given = {"name": "Room 9", "plan": plan.as_json(), "created_at": NOW, "updated_at": NOW}
    Clinic.objects.create(service=make_service(name="Walk-in centre"), filled_until=date(2026, 5, 4), **given)
    Clinic.objects.create(service=make_service(), filled_until=date(2026, 6, 1), **given)
    assert look("diaries") == Finding(Level.WARNING, "Slots are not made as planned: Walk-in centre: Room 9.")


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "disks", lambda: [selectors.Disk("the queue", 0.02)])
    assert look("disks") == Finding(Level.WRONG, "2% is free where the queue is kept.")


def test_a_folder_that_is_written_to_is_looked_at(settings: Any, tmp_path: Path) -> None:
    settings.CELERY_BROKER_TRANSPORT_OPTIONS, settings.AUDIT_HEADS_FOLDER = {}, str(tmp_path)
    (disk,) = selectors.disks()
    usage = shutil.disk_usage(tmp_path)
    assert disk.free_share == pytest.approx(usage.free / usage.total, abs=0.02)


def test_a_broker_that_is_not_there(settings: Any) -> None:
    assert look("broker").level is Level.WELL
    settings.CELERY_BROKER_URL, settings.BROKER_IS_REMOTE = "redis://127.0.0.1:9/0", True
    assert look("broker") == Finding(Level.WARNING, "It does not answer.")


def test_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "clocks", lambda **_: {"token server": -600, "database": 2})
    assert look("clocks") == Finding(Level.WRONG, "The token server's is 600 s behind ours.")


def test_grades_and_words() -> None:
    assert [graded(each, warning=1, wrong=3) for each in (0, 1, 2.9, 3)] == [
        Level.WELL,
        Level.WARNING,
        Level.WARNING,
        Level.WRONG,
    ]
    spans = [timedelta(seconds=1), timedelta(seconds=90), timedelta(hours=26)]
    assert [words_for(each) for each in spans] == ["1 second", "1 minute", "1 day"]


def test_a_level_is_noted_when_it_changes_and_only_then() -> None:
    Heartbeat.objects.create(name="postroom", seen_at=NOW)
    for seconds in (0, 10, 100, 130):
        note_conditions(Moment(NOW + timedelta(seconds=seconds), NOW))
    worker = Condition.objects.get(pk="worker")
    assert (worker.level, worker.since) == (Level.WRONG, NOW + timedelta(seconds=100))
    assert set(selectors.conditions()) == set(BY_NAME)


def test_the_page_says_what_is_wrong_what_it_means_and_what_to_do(client: Client) -> None:
    client.force_login(make_user(role=Role.ENGINEER))
    make_service(service_id="2000099007", name="Riverside Pharmacy")
    circuit("2000099007", ago(hours=2))
    note_conditions(Moment(database_time(), NOW))
    page = client.get("/status/").content.decode()
    for words in ("Riverside Pharmacy (2000099007)", BY_NAME["partners"].patients, BY_NAME["worker"].todo):
        assert words in page
    assert "Well since" in page
    assert page.index("No worker has ever looked") < page.index("Riverside Pharmacy")
    assert "Status" in client.get("/").content.decode()


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.CLERK, Role.AUDITOR])
def test_who_does_not_run_it_does_not_see_it(client: Client, role: Role) -> None:
    client.force_login(make_user(role=role))
    assert client.get("/status/").status_code == 403


def test_a_check_that_fails_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT before")
            try:
                cursor.execute("SELECT no_such_thing")
            finally:
                cursor.execute("ROLLBACK TO SAVEPOINT before")

    monkeypatch.setattr(selectors, "oldest_that_could_go", away)
    found = {check.name: finding.level for check, finding in checks.look_at_all(Moment(NOW, NOW))}
    assert found["queue"] is Level.WRONG
    assert found["partners"] is Level.WELL
