"""What an auditor asks of the trail, as an address tells it: by ids, so that no address names a patient."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet

from bars_portal.accounts.models import Organisation, User
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.selectors import events_about, looks
from bars_portal.nhsuk.dates import london_midnight
from bars_portal.patients.looks.people import MOST, records_of, staff_of
from bars_portal.patients.looks.subjects import subjects_of
from bars_portal.patients.models import Journey, Patient
from bars_portal.patients.selectors import patients_of

LOOKS, ALL = "looks", "all"


class UnknownQuestion(ValueError):
    """The address asks for something that is not there, or not of this organisation."""


@dataclass(frozen=True)
class Question:
    """`first` and `last` are London days, both included; an empty part asks for nothing."""

    organisation: Organisation
    patient: Patient | None = None
    staff: tuple[User, ...] = ()
    journeys: tuple[Journey, ...] = ()
    first: date | None = None
    last: date | None = None
    shown: str = LOOKS

    @property
    def is_empty(self) -> bool:
        return not (self.patient or self.staff or self.journeys or self.first or self.last)

    @property
    def query(self) -> str:
        told = {
            "patient": str(self.patient.pk) if self.patient else "",
            "staff": ",".join(str(each.pk) for each in self.staff),
            "case": ",".join(str(each.pk) for each in self.journeys),
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
            "show": self.shown if self.shown != LOOKS else "",
        }
        return urlencode({name: value for name, value in told.items() if value}, safe=",")

    @property
    def asked_by(self) -> str:
        """For the trail: which parts were asked for."""
        parts = {
            "patient": self.patient,
            "staff": self.staff,
            "case": self.journeys,
            "from": self.first,
            "to": self.last,
        }
        return ", ".join(name for name, value in parts.items() if value)

    def about(self, patient: Patient) -> "Question":
        return replace(self, patient=patient)

    def records(self) -> list[Patient]:
        return records_of(self.patient) if self.patient else []

    def events(self) -> QuerySet[AuditEvent]:
        """Of the organisation alone, newest first."""
        events = AuditEvent.objects.filter(organisation=self.organisation)
        if self.patient:
            events = events.filter(_about([record.journey for record in self.records()]))
        if self.journeys:
            events = events.filter(_about(list(self.journeys)))
        if self.staff:
            events = events.filter(actor_user__in=self.staff)
        if self.first:
            events = events.filter(at__gte=london_midnight(self.first))
        if self.last:
            events = events.filter(at__lt=london_midnight(self.last + timedelta(days=1)))
        if self.shown == LOOKS:
            events = events.filter(looks())
        return events.select_related("organisation", "actor_user").order_by("-at", "-id")


def read_question(organisation: Organisation, told: Mapping[str, str]) -> Question:
    """Raises UnknownQuestion."""
    try:
        return Question(
            organisation=organisation,
            patient=_patient(organisation, told.get("patient", "")),
            staff=_staff(organisation, told.get("staff", "")),
            journeys=_journeys(organisation, told.get("case", "")),
            first=_day(told.get("from", "")),
            last=_day(told.get("to", "")),
            shown=ALL if told.get("show") == ALL else LOOKS,
        )
    except (ValueError, OverflowError):
        raise UnknownQuestion from None


def _patient(organisation: Organisation, text: str) -> Patient | None:
    if not text:
        return None
    found = patients_of(organisation).select_related("organisation").filter(pk=UUID(text)).first()
    if found is None:
        raise UnknownQuestion
    return found


def _staff(organisation: Organisation, text: str) -> tuple[User, ...]:
    wanted = [int(each) for each in text.split(",") if each][:MOST]
    found = tuple(staff_of(organisation).filter(pk__in=wanted))
    if len(found) != len(set(wanted)):
        raise UnknownQuestion
    return found


def _journeys(organisation: Organisation, text: str) -> tuple[Journey, ...]:
    wanted = {UUID(each) for each in text.split(",")[:MOST] if each}
    found = tuple(Journey.objects.filter(organisation=organisation, pk__in=wanted).order_by("created_at"))
    if len(found) != len(wanted):
        raise UnknownQuestion
    return found


def _day(text: str) -> date | None:
    found = date.fromisoformat(text) if text else None
    # The day after it is asked for too.
    if found and not date(1900, 1, 1) <= found <= date(9000, 1, 1):
        raise UnknownQuestion
    return found


def _about(journeys: list[Journey]) -> Q:
    conversations = {journey.correlation_id for journey in journeys}
    return events_about(subjects_of(journeys), conversations)
