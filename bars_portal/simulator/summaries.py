"""A request in a few words: what the message says it is. Never whom it is about."""

from typing import Any

from bars_portal.simulator.reading import NotReadable, read_bundle
from bars_portal.simulator.wire import Request

LONGEST_CODE = 40


def summarise(request: Request) -> str:
    """Event, reason and focus of a message, such as "booking-request new: Appointment booked"; else empty."""
    if not request.body or "process-message" not in request.raw_path:
        return ""
    try:
        bundle = read_bundle(request)
    except NotReadable:
        return "not readable"
    return _described(bundle)


def _described(bundle: dict[str, Any]) -> str:
    entries = _dicts(bundle.get("entry"))
    header = next((each for each in _resources(entries) if each.get("resourceType") == "MessageHeader"), {})
    event, reason = _code(header.get("eventCoding")), _code(_first(_dict(header.get("reason")).get("coding")))
    words = f"{event} {reason}".strip() or "no message header"
    focus = _focus(header, entries)
    return f"{words}: {_word(focus.get('resourceType'))} {_word(focus.get('status'))}".rstrip(" :")


def _focus(header: dict[str, Any], entries: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = _dict(_first(header.get("focus"))).get("reference")
    return next((_dict(each.get("resource")) for each in entries if each.get("fullUrl") == wanted), {})


def _resources(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [_dict(each.get("resource")) for each in entries]


def _code(coding: object) -> str:
    return _word(_dict(coding).get("code"))


def _word(value: object) -> str:
    """A code as it may be shown; anything else is left out."""
    text = value if isinstance(value, str) else ""
    return text if len(text) <= LONGEST_CODE and text.replace("-", "").isalpha() else ""


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
