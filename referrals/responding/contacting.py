"""Trying to reach the patient of a referral to a pharmacy: three times at most, each written down."""

from datetime import datetime

from django.db import IntegrityError, transaction

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused, allowed, need
from bars_portal.audit.services import record
from bars_portal.correspondence.history import tell
from referrals.cases import policies
from referrals.cases.models import Case, Referral, owned_by
from referrals.responding.models import MOST_ATTEMPTS, ContactAttempt

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
    record(
        actor=acting.actor,
        action="referrals.record_attempt",
        subject=case,
        detail={"number": attempt.number},
        outcome="reached" if reached else "not-reached",
        correlation_id=case.correlation_id,
        now=now,
    )
    tell(case, "call-recorded", now=now)
    return attempt
