"""Whether one message could be of two types: then routing would be a matter of luck."""

from __future__ import annotations

from itertools import product

from bars_portal.exchange.fhir.rules.model import WorkflowRow


def overlap(one: WorkflowRow, other: WorkflowRow) -> bool:
    """Whether some message fits both rows and nothing decides between them."""
    return (
        one.event == other.event
        and one.focus_type == other.focus_type
        and not _pairs(one).isdisjoint(_pairs(other))
        and _share(one.categories, other.categories)
        and _share(one.use_cases, other.use_cases)
        and not _told_apart(one, other)
    )


def _pairs(row: WorkflowRow) -> frozenset[tuple[str, str]]:
    return row.pairs or frozenset(product(row.reasons, row.focus_statuses))


def _share(one: frozenset[str], other: frozenset[str]) -> bool:
    """None means any."""
    return not one or not other or not one.isdisjoint(other)


def _told_apart(one: WorkflowRow, other: WorkflowRow) -> bool:
    return any(
        (mine.resource_type, mine.part) == (theirs.resource_type, theirs.part)
        and mine.statuses.isdisjoint(theirs.statuses)
        for mine, theirs in product(one.conditions, other.conditions)
        if mine.decides and theirs.decides
    )
