"""Finds the row of the tables that a request meets."""

from collections.abc import Iterable, Mapping

from bars_portal.simulator.tkw.outcomes import BY_STATUS, Rejected
from bars_portal.simulator.tkw.tables import Scenario, scenarios


def decide(request: str, *more: str, facts: Mapping[str, Iterable[str]]) -> Scenario:
    """The first row of the request's kind (then of the kinds after it) that fits. Raises Rejected.

    `facts` maps a sentinel (target, patient ...) to the values that the request shows.
    """
    shown = {sentinel: frozenset(values) for sentinel, values in facts.items()}
    row = next(
        row for kind in (request, *more) for row in scenarios() if row.request == kind and row.fits(shown)
    )
    if row.answer != 200:
        raise Rejected(BY_STATUS[row.answer], row.name)
    return row
