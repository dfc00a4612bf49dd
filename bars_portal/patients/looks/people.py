"""Whom an auditor means: a patient of the organisation, with every record of theirs, and members of staff."""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from bars_portal.accounts.acting import name_of
from bars_portal.accounts.models import Membership, Organisation, User
from bars_portal.audit.models import AuditEvent
from bars_portal.names import is_named
from bars_portal.patients.matching import is_same_person
from bars_portal.patients.models import Patient
from bars_portal.patients.selectors import patients_of

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
