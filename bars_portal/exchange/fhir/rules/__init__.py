"""What a message must satisfy, as data, one module a theme; and the judge, who tells decisive faults first.

Standard section 6.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.outcomes import Issue
from bars_portal.exchange.fhir.rules import case, contents, destination, envelope, workflow
from bars_portal.exchange.fhir.rules.model import Condition as Condition
from bars_portal.exchange.fhir.rules.model import Facts as Facts
from bars_portal.exchange.fhir.rules.model import FindService as FindService
from bars_portal.exchange.fhir.rules.model import HostedService as HostedService
from bars_portal.exchange.fhir.rules.model import Part as Part
from bars_portal.exchange.fhir.rules.model import Rule as Rule
from bars_portal.exchange.fhir.rules.model import Severity as Severity
from bars_portal.exchange.fhir.rules.model import Verdict as Verdict
from bars_portal.exchange.fhir.rules.model import WorkflowRow as WorkflowRow
from bars_portal.exchange.fhir.rules.model import Workflows as Workflows
from bars_portal.exchange.fhir.rules.model import scan
from bars_portal.exchange.fhir.rules.workflow import misfits as misfits

# The order decides which fault a sender is told first: is it a message, of a version that we speak, of a
# kind that we take, for a service of ours; then what it holds.
_RULES: tuple[Rule, ...] = (
    *envelope.RULES,
    *workflow.RULES,
    *destination.RULES,
    *envelope.RULES_ON_CONTENTS,
    *contents.RULES,
    *case.RULES,
    *contents.RULES_ON_SYSTEMS,
)


# Nobody reads more of one kind, and a hostile message shall not fill the table of messages with warnings.
_MOST_PER_RULE = 100


def all_rules() -> tuple[Rule, ...]:
    """Every rule in the order in which faults decide."""
    return _RULES


def judge(
    bundle: MessageBundle,
    *,
    find_service: FindService,
    workflows: Workflows,
    target: ServiceID | None = None,
) -> Verdict:
    """Judge a message whose structure is sound; finds all issues and never raises on odd input.

    `find_service` looks up a service that we host; `workflows` are the message types that we take; `target`
    is the service of NHSD-Target-Identifier, to which a response has come that keeps its request's
    destination (standard section 12, "Responses to us").
    """
    row, named = workflow.find_row(bundle, workflows), bundle.destination
    service = find_service(target) if target is not None and row is not None and row.answers else None
    if service is None and named is not None:
        service = find_service(named)
    facts = Facts(row=row, service=service, elements=scan(bundle))
    found = [
        _named(issue, rule) for rule in _RULES for issue in islice(rule.check(bundle, facts), _MOST_PER_RULE)
    ]
    return Verdict(
        issues=tuple(issue for issue in found if not issue.warning),
        warnings=tuple(issue for issue in found if issue.warning),
        row=facts.row,
        service=service,
    )


def _named(issue: Issue, rule: Rule) -> Issue:
    return replace(issue, rule=rule.id)
