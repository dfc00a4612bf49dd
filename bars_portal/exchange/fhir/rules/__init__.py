"""What a message must satisfy, as data; one module a theme (standard section 6)."""

from __future__ import annotations

from bars_portal.exchange.fhir.rules.judging import all_rules, judge
from bars_portal.exchange.fhir.rules.model import Condition as Condition
from bars_portal.exchange.fhir.rules.model import (
    Facts,
    FindService,
    HostedService,
    Rule,
    Severity,
    Verdict,
    WorkflowRow,
    Workflows,
)
from bars_portal.exchange.fhir.rules.model import Part as Part

__all__ = [
    "Condition",
    "Facts",
    "FindService",
    "HostedService",
    "Part",
    "Rule",
    "Severity",
    "Verdict",
    "WorkflowRow",
    "Workflows",
    "all_rules",
    "judge",
]
