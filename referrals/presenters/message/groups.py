"""The groups of the page in their order, and where silence must be named."""

from collections.abc import Sequence

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import MessageEvent
from referrals.presenters.message.message import Placed
from referrals.presenters.message.model import Group, Item

OTHER = "other"
_TITLES = {
    "request": "What is asked",
    "assessment": "Assessment",
    "plan": "Plan",
    "treatment": "Treatment given and notes on the way",
    "appointment": "Appointment",
    "medication": "Medication",
    "allergies": "Allergies",
    "observations": "Observations",
    "questionnaires": "Questionnaires",
    "sources": "Additional sources",
    "rejected": "Rejected services",
    "people": "People and organisations",
    "places": "Places",
    "consent": "Consent",
    "message": "Journey and message",
    OTHER: "Other information received",
}
# In a request that stands it matters that nothing was said of these; none known would have been said.
_MATTERS = {
    "assessment": "Not stated: the sender gave no assessment.",
    "medication": "Not stated: the sender neither listed medication nor said that there is none.",
    "allergies": "Not stated: the sender neither listed allergies nor said that none are known.",
    "observations": "Not stated: the sender gave no observations.",
    "consent": "Not stated: the sender gave no consent.",
}


def grouped(bundle: MessageBundle, placed: Sequence[Placed], others: Sequence[Item]) -> tuple[Group, ...]:
    """Groups that hold something, and those whose silence matters."""
    found: dict[str, list[Item]] = {key: [] for key in _TITLES}
    for key, item in placed:
        found[key].append(item)
    found[OTHER] += others
    named = _MATTERS if asks_for_care(bundle) else {}
    return tuple(
        Group(key, _TITLES[key], tuple(items), named.get(key, "Not stated"))
        for key, items in found.items()
        if items or key in named
    )


def asks_for_care(bundle: MessageBundle) -> bool:
    """A new or updated request that stands: what is taken back or answered is stripped by right."""
    status = (bundle.focus or {}).get("status")
    return bundle.event == MessageEvent.SERVICEREQUEST_REQUEST and status in ("active", "on-hold")
