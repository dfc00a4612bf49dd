"""Access rules as the receiver asks for them, and what one would do to the messages that came lately."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from bars_portal.exchange.fhir.access import AccessRule as Rule
from bars_portal.exchange.fhir.access import Caller, in_the_way
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.models import InboundMessage
from bars_portal.exchange.transport.headers import decode_headers
from directory.models import AccessRule, HealthcareService

DRY_RUN_OVER = 1_000


# A service's rules change once in a while, and every message reads them.
@lru_cache(maxsize=256)
def rules_in(kept: str) -> tuple[Rule, ...]:
    """From the text of HealthcareService.access_rules."""
    return tuple(map(Rule.read, orjson.loads(kept)))


def rules_of(service: HealthcareService) -> tuple[Rule, ...]:
    return tuple(map(Rule.read, service.access_rules))


def services_barred_to(caller: Caller) -> list[UUID]:
    """Keys of services whose rules let the caller in by none. One small query."""
    rules: dict[UUID, list[Rule]] = {}
    for row in AccessRule.objects.filter(in_force=True).order_by():
        rules.setdefault(row.service_id, []).append(_rule(row))
    return [service for service, its in rules.items() if in_the_way(its, caller)]


def _rule(row: AccessRule) -> Rule:
    return Rule(
        organisations=frozenset(row.organisations),
        roles=frozenset(row.roles),
        software=row.software,
        version_from=row.version_from,
        version_to=row.version_to,
    )


@dataclass(frozen=True)
class Refused:
    """Messages of one caller that a rule would have refused; `last_at` is when the latest of them came."""

    caller: Caller
    headers: tuple[str, ...]
    messages: int
    last_at: datetime


@dataclass(frozen=True)
class DryRun:
    """Of the latest DRY_RUN_OVER messages to a service: those that would be refused, by caller, most first.

    `already`: how many the rules that are in force now refuse. `not_judged`: headers that nobody could read.
    """

    looked_at: int
    refused: Sequence[Refused]
    already: int
    not_judged: int

    @property
    def messages(self) -> int:
        return sum(each.messages for each in self.refused)


def dry_run(rule: AccessRule) -> DryRun:
    """What would have become of them with this rule and the others of its service that are in force.

    Reads are not kept with their headers, so only messages are judged.
    """
    others = AccessRule.objects.filter(service=rule.service_id, in_force=True).exclude(pk=rule.pk)
    others_now = [_rule(each) for each in others]
    now = [*others_now, _rule(rule)] if rule.in_force else others_now
    then = [*others_now, _rule(rule)]
    arrived = InboundMessage.objects.filter(service_id=rule.service.service_id).order_by("-received_at")
    came = list(arrived.values_list("headers", "received_at")[:DRY_RUN_OVER])
    callers = [(_caller(headers), at) for headers, at in came]
    known = [(caller, at) for caller, at in callers if caller is not None]
    return DryRun(
        looked_at=len(came),
        refused=list(_refused(known, then)),
        already=sum(bool(in_the_way(now, caller)) for caller, _ in known),
        not_judged=len(callers) - len(known),
    )


def _refused(came: Sequence[tuple[Caller, datetime]], rules: Sequence[Rule]) -> Iterator[Refused]:
    last = dict(reversed(came))
    for caller, messages in Counter(caller for caller, _ in came).most_common():
        if headers := in_the_way(rules, caller):
            yield Refused(caller, tuple(each.value for each in headers), messages, last[caller])


def _caller(headers: Mapping[str, Any]) -> Caller | None:
    try:
        return decode_headers(headers).caller
    except OutcomeError:
        return None
