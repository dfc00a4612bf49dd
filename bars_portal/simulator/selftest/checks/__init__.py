"""What must come back: one small check for each word that a scenario's `expect` may hold."""

from collections.abc import Mapping
from typing import Any

from bars_portal.simulator.selftest.checks import content, forms, outcome, transport
from bars_portal.simulator.selftest.checks.answer import Answer as Answer
from bars_portal.simulator.selftest.checks.answer import Check

CHECKS: Mapping[str, Check] = {
    "status": outcome.status,
    "code": outcome.first_issue("error code", "details.coding[0].code"),
    "issue": outcome.first_issue("issue type", "code"),
    "expression": outcome.expression,
    "outcome": outcome.outcome,
    "echo": transport.echo,
    "type": transport.media_type,
    "sized": transport.sized,
    "headers": transport.headers,
    "has_headers": transport.has_headers,
    "no_headers": transport.no_headers,
    "resource": content.resource,
    "equals": content.equals,
    "holds": content.holds,
    "lacks": content.lacks,
    "once_in_each": content.once_in_each,
    "free_of": content.free_of,
    "present": content.present,
    "absent": content.absent,
    "count": content.count,
    "counted_by": content.counted_by,
    "only": content.only,
    "uuid": forms.uuids,
    "instant": forms.instants,
    "london": forms.london,
    "as_sent": content.as_sent,
    "hides": transport.hides,
    "valid": forms.valid,
    "same_as": forms.same_as,
    "within": transport.within,
}


def judge(answer: Answer, expected: Mapping[str, Any]) -> tuple[str, ...]:
    """What is not as expected, in plain words; nothing when all is well."""
    return tuple(finding for word, wanted in expected.items() for finding in CHECKS[word](answer, wanted))
