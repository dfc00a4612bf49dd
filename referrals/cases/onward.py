"""A received case and the requests that carry it on."""

from bars_portal.correspondence.states import Direction
from referrals.cases.models import MODELS, Case
from referrals.cases.selectors import of_either_kind
from referrals.cases.states import CaseStatus, Category

# It never got there, or was taken back.
_CAME_TO_NOTHING = (CaseStatus.REFUSED, CaseStatus.REVOKED, CaseStatus.ENTERED_IN_ERROR)


def onward_requests_of(case: Case) -> list[Case]:
    """What our people sent to carry on with a received case, newest first."""
    found: list[Case] = []
    for category in Category:
        rows = MODELS[category].objects.filter(
            onward_from=case.pk, organisation=case.organisation_id, direction=Direction.SENT
        )
        found += rows.select_related("service")
    return sorted(found, key=lambda each: each.created_at, reverse=True)


def standing_onward(cases: list[Case]) -> Case | None:
    """The newest that may have reached somebody."""
    return next((each for each in cases if each.status not in _CAME_TO_NOTHING), None)


def carried_from(case: Case) -> Case | None:
    """The received case that a request of ours carries on."""
    if case.onward_from is None:
        return None
    known = {"pk": case.onward_from, "organisation": case.organisation_id, "direction": Direction.RECEIVED}
    return of_either_kind(known)


def onward_words(case: Case) -> str:
    """Where it went, as an outcome tells it; "" when it did not go onward from here."""
    standing = standing_onward(onward_requests_of(case))
    if standing is None:
        return ""
    reference = f", their reference {standing.reference}" if standing.reference else ""
    return f"Referred onward to {standing.service.name}{reference}."
