"""Whether an answer to a slot search is all of it: what of it cannot be shown, and why (standard section 7).

Nothing is guessed about a time. What a person is shown beside the times says how many are missing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import SlotStatus
from bars_portal.exchange.fhir.json import as_dict, as_list, as_text, dicts, references
from bookings.mapping.received import read_instant

ID_LENGTH = 64


class Lack(StrEnum):
    """Why a time of an answer cannot be shown: what is the matter with its slot."""

    FORM = "form"
    STATUS = "status"
    ID = "id"
    TIMES = "times"
    OFFSET = "offset"
    ORDER = "order"
    TWICE = "twice"
    NOT_SENT = "not-sent"


@dataclass(frozen=True)
class NotShown:
    """So many times for one reason; None: the service did not say how many."""

    lack: Lack
    count: int | None


def lack_of(slot: Resource) -> Lack | None:
    """Why the slot cannot be offered although it may be free; None for a whole one, and for a taken one."""
    status = SlotStatus.lookup(slot.get("status"))
    if status is None:
        return Lack.STATUS
    if status is not SlotStatus.FREE:
        return None
    if not 0 < len(as_text(slot.get("id"))) <= ID_LENGTH:
        return Lack.ID
    if not (as_text(slot.get("start")) and as_text(slot.get("end"))):
        return Lack.TIMES
    start, end = read_instant(slot["start"]), read_instant(slot["end"])
    if start is None or end is None:
        return Lack.OFFSET
    return Lack.ORDER if end <= start else None


def contradicted(slots: Iterable[Resource]) -> set[str]:
    """The ids under which an answer has several different slots: any of them may be the wrong one."""
    said: dict[str, set[tuple[object, ...]]] = {}
    for each in slots:
        times = (read_instant(each.get("start")), read_instant(each.get("end")))
        said.setdefault(as_text(each.get("id")), set()).add((*times, as_text(each.get("status"))))
    return {ident for ident, ways in said.items() if ident and len(ways) > 1}


def not_shown(pages: Sequence[Resource], *, is_cut: bool) -> tuple[NotShown, ...]:
    """What is missing of an answer of so many pages; `is_cut`: there are more pages, which did not come."""
    entries = [each for page in pages for each in as_list(page.get("entry"))]
    slots = list(_slots(entries))
    doubtful = contradicted(slots)
    sure = (each for each in slots if as_text(each.get("id")) not in doubtful)
    lacks = Counter(lack for each in sure if (lack := lack_of(each)) is not None)
    lacks[Lack.TWICE] = len(doubtful)
    lacks[Lack.FORM] = sum(map(_is_unreadable, entries))
    missing = _total(pages[0]) - _distinct(slots) - lacks[Lack.FORM]
    # Some count everything in the Bundle instead of the slots.
    if missing > 0 and _total(pages[0]) != len(entries):
        lacks[Lack.NOT_SENT] = missing
    found = [NotShown(lack, lacks[lack]) for lack in Lack if lacks[lack]]
    if not lacks[Lack.NOT_SENT] and (is_cut or any(map(_says_incomplete, entries))):
        found.append(NotShown(Lack.NOT_SENT, None))
    return tuple(found)


def says_none(pages: Sequence[Resource], *, is_cut: bool) -> bool:
    """Whether the service itself said that nothing is free: nothing came, or only what is taken."""
    entries = [each for page in pages for each in as_list(page.get("entry"))]
    empty = all("entry" not in page or page["entry"] == [] for page in pages)
    stated = type(pages[0].get("total")) is int and pages[0]["total"] == 0
    whole = not not_shown(pages, is_cut=is_cut)
    return whole and (empty or stated or any(True for _ in _slots(entries)))


def lacks_details(bundle: MessageBundle, slot: Resource) -> bool:
    """Whether its diary did not come with it, or a person or place that the diary only refers to.

    The service itself is in our own directory.
    """
    schedule = bundle.resolve(slot.get("schedule"))
    return schedule is None or any(
        bundle.resolve(each) is None
        and not as_text(each.get("display"))
        and not _is(each, "HealthcareService")
        for each in references(schedule.get("actor"))
    )


def displayed(bundle: MessageBundle, slot: Resource, kind: str) -> str:
    """What its diary calls an actor of this kind that did not come with it; "" when it says nothing."""
    actors = references(as_dict(bundle.resolve(slot.get("schedule"))).get("actor"))
    absent = (each for each in actors if _is(each, kind) and bundle.resolve(each) is None)
    return next((as_text(each.get("display")) for each in absent), "")


def _is(reference: Resource, kind: str) -> bool:
    return reference.get("type") == kind or f"/{reference['reference']}".rpartition("/")[0].endswith(
        f"/{kind}"
    )


def _slots(entries: Iterable[Any]) -> Iterator[Resource]:
    for each in entries:
        resource = as_dict(as_dict(each).get("resource"))
        if resource.get("resourceType") == "Slot":
            yield resource


def _is_unreadable(entry: Any) -> bool:
    """No resource at all where a slot was to be."""
    mode = as_dict(as_dict(entry).get("search")).get("mode", "match")
    kind = as_text(as_dict(as_dict(entry).get("resource")).get("resourceType"))
    return not kind and mode == "match"


def _says_incomplete(entry: Any) -> bool:
    outcome = as_dict(as_dict(entry).get("resource"))
    issues = list(dicts(outcome.get("issue"))) if outcome.get("resourceType") == "OperationOutcome" else []
    return any(
        each.get("severity") in ("error", "fatal") or each.get("code") == "incomplete" for each in issues
    )


def _total(page: Resource) -> int:
    total = page.get("total")
    return total if type(total) is int else 0


def _distinct(slots: Sequence[Resource]) -> int:
    """The same slot on two pages is one; slots without an id are told by nothing."""
    named = {ident for each in slots if (ident := as_text(each.get("id")))}
    return len(named) + sum(not as_text(each.get("id")) for each in slots)
