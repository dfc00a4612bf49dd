"""What the acts work with: a row of the table, who acts, the services of both sides, what is stated."""

import csv
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.db import models, transaction

from bars_portal.accounts.acting import Acting, resolve_acting, user_called
from bars_portal.accounts.models import Organisation, User
from bars_portal.accounts.permissions import PERMISSIONS, PolicyRefused, Role
from bars_portal.audit.actor import SYSTEM, Actor
from bars_portal.audit.services import record
from bars_portal.credentials.environments import environment
from bars_portal.exchange import circuits, outbox
from bars_portal.exchange.delivery import deliver
from bars_portal.exchange.fhir.codes import ARPPriority, FlagCategory, SceneSafety, UseCase
from bars_portal.exchange.gateway.client import get_client
from bars_portal.exchange.gateway.senders import require_sender
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from bars_portal.exchange.transport.client import BarsClient
from bars_portal.patients.details import ContactDetails, PatientDetails, Telecom
from directory.models import HealthcareService, ServiceType
from directory.remote import Missing, SenderIdentity, Unreachable, ask, sender_identity
from directory.selectors.services import service_by_id
from directory.services.entries import create_entry
from referrals.cases.codes import Concept
from referrals.cases.states import Category
from referrals.parts.applications import Part, needs_of
from referrals.parts.assessment import Assessment, Outcome, OutcomeKind, Stage
from referrals.parts.base import TimeFrame
from referrals.parts.content import RequestContent
from referrals.parts.flags import Flag
from referrals.parts.places import Place
from referrals.parts.problems import Condition

TABLE = Path(__file__).parent / "rows.csv"
_PATIENTS = Path(__file__).parent / "patients.csv"
# Longer than the proxy waits, and than the simulator's later replies take.
PATIENCE_SECONDS = 45.0
_STEP_SECONDS = 0.2
_ON_ITS_WAY = (DeliveryState.QUEUED, DeliveryState.SENDING)
# The service that takes everything: others of the published world that our directory lacks are made like it.
MODEL_SERVICE = "2000072489"
# Whose the published test services are, where the directory does not know them yet.
_TESTERS = ("X26", "NHS test services (TKW)")
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

    `guide` is the newest version of the standard's guide that has it; "" for none: the simulator alone
    answers so. `state` and `told` are what must come of it: a status, and the sentence on the page ("" for
    none).
    """

    scenario: str
    guide: str
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
class Receiving:
    """A service of ours that is sent a request through the proxy, and of which use case."""

    service_id: str
    use_case: UseCase


@dataclass(frozen=True)
class Desk:
    """Who sends, and who answers what the services of ours in `receiving` are sent.

    `hears`: whether what a test service replies reaches our receiver.
    """

    sending: Acting
    answering: Acting
    client: BarsClient
    clock: Callable[[], datetime]
    receiving: Mapping[Category, Receiving] = field(default_factory=dict)
    hears: bool = True

    @property
    def sender(self) -> SenderIdentity:
        return sender_identity(self.sending)


def demo_desk(*, clock: Callable[[], datetime]) -> Desk:
    """The demo's clinician sends, its assessor answers. Raises DrillError."""
    receiving = {
        Category.REFERRAL: Receiving("2000099001", UseCase.A1T1),
        Category.VALIDATION: Receiving("2000099003", UseCase.A4T1),
    }
    return Desk(person("clinician"), person("assessor"), get_client(), clock, receiving)


def require_test_services() -> None:
    """Raises DrillError where this installation may not book and refer for the sake of a drill."""
    place = environment(settings.BARS["ENVIRONMENT"])
    if not place.has_test_services:
        raise DrillError(
            f"The drill books and refers, so it runs only where the published test services answer: not in "
            f"{place.title}."
        )


def own_desk(organisation: Organisation, *, reachable: Sequence[str], clock: Callable[[], datetime]) -> Desk:
    """An organisation that sends and answers with what is its own.

    `reachable` are the service ids that the endpoint catalogue leads to its receiver. It acts as an account
    that nobody can sign in to. Raises DrillError.
    """
    require_test_services()
    try:
        reply_to = require_sender(organisation.ods_code).service_id
    except PolicyRefused:
        raise DrillError(
            "The organisation has nothing to send with in the environment that this installation runs in. "
            "Take the onboarding step \u201cSend as this organisation\u201d, then run this again."
        ) from None
    hosted = HealthcareService.objects.filter(
        provider=organisation, hosted=True, active=True, service_id__in=reachable
    ).order_by("service_id")
    acting = _drill_account(organisation, now=clock())
    receiving = _receiving(list(hosted))
    hears = any(each.service_id == reply_to for each in hosted)
    return Desk(acting, acting, get_client(), clock, receiving, hears)


def require_answer(desk: Desk) -> None:
    """One question, with all the patience of a message: then there is a token too. Raises DrillError."""
    try:
        ask(
            desk.client,
            sender=desk.sender,
            service_id=MODEL_SERVICE,
            correlation_id=uuid4(),
            path="/metadata",
            params=(),
            expected="CapabilityStatement",
        )
    except (Missing, Unreachable):
        raise DrillError(
            f"The test service {MODEL_SERVICE} did not answer through the proxy. Get a token first, and see "
            "whether this machine may connect there; then run this again."
        ) from None


def _receiving(hosted: Sequence[HealthcareService]) -> dict[Category, Receiving]:
    """The first service that takes referrals of some use case of Application 1, and validations."""
    found: dict[Category, Receiving] = {}
    for place in hosted:
        taken = [each for each in UseCase if each.value in place.accepted_use_cases]
        if not place.takes_referrals:
            continue
        if UseCase.A4T1 in taken:
            found.setdefault(Category.VALIDATION, Receiving(place.service_id, UseCase.A4T1))
        of_referrals = [each for each in taken if each.value.startswith("a1")]
        if of_referrals and not place.requires_booking:
            found.setdefault(Category.REFERRAL, Receiving(place.service_id, of_referrals[0]))
    return found


@transaction.atomic
def _drill_account(organisation: Organisation, *, now: datetime) -> Acting:
    """Made at its first use. It belongs nowhere, and has no password: it acts here alone."""
    account, made = User.objects.get_or_create(
        username=f"sender-drill-{organisation.ods_code}",
        defaults={
            "last_name": "Sender drill",
            "is_active": False,
            "date_joined": now,
            "role_code": "158965000",
            "role_display": "Medical practitioner",
        },
    )
    actor = Actor(label="Sender drill", user_id=account.pk, organisation_id=organisation.pk)
    if made:
        account.set_unusable_password()
        account.save(update_fields=["password"])
        record(actor=SYSTEM, action="accounts.create_user", subject=account, now=now)
    return Acting(account, organisation, (Role.CLINICIAN,), PERMISSIONS[Role.CLINICIAN], actor)


def person(username: str) -> Acting:
    """Raises DrillError when there is nobody of that name, or they act for nobody."""
    user = user_called(username)
    acting = resolve_acting(user, {}) if user else None
    if acting is None:
        raise DrillError(f"There is no {username} who acts for an organisation: run seed_demo first.")
    return acting


def service(desk: Desk, service_id: str) -> HealthcareService:
    """As the directory has it; a test service that it lacks is entered, made like the one that takes all."""
    known = service_by_id(service_id)
    if known is not None:
        return known
    copy = service_by_id(MODEL_SERVICE) or _test_service()
    copy.pk, copy.service_id = None, service_id
    copy._state.adding = True
    create_entry(entry=copy, actor=desk.sending.actor, now=desk.clock())
    return copy


def _test_service() -> HealthcareService:
    """As the test directory names them. What it takes is asked of it before anything is sent."""
    ods_code, name = _TESTERS
    testers, _ = Organisation.objects.get_or_create(ods_code=ods_code, defaults={"name": name})
    return HealthcareService(
        name="TESTING ONLY BaRS Test Service (TKW)",
        service_type=ServiceType.OTHER,
        provider=testers,
        hosted=False,
        postcode="LS1 4AP",
        accepted_use_cases=[each.value for each in UseCase],
        takes_referrals=True,
    )


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


@cache
def published_patients() -> Mapping[str, Mapping[str, str]]:
    """The published ones of the integration environment, by NHS number. Raises OSError."""
    with _PATIENTS.open(newline="", encoding="utf-8") as opened:
        return {line["nhs_number"]: line for line in csv.DictReader(opened)}


def patient(nhs_number: str) -> PatientDetails:
    """As published, or a made-up one; without a number when it is ""."""
    call_back = ContactDetails(relationship="ONESELF", telecoms=(Telecom("phone", "07700900123", "mobile"),))
    known = published_patients().get(nhs_number, {})
    return PatientDetails(
        nhs_number=nhs_number,
        nhs_number_verified=bool(nhs_number),
        traced_in="PDS (drill)" if nhs_number else "",
        address_use="home",
        given_names=known.get("given", "Drill"),
        family_name=known.get("family", "TESTING"),
        gender=known.get("gender", "female"),
        birth_date=date.fromisoformat(known.get("born", "1950-01-01")),
        address_lines=("1 Sample Row",),
        postcode=known.get("postcode", "LS1 4AP"),
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
