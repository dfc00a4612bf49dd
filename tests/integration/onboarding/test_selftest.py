"""The self-test: what is run in which environment, what could not be, and the sender drill of int."""

import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils.timezone import now

from bars_portal.accounts.acting import resolve_acting
from bars_portal.accounts.models import Organisation, User
from bars_portal.accounts.permissions import Role
from bars_portal.audit.actor import SYSTEM
from bars_portal.audit.models import AuditEvent
from bars_portal.credentials.environments import environment
from bars_portal.credentials.keys import public_pem
from bars_portal.exchange.models import OutboundMessage
from bars_portal.onboarding import outside
from bars_portal.onboarding.models import Onboarding, SigningKey, StepRecord, vault_of
from bars_portal.onboarding.services import proving
from bars_portal.onboarding.services.recording import StepRefused, begin, note
from bars_portal.onboarding.steps import RecordState, StepName, steps_of
from bars_portal.sender_drill import running
from bars_portal.sender_drill.desk import DrillError, own_desk, rows
from referrals.cases.states import Category
from tests.factories.accounts import make_organisation, make_user
from tests.factories.certificates import rsa_key
from tests.factories.directory import make_service
from tests.integration.onboarding.test_desk import SERVICE, got_as_far_as, took

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
WHO: Any = {"actor": SYSTEM, "now": NOW}
ASKED, SCENARIOS, DRILL = (
    "Asked through the proxy, as a sender",
    "Every scenario, sent to the receiver",
    "Sender drill",
)


def led_to_the_selftest(organisation: Organisation, name: str) -> Onboarding:
    """Every step before it is done, and there are the files that a sender needs."""
    onboarding = begin(organisation=organisation, name=name, now=NOW)
    evidence: dict[StepName, dict[str, Any]] = {
        StepName.CATALOGUE: {"base_url": "https://receiver.nhs.uk/FHIR/R4", "services": [SERVICE]},
        StepName.NETWORK: {"address": "127.0.0.1"},
    }
    for step in steps_of(environment(name)):
        if step.name is StepName.SELF_TEST:
            break
        note(
            onboarding=onboarding,
            step=step.name,
            state=RecordState.DONE,
            evidence=evidence.get(step.name, {}),
            **WHO,
        )
    vault = vault_of(onboarding)
    vault.keep(vault.api_key, b"an-app")
    public = public_pem(rsa_key("signing", 4096).public_key()).decode()
    SigningKey.objects.create(onboarding=onboarding, key_id="X-INT-1", public_pem=public, made_at=NOW)
    return onboarding


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The NHS's proxy, which no test may reach: what it refuses, by path."""
    refused: dict[str, str] = {}

    def read(_: object, __: str, path: str, **___: object) -> dict[str, Any]:
        if path in refused:
            raise outside.OutsideRefused(refused[path])
        return {}

    monkeypatch.setattr(outside, "read_receiver", read)
    return refused


def ran(onboarding: Onboarding) -> StepRecord:
    proving.begin_selftest(onboarding=onboarding, **WHO)
    with contextlib.suppress(StepRefused):
        proving.run_selftest(onboarding=onboarding, scenarios=[], actor=SYSTEM, clock=lambda: NOW)
    return StepRecord.objects.get(onboarding=onboarding, step=StepName.SELF_TEST.value)


def part(record: StepRecord, title: str) -> dict[str, Any]:
    (found,) = [each for each in record.evidence["parts"] if each["title"] == title]
    return dict(found)


@pytest.mark.parametrize(
    ("name", "why_no_drill"),
    [
        ("int", "Start it with BARS_ENVIRONMENT=int"),
        ("prod", "only where the published test services answer"),
    ],
)
def test_outside_the_simulator_it_says_what_was_run_and_what_could_not_be(
    organisation: Organisation, answers: dict[str, str], name: str, why_no_drill: str, engineer: Client
) -> None:
    make_service(service_id=SERVICE, provider=organisation)
    record = ran(led_to_the_selftest(organisation, name))
    assert record.state == RecordState.DONE
    assert record.evidence["run"] == [ASKED]
    assert part(record, ASKED)["counts"] == {"passed": 3, "failed": 0, "not run": 0}
    assert "published test tool" in part(record, SCENARIOS)["why_not"]
    assert why_no_drill in part(record, DRILL)["why_not"]
    page = engineer.get(f"/onboarding/{name}/self-test/").content.decode()
    assert page.count("Could not be run") == 2
    assert f"/Slot of {SERVICE}" in page
    out = StringIO()
    call_command("bars_onboarding", organisation="RIV01", environment=name, json=True, stdout=out)
    (told,) = [each for each in json.loads(out.getvalue())["steps"] if each["step"] == "self-test"]
    assert told["evidence"] == record.evidence


def test_what_fails_is_kept_with_its_reason(organisation: Organisation, answers: dict[str, str]) -> None:
    answers["/MessageDefinition"] = "/MessageDefinition was answered with 502."
    record = ran(led_to_the_selftest(organisation, "int"))
    assert (record.state, record.words) == (RecordState.BROKEN, f"{ASKED}: 1 failed.")
    assert part(record, ASKED)["lines"][1] == {
        "name": f"/MessageDefinition of {SERVICE}",
        "verdict": "failed",
        "why": "/MessageDefinition was answered with 502.",
    }
    assert part(record, ASKED)["lines"][2]["why"] == "It takes no bookings here."


def test_one_run_at_a_time_and_one_that_breaks_off_is_told(
    organisation: Organisation, answers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    onboarding = led_to_the_selftest(organisation, "int")
    proving.begin_selftest(onboarding=onboarding, **WHO)
    with pytest.raises(StepRefused, match="is running"):
        proving.begin_selftest(onboarding=onboarding, actor=SYSTEM, now=NOW + timedelta(minutes=10))
    proving.begin_selftest(onboarding=onboarding, actor=SYSTEM, now=NOW + proving.GIVEN_UP_AFTER)

    def break_off(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(outside, "read_receiver", break_off)
    with pytest.raises(MemoryError):
        proving.run_selftest(onboarding=onboarding, scenarios=[], actor=SYSTEM, clock=lambda: NOW)
    record = StepRecord.objects.get(step=StepName.SELF_TEST.value)
    assert (record.state, record.words) == (RecordState.BROKEN, "It broke off: the portal's log says where.")


def chosen(*scenarios: str) -> Sequence[Any]:
    return [each for each in rows() if each.scenario in scenarios]


@pytest.fixture
def at_simulated_int(settings: Any) -> None:
    place = environment("simulated-int")
    settings.BARS_SHARED_CREDENTIALS = False
    settings.BARS = {
        **settings.BARS,
        "ENVIRONMENT": place.name,
        "BASE_URL": place.base_url(settings.BARS_SIMULATOR_URL),
        "TOKEN_URL": place.token_url(settings.BARS_SIMULATOR_URL),
    }


@pytest.mark.usefixtures("at_simulated_int")
def test_the_drill_sends_as_the_organisation_and_enters_the_test_services(
    organisation: Organisation, desks: Path
) -> None:
    """From an empty directory, against the simulator, with the organisation's own key."""
    with pytest.raises(DrillError, match="nothing to send with"):
        own_desk(organisation, reachable=[SERVICE], clock=now)
    got_as_far_as(organisation, "token")
    make_service(service_id=SERVICE, provider=organisation, accepted_use_cases=["a1t2", "a4t1"])
    took(organisation, "connection", service_id=SERVICE)
    desk = own_desk(organisation, reachable=[SERVICE], clock=now)
    results = running.run_at_int(
        desk,
        chosen(
            "Free slots",
            "New booking for a verified patient",
            "New booking refused: HTTP 409",
            "New referral for a verified patient (beta)",
        ),
        note=lambda _: None,
    )
    assert [(each.verdict, each.findings) for each in results[:3]] == [("passed", ())] * 3
    assert results[3].why_not == "Only the older guide 1.0.0-beta has it."
    sent = OutboundMessage.objects.all()
    assert {each.organisation_id for each in sent} == {organisation.pk}
    assert len(sent) == 2
    account = User.objects.get(username="sender-drill-RIV01")
    assert not account.is_active
    assert not account.has_usable_password()
    assert resolve_acting(account, {}) is None, "it belongs nowhere"
    assert AuditEvent.objects.filter(actor_user=account, organisation_id=organisation.pk).exists()


@pytest.mark.usefixtures("at_simulated_int")
def test_only_what_is_the_organisations_own_and_reachable_is_answered_from(
    organisation: Organisation, settings: Any
) -> None:
    other = make_organisation(ods_code="OTH01")
    settings.BARS = {**settings.BARS, "ODS_CODE": "RIV01", "SERVICE_ID": SERVICE}
    for service_id, provider, codes in (
        (SERVICE, organisation, ["a1t2"]),
        ("2000099002", organisation, ["a4t1"]),
        ("2000099003", other, ["a4t1"]),
    ):
        make_service(service_id=service_id, provider=provider, accepted_use_cases=codes, takes_referrals=True)
    desk = own_desk(organisation, reachable=[SERVICE, "2000099003"], clock=now)
    assert {category: each.service_id for category, each in desk.receiving.items()} == {
        Category.REFERRAL: SERVICE
    }
    assert desk.hears
    settings.BARS = {**settings.BARS, "SERVICE_ID": "2000099002"}
    assert not own_desk(organisation, reachable=[SERVICE], clock=now).hears


@pytest.mark.parametrize("name", ["prod", "sandbox", "dev"])
def test_never_where_patients_are_nor_where_nothing_answers(
    organisation: Organisation, settings: Any, name: str
) -> None:
    settings.BARS = {**settings.BARS, "ENVIRONMENT": name}
    make_user(username="clinician", role=Role.CLINICIAN, organisation=organisation)
    for options in ({}, {"organisation": "RIV01"}):
        with pytest.raises(Exception, match="runs only where the published test services answer"):
            call_command("bars_sender_drill", scenario="Free slots", stdout=StringIO(), **options)
    assert not User.objects.filter(username__startswith="sender-drill").exists()


def test_at_int_it_acts_as_an_organisation_that_is_named(settings: Any) -> None:
    settings.BARS = {**settings.BARS, "ENVIRONMENT": "int"}
    with pytest.raises(Exception, match="Say which organisation acts"):
        call_command("bars_sender_drill", scenario="Free slots", stdout=StringIO())
