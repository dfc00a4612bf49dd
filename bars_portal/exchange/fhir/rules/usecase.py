"""The use case of a message and whether the service takes it."""

from __future__ import annotations

from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.reading import as_text
from bars_portal.exchange.fhir.rules.model import Facts, HostedService, Rule, WorkflowRow
from bars_portal.exchange.fhir.rules.parts import (
    category_codes,
    request_of,
    use_case_carrier,
    use_case_codings,
)


def _use_case(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    carrier = use_case_carrier(bundle)
    if carrier is None or facts.row is None:
        return
    path = f"{bundle.path_of(carrier[0])}.{carrier[1]}"
    codes = [UseCase.lookup(each.get("code")) for each in use_case_codings(bundle)]
    if not codes:
        words = f"{path} has no coding of usecases-categories-bars"
        yield Issue(OutcomeCode.INVARIANT, words, (path,))
    elif None in codes:
        yield Issue(OutcomeCode.VALUE, f"{path} is not a code of usecases-categories-bars", (path,))
    elif not _accepts(facts.row, facts.service, frozenset(map(str, codes))):
        words = f"{path} is a use case that the service does not accept"
        yield Issue(OutcomeCode.INVARIANT, words, (path,))


def _accepts(row: WorkflowRow, service: HostedService | None, codes: frozenset[str]) -> bool:
    """An address that only takes replies accepts no use case of its own, and may not lose a warning."""
    if service is None or (row.answers and not service.accepted_use_cases):
        return True
    return not service.accepted_use_cases.isdisjoint(codes)


def _one_of_each(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    """In one CodeableConcept or in two; a second category or use case would make the row a guess."""
    request = request_of(bundle)
    if request is None:
        return
    path = f"{bundle.path_of(request)}.category"
    if len(category_codes(request)) > 1:
        yield Issue(OutcomeCode.INVARIANT, f"{path} has more than one message category", (path,))
    if len({as_text(each.get("code")) for each in use_case_codings(bundle)}) > 1:
        yield Issue(OutcomeCode.INVARIANT, f"{path} has more than one use case", (path,))


RULES = (
    Rule(
        "use-case",
        "6",
        "The use case is present, known and one the service accepts (an address for replies only: any).",
        _use_case,
    ),
    Rule(
        "one-use-case",
        "6",
        "ServiceRequest.category holds one message category and one use case, in one concept or in two.",
        _one_of_each,
    ),
)
