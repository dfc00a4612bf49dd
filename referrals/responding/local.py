"""What stays here with us of a received case, and is told to nobody outside.

Who works on it, notes for colleagues, where we have plotted it and how that differs from what was sent, and
tries to reach the patient of a referral to a pharmacy: three times at most, each written down.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import hypot
from typing import ClassVar

from django.db import IntegrityError, models, transaction
from django.db.models import Q

from bars_portal.accounts.acting import Acting, name_of
from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import PolicyRefused, allowed, need
from bars_portal.audit.services import record
from bars_portal.correspondence.history import tell
from bars_portal.exchange.fhir.codes import LocationType
from referrals.cases import policies
from referrals.cases.models import MODELS, Case, CaseNote, CaseRecord, Referral, owned_by
from referrals.cases.selectors import locked, notes_of
from referrals.cases.wire import included_in, index_of
from referrals.parts.places import Place, carried_places

# Standard section 9, workflow 5: so often a pharmacy tries to reach a patient.
MOST_ATTEMPTS = 3


class PlaceRecord(CaseRecord):
    """Where we plotted a case; the newest counts. `differences`: from what was sent then, in words."""

    uprn = models.CharField(max_length=12, blank=True)
    # Metres on the national grid.
    eastings = models.CharField(max_length=14, blank=True)
    northings = models.CharField(max_length=14, blank=True)
    differences = models.JSONField(default=list)
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    author_label = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta(CaseRecord.Meta):
        ordering: ClassVar = ["at", "id"]

    def __str__(self) -> str:
        return f"place by {self.author_label}"


class ContactAttempt(CaseRecord):
    """One try to reach the patient of a referral, by telephone."""

    number = models.PositiveSmallIntegerField()
    reached = models.BooleanField()
    text = models.CharField(max_length=300, blank=True)
    author = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    author_label = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta(CaseRecord.Meta):
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            *CaseRecord.Meta.constraints,
            models.CheckConstraint(
                condition=Q(number__gte=1, number__lte=MOST_ATTEMPTS), name="contact_attempts_at_most"
            ),
            models.UniqueConstraint(fields=["referral", "number"], name="contact_attempt_once"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}"


@transaction.atomic
def assign_case(*, case: Case, to: User, seen: User | None, acting: Acting, now: datetime) -> Case:
    """Give it to a colleague, or take it. `seen`: who had it when the person looked.

    Raises PolicyRefused, also when somebody else was first.
    """
    _need_colleague(to, acting)
    return _assign(case, to, seen, acting, now)


@transaction.atomic
def unassign_case(*, case: Case, seen: User, acting: Acting, now: datetime) -> Case:
    """Nobody's again. Raises PolicyRefused as `assign_case` does."""
    return _assign(case, None, seen, acting, now)


@transaction.atomic
def add_note(*, case: Case, text: str, acting: Acting, now: datetime) -> CaseNote:
    """For colleagues only: no message carries it. Raises PolicyRefused.

    The same words by the same person twice in a row are one note: a second press of the button.
    """
    policies.check_can_work(acting, case)
    if not text.strip():
        raise PolicyRefused("Write something first.")
    newest = notes_of(locked(MODELS[case.category], case.pk)).last()
    if newest is not None and (newest.text, newest.author_id) == (text.strip(), acting.user.pk):
        return newest
    note = CaseNote.objects.create(
        **owned_by(case), text=text.strip(), author=acting.user, author_label=acting.actor.label, at=now
    )
    _record(case, "referrals.add_note", "note-written", acting, now)
    return note


def _assign(case: Case, to: User | None, seen: User | None, acting: Acting, now: datetime) -> Case:
    policies.check_can_work(acting, case)
    rows = type(case).objects.filter(pk=case.pk, assigned_to=seen)
    if not rows.update(assigned_to=to):
        raise PolicyRefused("Somebody else has taken or given this case meanwhile. Look at it again.")
    case.assigned_to = to
    if to is not None:
        _record(case, "referrals.assign_case", "assigned", acting, now, detail={"to": to.pk})
    else:
        _record(case, "referrals.unassign_case", "released", acting, now)
    return case


def _need_colleague(user: User, acting: Acting) -> None:
    # An application works here without being a member.
    if user.pk != acting.user.pk and not user.memberships.filter(organisation=acting.organisation).exists():
        raise PolicyRefused(f"{name_of(user)} does not work here.")


# Grid references of one front door, taken by two gazetteers, lie no further apart.
_SAME_PLACE = 50
UPRN_DIFFERS = "The UPRN is another one"


@dataclass(frozen=True)
class OwnPlace:
    """What a person here has plotted; each part may be "", not all."""

    uprn: str = ""
    eastings: str = ""
    northings: str = ""


def place_of(case: Case) -> Place | None:
    """The incident as the request has it now; None when it names none that can be read."""
    found = carried_places(index_of(included_in(case)))
    return next((each for each in found if each.type is LocationType.INCIDENT), None)


def differences(sent: Place | None, own: OwnPlace) -> list[str]:
    """In words; what only one side knows is no difference."""
    if sent is None:
        return []
    found = []
    if sent.uprn and own.uprn and sent.uprn.lstrip("0") != own.uprn.lstrip("0"):
        found.append(UPRN_DIFFERS)
    if sent.eastings and own.eastings:
        apart = hypot(
            float(sent.eastings) - float(own.eastings), float(sent.northings) - float(own.northings)
        )
        if apart > _SAME_PLACE:
            found.append(f"The grid references are {apart:,.0f} metres apart")
    return found


def own_place_of(case: Case) -> PlaceRecord | None:
    """The newest."""
    return PlaceRecord.objects.filter(**owned_by(case)).order_by("at", "id").last()


@transaction.atomic
def record_place(*, case: Case, own: OwnPlace, acting: Acting, now: datetime) -> PlaceRecord:
    """Keep where we plotted it, and how that differs from what was sent. Raises PolicyRefused."""
    policies.check_can_work(acting, case)
    found = differences(place_of(case), own)
    kept = PlaceRecord.objects.create(
        **owned_by(case),
        uprn=own.uprn,
        eastings=own.eastings,
        northings=own.northings,
        differences=found,
        author=acting.user,
        author_label=acting.actor.label,
        at=now,
    )
    outcome = "differs" if found else "done"
    _record(case, "referrals.record_place", "place-recorded", acting, now, outcome=outcome)
    return kept


# Use cases of Application 5.
_PHARMACY = "a5"


def is_contacted(case: Case) -> bool:
    """A pharmacy calls the patients that are referred to it."""
    return isinstance(case, Referral) and case.use_case.startswith(_PHARMACY)


def attempts_of(case: Case) -> list[ContactAttempt]:
    return list(ContactAttempt.objects.filter(**owned_by(case)).order_by("number"))


def check_can_record_attempt(acting: Acting, case: Case) -> None:
    policies.check_can_work(acting, case)
    need(is_contacted(case), "Attempts to reach the patient are written down for pharmacies only.")
    need(case.is_current, "This case is over.")
    need(len(attempts_of(case)) < MOST_ATTEMPTS, "Three attempts are written down: no more are asked for.")


def can_record_attempt(acting: Acting, case: Case) -> bool:
    return allowed(lambda: check_can_record_attempt(acting, case))


@transaction.atomic
def record_attempt(
    *, case: Case, seen: int, reached: bool, text: str, acting: Acting, now: datetime
) -> ContactAttempt:
    """`seen`: how many there were when the person looked: a second press is refused, and so is a colleague's
    at the same moment. Raises PolicyRefused.
    """
    check_can_record_attempt(acting, case)
    try:
        with transaction.atomic():
            attempt = ContactAttempt.objects.create(
                **owned_by(case),
                number=seen + 1,
                reached=reached,
                text=text.strip(),
                author=acting.user,
                author_label=acting.actor.label,
                at=now,
            )
    except IntegrityError:
        raise PolicyRefused("An attempt was written down meanwhile. Look at the case again.") from None
    outcome = "reached" if reached else "not-reached"
    detail = {"number": attempt.number}
    _record(case, "referrals.record_attempt", "call-recorded", acting, now, outcome=outcome, detail=detail)
    return attempt


def _record(
    case: Case,
    action: str,
    step: str,
    acting: Acting,
    now: datetime,
    *,
    outcome: str = "done",
    detail: Mapping[str, str | int | None] | None = None,
) -> None:
    """On the audit trail, and to the applications that listen."""
    record(
        actor=acting.actor,
        action=action,
        subject=case,
        detail=detail,
        outcome=outcome,
        correlation_id=case.correlation_id,
        now=now,
    )
    tell(case, step, now=now)
