"""How the exchange with a partner goes: figures of all attempts, its circuit over time, whose fault it is."""

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client

from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.exchange import circuits
from bars_portal.exchange.circuits import Admission
from bars_portal.exchange.message_log.conversations import partners_of
from bars_portal.exchange.message_log.partners import (
    Fault,
    Figures,
    Heard,
    circuit_changes,
    figures_by_partner,
    heard_from,
    outcomes_by_code,
    whose_fault,
)
from bars_portal.exchange.models import CircuitState, InboundState
from bars_portal.exchange.transport.judgement import Health
from directory.models import CapabilityChange, ServiceCapability
from tests.factories.accounts import make_organisation, make_user
from tests.factories.directory import make_service
from tests.factories.messages import NOW, PARTNER, attempt, inbound, outbound

DAY = timedelta(days=1)


@pytest.mark.django_db
def test_figures_are_of_every_attempt_that_ended() -> None:
    ours = make_organisation()
    for elapsed in range(100, 2000, 100):
        attempt(outbound(ours), elapsed_ms=elapsed, status_code=200)
    message = outbound(ours)
    attempt(message, outcome="unknown", reason="timeout", elapsed_ms=None)
    attempt(message, outcome="unknown", reason="not-sent", elapsed_ms=None)
    attempt(message, outcome="refused", reason="CONFLICT", status_code=409, elapsed_ms=2000)
    attempt(message, outcome="refused", reason="CONFLICT", status_code=409, elapsed_ms=2000)
    attempt(message, outcome="", elapsed_ms=None)
    attempt(outbound(ours, created_at=NOW - 2 * DAY))
    attempt(outbound(ours, service_id="2000077002"), outcome="duplicate")
    attempt(outbound(make_organisation()))
    found = figures_by_partner(ours.pk, since=NOW - DAY)
    assert set(found) == {PARTNER, "2000077002"}
    figures = found[PARTNER]
    assert (figures.attempts, figures.succeeded, figures.refused) == (23, 19, 2)
    assert (figures.not_sent, figures.unclear) == (1, 1)
    assert (figures.median_ms, figures.late_ms) == (1100, 2000)
    assert outcomes_by_code(ours.pk, PARTNER, since=NOW - DAY) == [
        ("refused", "CONFLICT", 409, 2),
        ("unknown", "not-sent", None, 1),
        ("unknown", "timeout", None, 1),
    ]


@pytest.mark.django_db
def test_partners_are_whom_we_sent_to_and_heard_from() -> None:
    service = make_service(provider=make_organisation())
    ours = service.provider
    for service_id in ("3", "1", "3"):
        outbound(ours, service_id=service_id)
    for source in ("2", "", "4", "2"):
        inbound(service.service_id, source_service_id=source)
    inbound(service.service_id, source_service_id="2", state=InboundState.REFUSED)
    outbound(make_organisation(), service_id="9")
    inbound("2000000000", source_service_id="8")
    assert partners_of(ours.pk) == ["1", "2", "3", "4"]
    assert partners_of(make_organisation().pk) == []
    assert heard_from(ours.pk, "2", since=NOW - DAY) == Heard(messages=3, refused=1)


@pytest.mark.django_db
def test_a_circuit_remembers_when_it_opened_and_closed_and_no_probes() -> None:
    minute = timedelta(minutes=1)
    down, up = Health.DOWN, Health.UP
    for number in range(circuits.FAILURES + 1):
        circuits.note(PARTNER, down, Admission.FREE, now=NOW + number * minute)
    circuits.admit(PARTNER, now=NOW + 10 * minute)
    circuits.note(PARTNER, down, Admission.PROBE, now=NOW + 10 * minute)
    circuits.note(PARTNER, up, Admission.PROBE, now=NOW + 30 * minute)
    circuits.note(PARTNER, up, Admission.FREE, now=NOW + 31 * minute)
    # A failure or two, and an answer: no change.
    circuits.note(PARTNER, down, Admission.FREE, now=NOW + 32 * minute)
    circuits.note(PARTNER, up, Admission.FREE, now=NOW + 33 * minute)
    opened = NOW + (circuits.FAILURES - 1) * minute
    assert [(each.at, each.state) for each in circuit_changes(PARTNER)] == [
        (NOW + 30 * minute, "closed"),
        (opened, "open"),
    ]


FINE, DOWN = Figures(attempts=20, succeeded=20), Figures(attempts=20, succeeded=2)
OPEN, CLOSED = CircuitState.OPEN, CircuitState.CLOSED


@pytest.mark.parametrize(
    ("own", "others", "circuit", "expected"),
    [
        (Figures(), FINE, CLOSED, Fault.NOTHING),
        (Figures(), FINE, OPEN, Fault.THEM),
        (FINE, DOWN, CLOSED, Fault.NONE),
        (Figures(attempts=20, succeeded=17), FINE, CLOSED, Fault.NONE),
        (DOWN, FINE, CLOSED, Fault.THEM),
        (FINE, FINE, OPEN, Fault.THEM),
        (DOWN, Figures(), CLOSED, Fault.THEM),
        (DOWN, DOWN, CLOSED, Fault.BETWEEN),
        # Too few to say it of all.
        (DOWN, Figures(attempts=1), CLOSED, Fault.THEM),
        (Figures(attempts=10, succeeded=5, not_sent=5), FINE, CLOSED, Fault.US),
        (Figures(attempts=10, succeeded=5, refused=5), FINE, CLOSED, Fault.REFUSING),
        (Figures(attempts=10, succeeded=9, refused=1), FINE, CLOSED, Fault.NONE),
    ],
)
def test_them_or_us(own: Figures, others: Figures, circuit: CircuitState, expected: Fault) -> None:
    assert whose_fault(own, others, circuit) is expected


@pytest.mark.django_db
def test_the_pages_tell_it() -> None:
    service = make_service(service_id=PARTNER, name="Moor Lane pharmacy")
    organisation = make_organisation()
    attempt(outbound(organisation), outcome="refused", reason="CONFLICT", status_code=409)
    ServiceCapability.objects.create(service=service, read_at=NOW, version="1.0.0")
    told = {"version": ["1.0.0"]}
    CapabilityChange.objects.create(service=service, noticed_at=NOW, stated=told)
    change = {"requests": ["a3t1"]}
    CapabilityChange.objects.create(service=service, noticed_at=NOW + DAY, stated=told, removed=change)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.utils.timezone.now", lambda: NOW + timedelta(hours=1))
        listed, page = (_page(organisation, path) for path in ("", f"{PARTNER}/?of=week"))
    assert "Moor Lane pharmacy (2000077001)" in listed
    assert "refuses much of what is sent" in listed
    for words in ("0.0% (0 of 1)", "CONFLICT", "409", "Version of the standard", "1.0.0"):
        assert words in page
    assert "Stopped accepting requests for a3t1" in page
    client = _client(make_organisation())
    assert client.get(f"/messages/partners/{PARTNER}/").status_code == 404


def _client(organisation: Organisation) -> Client:
    client = Client()
    client.force_login(make_user(role=Role.MANAGER, organisation=organisation))
    return client


def _page(organisation: Organisation, path: str) -> str:
    answer = _client(organisation).get(f"/messages/partners/{path}")
    assert answer.status_code == 200
    return unescape(answer.content.decode())
