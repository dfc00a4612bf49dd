"""What came with a case's ServiceRequest."""

from typing import Any

from bars_portal.exchange.fhir import json
from referrals import mapping
from referrals.models import Case
from referrals.states import Direction


def included_in(case: Case) -> list[list[Any]]:
    """[[fullUrl, resource], ...]. Of a received case that nobody changed since, our stored reply has it."""
    if case.included is None:
        case.included = _answered(case) if case.direction == Direction.RECEIVED else []
    included: list[list[Any]] = case.included
    return included


def _answered(case: Case) -> list[list[Any]]:
    if case.message is None or case.message.reply is None:
        return []
    return mapping.read_back(json.loads(bytes(case.message.reply)), focus_id=case.pk)
