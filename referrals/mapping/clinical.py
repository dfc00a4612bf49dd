"""Warnings, priority and outcome codes of a message: an index for worklists, never the record."""

from collections.abc import Iterator
from datetime import datetime

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import ARPPriority, FlagCategory, SceneSafety
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.reading import as_dict, as_text, codings, dicts
from referrals.mapping.reading import CODE, instant

# Flags that are over; one without a status counts, for a warning must not be lost to a slip.
_OVER = frozenset({"inactive", "entered-in-error"})
# safeguarding-codes-bars: said to be looked into, and nothing found.
_NO_CONCERN = "861931000000100"
_ARP_SYSTEM = ARPPriority.C1.system


def flag_categories(bundle: MessageBundle) -> tuple[str, ...]:
    """Codes of Flag.category of the active flags, sorted."""
    codes = {code for flag in _active_flags(bundle) for code in _codes(flag, "category")}
    return tuple(sorted(code[:CODE] for code in codes))


def has_safeguarding(bundle: MessageBundle) -> bool:
    """An active safeguarding flag that does not say "none identified"."""
    flags = _flags_of(bundle, FlagCategory.SAFEGUARDING)
    return any(_NO_CONCERN not in _codes(flag, "code") for flag in flags)


def scene_is_unsafe(bundle: MessageBundle) -> bool:
    """A scene safety flag that does not say "safe": unknown, and words alone, count as not safe."""
    flags = _flags_of(bundle, FlagCategory.SCENE_SAFETY)
    return any(SceneSafety.SAFE.value not in _codes(flag, "code") for flag in flags)


def priority_of(bundle: MessageBundle, request: Resource) -> str:
    """The ambulance response priority of the plan, else ServiceRequest.priority."""
    found = (
        as_text(coding.get("code"))
        for coding in _outcome_codings(bundle)
        if same_system(as_text(coding.get("system")), _ARP_SYSTEM)
    )
    return next(found, as_text(request.get("priority")))[:CODE]


def outcomes_of(bundle: MessageBundle) -> list[dict[str, str]]:
    """CarePlan.activity.outcomeCodeableConcept: every code, and words that have none."""
    listed: list[dict[str, str]] = []
    for concept in outcome_concepts(bundle):
        text = as_text(concept.get("text"))
        named = [
            {name: as_text(coding.get(name)) for name in ("system", "code", "display")} | {"text": text}
            for coding in dicts(concept.get("coding"))
        ]
        listed += named or ([{"system": "", "code": "", "display": "", "text": text}] if text else [])
    return listed


def plan_of(bundle: MessageBundle) -> Resource | None:
    return next(iter(bundle.of_type("CarePlan")), None)


def clock_start(bundle: MessageBundle) -> datetime | None:
    """CarePlan.period.start (standard section 9, workflow 4)."""
    return instant(as_dict((plan_of(bundle) or {}).get("period")).get("start"))


def _active_flags(bundle: MessageBundle) -> Iterator[Resource]:
    return (flag for flag in bundle.of_type("Flag") if as_text(flag.get("status")) not in _OVER)


def _flags_of(bundle: MessageBundle, category: FlagCategory) -> Iterator[Resource]:
    return (flag for flag in _active_flags(bundle) if category.value in _codes(flag, "category"))


def _codes(flag: Resource, member: str) -> frozenset[str]:
    return frozenset(as_text(each.get("code")) for each in codings(flag.get(member))) - {""}


def outcome_concepts(bundle: MessageBundle) -> Iterator[Resource]:
    """Every CarePlan.activity.outcomeCodeableConcept."""
    for plan in bundle.of_type("CarePlan"):
        for activity in dicts(plan.get("activity")):
            yield from dicts(activity.get("outcomeCodeableConcept"))


def _outcome_codings(bundle: MessageBundle) -> Iterator[Resource]:
    return (coding for concept in outcome_concepts(bundle) for coding in dicts(concept.get("coding")))
