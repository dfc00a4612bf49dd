"""What the acts work with: a row of the table, the people and services of the demo, what is stated."""

import csv
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from django.db import models

from bars_portal.accounts.acting import Acting, resolve_acting, user_called
from bars_portal.exchange import circuits, outbox
from bars_portal.exchange.delivery import deliver
from bars_portal.exchange.fhir.codes import ARPPriority, FlagCategory, SceneSafety, UseCase
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.patients.details import ContactDetails, PatientDetails, Telecom
from directory.models import HealthcareService
from directory.remote import SenderIdentity, sender_identity
from directory.selectors.services import service_by_id
from directory.services.entries import create_entry
from referrals.cases.codes import Concept
from referrals.parts.applications import Part, needs_of
from referrals.parts.assessment import Assessment, Outcome, OutcomeKind
from referrals.parts.base import TimeFrame
from referrals.parts.call import Stage
from referrals.parts.content import RequestContent
from referrals.parts.flags import Flag
from referrals.parts.places import Place
from referrals.parts.problems import Condition

TABLE = Path(__file__).parent / "rows.csv"
# Longer than the proxy waits, and than the simulator's later replies take.
PATIENCE_SECONDS = 45.0
_STEP_SECONDS = 0.2
_ON_ITS_WAY = (DeliveryState.QUEUED, DeliveryState.SENDING)
# The service that takes everything: others of the published world that our directory lacks are made like it.
MODEL_SERVICE = "2000072489"
_SCENE = Flag(FlagCategory.SCENE_SAFETY, Concept(**SceneSafety.SAFE.coding))
_OUTCOME = Outcome(
    OutcomeKind.DISPOSITION,
    Concept(
        "https://fhir.nhs.uk/CodeSystem/pathways-dx-codes",
        "Dx0122",
        "Emergency Ambulance Response (Category 3)",
    ),
)


@dataclass(frozen=True)
class Row:
    """`scenario` is its name in the published test world; `act` one of acts.ACTS.

    `state` and `told` are what must come of it: a status, and the sentence on the page ("" for none).
    """

    scenario: str
    act: str
    service: str
    nhs_number: str
    resource: str
    state: str
    told: str


def rows(file: Path = TABLE) -> list[Row]:
    """Raises OSError, and TypeError when a column is missing."""
    with file.open(newline="", encoding="utf-8") as opened:
        return [Row(**line) for line in csv.DictReader(opened)]


@dataclass(frozen=True)
class Display:
    """What came of an act: the state that the page shows, and its sentence."""

    state: str
    words: str = ""


class DrillError(Exception):
    """Something that the drill stands on is missing; the text says what."""


@dataclass(frozen=True)
class Desk:
    """A clinician who sends, and one who answers what the hosted services receive."""

    sending: Acting
    answering: Acting
    client: BarsClient
    clock: Callable[[], datetime]

    @property
    def sender(self) -> SenderIdentity:
        return sender_identity(self.sending)


def person(username: str) -> Acting:
    """Raises DrillError when there is nobody of that name, or they act for nobody."""
    user = user_called(username)
    acting = resolve_acting(user, {}) if user else None
    if acting is None:
        raise DrillError(f"There is no {username} who acts for an organisation: run seed_demo first.")
    return acting


def service(desk: Desk, service_id: str) -> HealthcareService:
    """As the directory has it. Raises DrillError when not even the model of all test services is there."""
    known = service_by_id(service_id)
    if known is not None:
        return known
    copy = service_by_id(MODEL_SERVICE)
    if copy is None:
        raise DrillError("The directory has no test services: run seed_demo first.")
    copy.pk, copy.service_id = None, service_id
    copy._state.adding = True
    create_entry(entry=copy, actor=desk.sending.actor, now=desk.clock())
    return copy


def settle(subject: models.Model, desk: Desk) -> None:
    """Send the newest message about the subject, here or by a quicker worker, and wait for its end."""
    message = outbox.latest_for(subject)
    if message is not None:
        # Many rows ask for a failure: they say nothing of the service.
        circuits.forget(message.service_id)
        deliver(message.pk, client=desk.client, clock=desk.clock)
        wait_until(lambda: _has_ended(message))
    subject.refresh_from_db()


def wait_until(done: Callable[[], bool]) -> bool:
    """False when the patience ends first."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(_STEP_SECONDS)
    return True


def _has_ended(message: OutboundMessage) -> bool:
    message.refresh_from_db(fields=["state"])
    return message.state not in _ON_ITS_WAY


def patient(nhs_number: str) -> PatientDetails:
    """A made-up one; without a number when it is ""."""
    call_back = ContactDetails(relationship="ONESELF", telecoms=(Telecom("phone", "07700900123", "mobile"),))
    return PatientDetails(
        nhs_number=nhs_number,
        nhs_number_verified=bool(nhs_number),
        traced_in="PDS (drill)" if nhs_number else "",
        address_use="home",
        given_names="Drill",
        family_name="TESTING",
        gender="female",
        birth_date=date(1950, 1, 1),
        address_lines=("1 Sample Row",),
        postcode="LS1 4AP",
        contacts=(call_back,),
    )


def content(use_case: UseCase, *, now: datetime) -> RequestContent:
    """The least that a request of its use case needs."""
    needs = needs_of(use_case)
    has = {part for part in needs if needs[part] != "absent"}
    return RequestContent(
        use_case=use_case,
        assessment=Assessment(
            narrative="Chest pain since this morning.",
            outcomes=(_OUTCOME,),
            priority=ARPPriority.C3 if Part.PRIORITY in has else None,
            started_at=now,
            case_number="DRILL-1",
        ),
        stage=Stage.FIRST_ALERT if Part.STAGE in has else None,
        flags=(_SCENE,) if Part.SCENE_SAFETY in has else (),
        help_asked="Please send one vehicle." if Part.HELP_ASKED in has else "",
        time_frame=TimeFrame(now, now + timedelta(hours=2)) if Part.TIME_FRAME in has else None,
        places=(Place(postcode="LS1 6PT"),) if Part.INCIDENT in has else (),
        condition=Condition(Concept(text="Chest pain")) if Part.CONDITION in has else None,
    )
