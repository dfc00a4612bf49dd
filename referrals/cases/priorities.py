"""How urgent a case is: codes in words, in order, and compared."""

from collections.abc import Mapping
from enum import StrEnum

from bars_portal.exchange.fhir.codes import ARPPriority

_ARP = ARPPriority
# Codes of arp-priority-codes and of ServiceRequest.priority: 1 is the most urgent.
URGENCY: Mapping[str, int] = {
    **dict.fromkeys((_ARP.C1.value, _ARP.HCP1.value, _ARP.IFT1.value, "stat"), 1),
    **dict.fromkeys((_ARP.C2.value, _ARP.HCP2.value, _ARP.IFT2.value, "asap"), 2),
    **dict.fromkeys((_ARP.C3.value, _ARP.HCP3.value, _ARP.IFT3.value, "urgent"), 3),
    **dict.fromkeys((_ARP.C4.value, _ARP.C4T.value, _ARP.HCP4.value, _ARP.HCP4T.value, _ARP.IFT4.value), 4),
    **dict.fromkeys((_ARP.C5.value, "routine"), 5),
}
NOT_STATED = 9


class CategoryChange(StrEnum):
    """What a validation did to the category."""

    RAISED = "raised"
    SAME = "same"
    LOWERED = "lowered"
    NOT_STATED = "not-stated"

    @property
    def label(self) -> str:
        return self.value.replace("-", " ").capitalize()


def urgency(code: str) -> int:
    """NOT_STATED for a code that nobody knows."""
    return URGENCY.get(code, NOT_STATED)


def compare(before: str, after: str) -> CategoryChange:
    """The two priorities, of the request and of its outcome."""
    asked, found = urgency(before), urgency(after)
    if NOT_STATED in (asked, found):
        return CategoryChange.NOT_STATED
    if found == asked:
        return CategoryChange.SAME
    return CategoryChange.RAISED if found < asked else CategoryChange.LOWERED


PRIORITIES: Mapping[str, str] = {
    _ARP.C1: "Category 1: life-threatening",
    _ARP.C2: "Category 2: emergency",
    _ARP.C3: "Category 3: urgent",
    _ARP.C4: "Category 4: less urgent",
    _ARP.C4T: "Category 4: less urgent, transport",
    _ARP.C5: "Category 5: no ambulance",
    _ARP.HCP1: "Health professional, level 1: life-threatening",
    _ARP.HCP2: "Health professional, level 2: emergency",
    _ARP.HCP3: "Health professional, level 3: urgent",
    _ARP.HCP4: "Health professional, level 4: less urgent",
    _ARP.HCP4T: "Health professional, level 4: less urgent, transport",
    _ARP.IFT1: "Between hospitals, level 1: life-threatening",
    _ARP.IFT2: "Between hospitals, level 2: emergency",
    _ARP.IFT3: "Between hospitals, level 3: urgent",
    _ARP.IFT4: "Between hospitals, level 4: less urgent",
    "stat": "Immediate",
    "asap": "As soon as possible",
    "urgent": "Urgent",
    "routine": "Routine",
}

_NOTHING_STATED = "Not stated"


def priority_words(code: str) -> str:
    """A code that nobody knows is left to staff."""
    return PRIORITIES.get(code, "Other priority") if code else _NOTHING_STATED
