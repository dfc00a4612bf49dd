"""Where a case is: as it was sent, as our own record has it, and how the two differ."""

from dataclasses import dataclass
from datetime import datetime
from math import hypot

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.audit.services import record
from bars_portal.correspondence.history import tell
from bars_portal.exchange.fhir.codes import LocationType
from referrals.cases import policies
from referrals.cases.models import Case, owned_by
from referrals.cases.wire import included_in, index_of
from referrals.parts.places import Place, carried_places
from referrals.responding.models import PlaceRecord

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
    record(
        actor=acting.actor,
        action="referrals.record_place",
        subject=case,
        outcome="differs" if found else "done",
        correlation_id=case.correlation_id,
        now=now,
    )
    tell(case, "place-recorded", now=now)
    return kept
