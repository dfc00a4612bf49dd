"""What a row demands of a message beyond its sentinel. Source: standard.md section 6, Application 6."""

from collections.abc import Callable, Mapping

from bars_portal.simulator.tkw.messages import USE_CASES, Message, codes
from bars_portal.simulator.tkw.outcomes import ReceiverError, Rejected

OUT_OF_AREA = frozenset({"a6t1", "a6t2", "a6t3"})
ENCOUNTERS = frozenset({"triaged", "in-progress", "finished"})


def check(name: str, message: Message) -> None:
    """Applies the check of that name; "" is none. Raises Rejected."""
    if name:
        _CHECKS[name](message)


def _application_6(message: Message) -> None:
    plans = {each.get("status") for each in message.all("CarePlan")}
    fulfilled = (
        codes(message.focus.get("category"), USE_CASES) & OUT_OF_AREA
        and plans == {"active"}
        and any(_is_emergency(each) for each in message.all("Encounter"))
    )
    if not fulfilled:
        raise Rejected(ReceiverError.NOT_OUT_OF_AREA)


def _is_emergency(encounter: dict[str, object]) -> bool:
    kind = encounter.get("class")
    return isinstance(kind, dict) and kind.get("code") == "EMER" and encounter.get("status") in ENCOUNTERS


_CHECKS: Mapping[str, Callable[[Message], None]] = {"application-6": _application_6}
