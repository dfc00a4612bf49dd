"""By when a validation must be done: ServiceRequest.occurrencePeriod (profile of validation requests)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import MessageCategory
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.reading import as_dict, as_text
from bars_portal.exchange.fhir.rules.model import Facts, Rule
from bars_portal.exchange.fhir.rules.parts import request_of
from bars_portal.exchange.fhir.timestamps import InvalidInstant, parse_instant


def _breach_time(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    row, request = facts.row, request_of(bundle)
    if row is None or request is None or MessageCategory.VALIDATION not in row.categories:
        return
    if row.answers or row.is_stripped:
        return
    path = f"{bundle.path_of(request)}.occurrencePeriod"
    period, read = as_dict(request.get("occurrencePeriod")), dict[str, datetime]()
    for name in ("start", "end"):
        text = as_text(period.get(name))
        try:
            read[name] = parse_instant(text)
        except InvalidInstant:
            code = OutcomeCode.VALUE if text else OutcomeCode.REQUIRED
            words = f"ServiceRequest.occurrencePeriod.{name} is {'no date and time' if text else 'missing'}"
            yield Issue(code, words, (f"{path}.{name}",))
    if len(read) == 2 and read["end"] < read["start"]:
        words = "ServiceRequest.occurrencePeriod ends before it starts"
        yield Issue(OutcomeCode.INVARIANT, words, (f"{path}.end",))


RULES = (
    Rule(
        "breach-time",
        "9",
        "A validation request says from when and until when it is to be done.",
        _breach_time,
    ),
)
