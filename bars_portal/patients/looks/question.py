"""What an auditor asks of the trail, typed and as an address has it: by ids, so that none names a patient."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from bars_portal.accounts.acting import name_of
from bars_portal.accounts.models import Membership, Organisation, User
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.selectors import events_about, looks
from bars_portal.exchange.models import InboundMessage, OutboundMessage
from bars_portal.nhsuk.dates import london_midnight
from bars_portal.nhsuk.forms import DateField, NHSForm, NHSNumberField, RadiosField, TextField
from bars_portal.patients.details import is_same_person
from bars_portal.patients.models import Journey, Patient
from bars_portal.patients.selectors import patients_of
from bars_portal.values import is_named

# Type and id, as AuditEvent keeps them.
Key = tuple[str, str]


@dataclass(frozen=True)
class Source:
    """`subjects`: bookings or cases of these journeys, with what belongs to them.

    `journeys`: those of the organisation whose booking or case has this id or reference.
    """

    subjects: Callable[[Sequence[UUID]], Iterable[Key]]
    journeys: Callable[[Organisation, str], Iterable[UUID]]


_sources: list[Source] = []


def register_source(source: Source) -> None:
    """Adding it again changes nothing."""
    if source not in _sources:
        _sources.append(source)


def subjects_of(journeys: Sequence[Journey]) -> set[Key]:
    """The journeys, their patients and messages, and what the rooms above have of them."""
    own = set(_own(journeys))
    return own.union(*(source.subjects([journey.pk for journey in journeys]) for source in _sources))


def journeys_called(organisation: Organisation, text: str) -> set[UUID]:
    """By a reference or any id of the journey, or of what is in it."""
    found = {pk for source in _sources for pk in source.journeys(organisation, text)}
    try:
        wanted = UUID(text)
    except ValueError:
        return found
    own = Journey.objects.filter(organisation=organisation)
    for name in ("id", "journey_id", "correlation_id"):
        found.update(own.filter(**{name: wanted}).values_list("pk", flat=True))
    return found


def _own(journeys: Sequence[Journey]) -> Iterator[Key]:
    keys = [journey.pk for journey in journeys]
    conversations = [journey.correlation_id for journey in journeys]
    for pk in keys:
        yield Journey._meta.label_lower, str(pk)
    for pk in Patient.objects.filter(journey__in=keys).values_list("pk", flat=True):
        yield Patient._meta.label_lower, str(pk)
    for model in (InboundMessage, OutboundMessage):
        rows = model._default_manager.filter(correlation_id__in=conversations)
        for pk in rows.values_list("pk", flat=True):
            yield model._meta.label_lower, str(pk)


# More are not told apart by a page.
MOST = 20


def patients_with_number(organisation: Organisation, number: str) -> list[Patient]:
    """Verified or not: a look at a record with a mistyped number was a look all the same."""
    return list(patients_of(organisation).filter(_with_any_number([number])).order_by("-created_at"))


def patients_named(organisation: Organisation, family_name: str, born: date) -> list[Patient]:
    rows = patients_of(organisation).filter(birth_date=born).order_by("-created_at")
    return [each for each in rows if is_named(f"{each.given_names} {each.family_name}", family_name)]


def records_of(patient: Patient) -> list[Patient]:
    """Every record that the organisation has of this person, newest first; a journey has one of its own."""
    own = Q(pk=patient.pk) | _with_any_number([each.value for each in patient.numbers])
    alike = (
        Q(birth_date=patient.birth_date, postcode=patient.postcode)
        if patient.birth_date
        else Q(pk=patient.pk)
    )
    rows = patients_of(patient.organisation).filter(own | alike).order_by("-created_at")
    numbers = {each.value for each in patient.numbers}
    return [
        each
        for each in rows.select_related("journey")
        if each.pk == patient.pk
        or numbers & {number.value for number in each.numbers}
        or is_same_person(each, patient)
    ]


def persons_among(patients: Sequence[Patient]) -> list[Patient]:
    """One record of each person, the newest."""
    told: list[Patient] = []
    known: set[UUID] = set()
    for patient in patients:
        if patient.pk not in known:
            told.append(patient)
            known.update(each.pk for each in records_of(patient))
    return told


def staff_of(organisation: Organisation) -> QuerySet[User]:
    """Who belongs to the organisation, or has left a trace in it."""
    traces = AuditEvent.objects.filter(actor_user=OuterRef("pk"), organisation=organisation)
    belongs = Membership.objects.filter(user=OuterRef("pk"), organisation=organisation)
    rows = User.objects.filter(Exists(belongs) | Exists(traces))
    return rows.order_by("last_name", "first_name", "pk")


def staff_named(organisation: Organisation, name: str) -> list[User]:
    """By their name or username, however it is spelt."""
    rows = staff_of(organisation)
    return [each for each in rows if is_named(f"{name_of(each)} {each.get_username()}", name)]


def _with_any_number(numbers: Iterable[str]) -> Q:
    found = Q(pk__in=[])
    for number in numbers:
        found |= Q(nhs_number=number) | Q(other_numbers__contains=[{"value": number}])
    return found


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


class TrailForm(NHSForm):
    """At least one of them; a family name goes with a date of birth."""

    nhs_number = NHSNumberField(required=False)
    family_name = TextField(
        label="Patient's family name",
        hint="If you do not have the NHS number. The date of birth is needed too",
        max_length=140,
        required=False,
        autocomplete="off",
        spellcheck=False,
        width=20,
    )
    birth_date = DateField(label="Patient's date of birth", hint="For example, 15 3 1984", required=False)
    case = TextField(
        label="Booking or case",
        hint="Its reference, or an id from an address or a message",
        max_length=100,
        required=False,
        autocomplete="off",
        spellcheck=False,
        width=20,
    )
    staff = TextField(
        label="Member of staff",
        hint="A part of their name, or their username",
        max_length=150,
        required=False,
        autocomplete="off",
        spellcheck=False,
        width=20,
    )
    first = DateField(label="From", called="The first day", hint="The first day", required=False)
    last = DateField(label="To", called="The last day", hint="The last day", required=False)
    shown = RadiosField(
        label="What to show",
        options=[
            (LOOKS, "Who looked: pages that were opened and files that were saved"),
            (ALL, "Everything that was done"),
        ],
        missing="Select what to show",
        initial=LOOKS,
    )

    def asked_by(self) -> str:
        """Which fields were filled in, for the trail; of a valid form."""
        return ", ".join(name for name, value in self.cleaned_data.items() if value and name != "shown")

    def clean(self) -> dict[str, Any]:
        super().clean()
        # A copy: what gets an error leaves the original.
        told = dict(self.cleaned_data)
        if self.errors:
            return told
        if told["family_name"] and not told["birth_date"]:
            self.add_error("birth_date", "Enter the patient's date of birth too")
        if told["birth_date"] and not (told["family_name"] or told["nhs_number"]):
            self.add_error("family_name", "Enter the patient's family name too")
        if told["first"] and told["last"] and told["last"] < told["first"]:
            self.add_error("last", "The last day must not be before the first")
        if not any(value for name, value in told.items() if name != "shown"):
            self.add_error(None, "Enter a patient, a booking or case, a member of staff, or a day")
        return told
