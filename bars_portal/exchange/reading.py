"""From the bytes of a message to something that may be applied: content, rules, access (section 6)."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from bars_portal.exchange.access import check_access
from bars_portal.exchange.arrival import Arrival
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeError
from bars_portal.exchange.fhir.rules import HostedService, Verdict, judge
from bars_portal.exchange.fhir.rules.model import FindService
from bars_portal.exchange.fhir.structure import check_structure
from bars_portal.exchange.ports import services
from bars_portal.exchange.registry import MessageType, message_type, workflow_rows


@dataclass(frozen=True)
class Reading:
    """A message that satisfies every rule; `parsed` is the message type's own form of it."""

    bundle: MessageBundle
    kind: MessageType
    service: HostedService
    parsed: Any
    warnings: tuple[Issue, ...]


def read_message(arrival: Arrival) -> Reading:
    """Raises OutcomeError with every issue found, the decisive one first."""
    # Header and body mostly name the same service: looked up once a message.
    find = cache(services.provider.hosted)
    _check_target(arrival, find)
    raw = arrival.read()
    if issues := check_structure(raw):
        raise OutcomeError(*issues)
    bundle = MessageBundle.from_dict(raw)
    verdict = judge(bundle, find_service=find, workflows=workflow_rows())
    return _reading(bundle, verdict, arrival)


def _check_target(arrival: Arrival, find: FindService) -> None:
    """Access comes before content: the header already says which service is asked."""
    target = arrival.headers.target
    service = find(target) if target else None
    if service is not None:
        check_access(service, arrival.sender_ods_code)


def _reading(bundle: MessageBundle, verdict: Verdict, arrival: Arrival) -> Reading:
    if verdict.issues or verdict.row is None or verdict.service is None:
        raise OutcomeError(*verdict.issues)
    check_access(verdict.service, arrival.sender_ods_code)
    kind = message_type(verdict.row.message_key)
    return Reading(bundle, kind, verdict.service, kind.parse(bundle), verdict.warnings)
