"""Comparing what was sent with what comes back, to the last digit."""

from typing import Any

from bars_portal.exchange.fhir.json import decimal_text


def exact(value: Any) -> Any:
    """The same with numbers as the texts that they are on the wire: 1.50 and 1.5 differ."""
    if isinstance(value, dict):
        return {name: exact(each) for name, each in value.items()}
    if isinstance(value, list):
        return [exact(each) for each in value]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return ("number", decimal_text(value)) if is_number else value
