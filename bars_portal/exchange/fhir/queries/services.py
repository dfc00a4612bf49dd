"""Searches of what a service offers: GET /Slot and GET /MessageDefinition.

Standard section 7; api.md section 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from urllib.parse import unquote

from bars_portal.exchange.fhir.codes import USE_CASE_SYSTEM, SlotStatus, UseCase
from bars_portal.exchange.fhir.identifiers import (
    SERVICE_ID_SYSTEM,
    InvalidIdentifier,
    ServiceID,
    same_system,
    split_token,
)
from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.queries.params import Pairs, Params, sound
from bars_portal.exchange.fhir.timestamps import InvalidInstant, parse_instant

SERVICE = "Schedule.actor:HealthcareService"
STATUS = "status"
START = "start"
INCLUDE = "_include"

MAX_RANGE = timedelta(days=31)
_SEARCHABLE = {"free": SlotStatus.FREE, "busy": SlotStatus.BUSY}


class SlotInclude(StrEnum):
    """What a slot answer can carry beside the slots."""

    SCHEDULE = "Slot:schedule"
    PRACTITIONER = "Schedule:actor:Practitioner"
    PRACTITIONER_ROLE = "Schedule:actor:PractitionerRole"
    SERVICE = "Schedule:actor:HealthcareService"
    PLACE = "Schedule:actor:Location"
    PROVIDER = "HealthcareService:providedBy"
    LOCATION = "HealthcareService:location"
    # Those below stand for several of those above.
    EVERYTHING = "Slot:*"
    ANY_ACTOR = "Schedule:actor"
    OF_SCHEDULE = "Schedule:*"
    OF_SERVICE = "HealthcareService:*"


_ACTORS = frozenset(
    {SlotInclude.PRACTITIONER, SlotInclude.PRACTITIONER_ROLE, SlotInclude.SERVICE, SlotInclude.PLACE}
)
_STANDS_FOR = {
    SlotInclude.EVERYTHING: frozenset({SlotInclude.SCHEDULE}),
    SlotInclude.ANY_ACTOR: _ACTORS,
    SlotInclude.OF_SCHEDULE: _ACTORS,
    SlotInclude.OF_SERVICE: frozenset({SlotInclude.PROVIDER, SlotInclude.LOCATION}),
}
REQUIRED_INCLUDES = (SlotInclude.SCHEDULE, SlotInclude.PRACTITIONER, SlotInclude.SERVICE)
_INCLUDE_FORM = re.compile(r"[A-Za-z]+(?:[:.](?:[A-Za-z\-]+|\*)){1,2}")


@dataclass(frozen=True, slots=True)
class SlotQuery:
    """A valid slot search: `start` and `end` bound the slots' start, both inclusive and aware."""

    service_id: ServiceID
    statuses: frozenset[SlotStatus]
    start: datetime
    end: datetime
    includes: frozenset[str]

    @classmethod
    def parse(cls, params: Pairs, *, max_range: timedelta = MAX_RANGE) -> Self:
        """Raise OutcomeError with every fault: 400 required, value or invalid, 422 too-costly."""
        reader = Params(params, (SERVICE, STATUS, START, INCLUDE))
        service_id = _service(reader)
        statuses = _statuses(reader)
        start, end = _bounds(reader)
        _check_range(reader, start, end, max_range)
        includes = _includes(reader)
        reader.finish()
        return cls(sound(service_id), statuses, sound(start), sound(end), includes)


def _service(reader: Params) -> ServiceID | None:
    text = reader.one(SERVICE, required=True)
    try:
        return ServiceID.from_token(text) if text is not None else None
    except InvalidIdentifier:
        reader.fault(OutcomeCode.VALUE, f"{SERVICE} is not a DoS service id")
        return None


def _statuses(reader: Params) -> frozenset[SlotStatus]:
    """A comma list; the parameter repeated means the same."""
    reader.need(STATUS)
    texts = [text.strip() for value in reader.all(STATUS) for text in value.split(",")]
    if any(text not in _SEARCHABLE for text in texts):
        reader.fault(OutcomeCode.VALUE, f"{STATUS} is not free, busy or both with a comma")
    return frozenset(_SEARCHABLE[text] for text in texts if text in _SEARCHABLE)


def _bounds(reader: Params) -> tuple[datetime | None, datetime | None]:
    """Both bounds, each given once. What is neither may be the other one: it is not called missing."""
    found: dict[str, list[str]] = {"ge": [], "le": []}
    for value in (value.strip() for value in reader.all(START)):
        if value[:2] in found:
            found[value[:2]].append(value[2:])
        else:
            reader.fault(OutcomeCode.VALUE, f"{START} is empty or does not begin with ge or le")
    if reader.count(START) != len(found) or any(len(each) > 1 for each in found.values()):
        words = f"{START} is needed twice: once with ge, once with le{reader.hint(START)}"
        reader.fault(OutcomeCode.REQUIRED, words)
    return _bound(reader, "ge", found["ge"]), _bound(reader, "le", found["le"])


def _bound(reader: Params, prefix: str, texts: list[str]) -> datetime | None:
    if len(texts) != 1:
        return None
    try:
        return parse_instant(texts[0])
    except InvalidInstant:
        reader.fault(OutcomeCode.VALUE, f"{START} with {prefix} is not a date and time with an offset")
        return None


def _check_range(reader: Params, start: datetime | None, end: datetime | None, limit: timedelta) -> None:
    if start is None or end is None:
        return
    if end < start:
        reader.fault(OutcomeCode.VALUE, f"{START} with le is before {START} with ge")
    elif end - start > limit:
        reader.fault(OutcomeCode.TOO_COSTLY, f"{START} spans more than {limit.days} days")


def _includes(reader: Params) -> frozenset[str]:
    """Known includes; a well-formed one that we cannot honour is left out, as api.md asks.

    Beside one that cannot be read nothing is called missing.
    """
    given = reader.all(INCLUDE)
    values = [text.strip() for value in given for text in value.split(",") if text.strip()]
    readable = len(given) == reader.count(INCLUDE)
    if any(not _INCLUDE_FORM.fullmatch(value) for value in values):
        readable = False
        reader.fault(OutcomeCode.VALUE, f"{INCLUDE} is not of the form Resource:element")
    # The capability statement of old writes HealthcareService.providedBy.
    named = {value.replace(".", ":") for value in values}
    found = named & set(SlotInclude)
    for several in found & set(_STANDS_FOR):
        found |= _STANDS_FOR[SlotInclude(several)]
    for needed in REQUIRED_INCLUDES:
        if needed not in found and readable:
            reader.fault(OutcomeCode.REQUIRED, f"{INCLUDE} {needed} is missing{_hint(reader, needed, named)}")
    return frozenset(found)


def _hint(reader: Params, needed: SlotInclude, named: Iterable[str]) -> str:
    if any(needed.casefold() == each.casefold() for each in named):
        return f"; write {needed} in these very letters"
    return reader.hint(INCLUDE)


# -- GET /MessageDefinition

CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class DefinitionQuery:
    """A valid search: one service and, optionally, the use cases to keep (none: all)."""

    service_id: ServiceID
    use_cases: frozenset[UseCase]

    @classmethod
    def parse(cls, params: Pairs) -> Self:
        """Raise OutcomeError with every fault: 400 required, value or invalid, 404 unknown use case."""
        reader = Params(params, (CONTEXT,))
        services: set[ServiceID] = set()
        use_cases: set[UseCase] = set()
        reader.need(CONTEXT)
        for text in _contexts(reader):
            _sort(reader, text, services, use_cases)
        service_id = _only(reader, services)
        reader.finish()
        return cls(sound(service_id), frozenset(use_cases))


def _contexts(reader: Params) -> Iterator[str]:
    """Single contexts: in the wild two arrive as one value that was percent-encoded as a whole."""
    for value in reader.all(CONTEXT):
        whole = unquote(value)
        yield from (part.strip() for part in whole.split(f"&{CONTEXT}="))


def _sort(reader: Params, text: str, services: set[ServiceID], use_cases: set[UseCase]) -> None:
    system, value = split_token(text)
    use_case = UseCase.lookup(value)
    try:
        if (system is None and use_case is None) or same_system(system or "", SERVICE_ID_SYSTEM):
            services.add(ServiceID.parse(value))
            return
    except InvalidIdentifier:
        use_case = None
    named = system is not None and same_system(system, USE_CASE_SYSTEM)
    if use_case is not None and (named or system is None):
        use_cases.add(use_case)
    elif named and value:
        # Well-formed, and in no list: an unknown context is not found (api.md section 4).
        reader.fault(OutcomeCode.NOT_FOUND, f"{CONTEXT} names a use case that is not known")
    else:
        reader.fault(OutcomeCode.VALUE, f"{CONTEXT} is neither a DoS service id nor a use case")


def _only(reader: Params, services: set[ServiceID]) -> ServiceID | None:
    if len(services) > 1:
        reader.fault(OutcomeCode.VALUE, f"{CONTEXT} names more than one service")
    elif not services and not reader.faulty:
        reader.fault(OutcomeCode.REQUIRED, f"{CONTEXT} names no service")
    return next(iter(services), None)
