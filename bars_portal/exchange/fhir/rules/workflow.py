"""What event, reason, focus and category say a message is, and the states that it must have."""

from __future__ import annotations

from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import (
    AppointmentStatus,
    EncounterStatus,
    MessageCategory,
    MessageEvent,
    MessageReason,
    ServiceRequestStatus,
)
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.json import as_dict, as_text, codings, dicts
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.rules.case import (
    category_codes,
    request_of,
    requester_encounter,
    responder_encounters,
    use_cases_of,
)
from bars_portal.exchange.fhir.rules.model import (
    Condition,
    Facts,
    Part,
    Rule,
    Severity,
    WorkflowRow,
    Workflows,
)

# Diagnostics name only what is in these lists: an unknown text could be anything.
_STATUSES: frozenset[str] = frozenset(
    (*AppointmentStatus, *ServiceRequestStatus, *EncounterStatus),
)
_FOCUS_TYPES = frozenset({"Appointment", "ServiceRequest", "Encounter"})


def find_row(bundle: MessageBundle, workflows: Workflows) -> WorkflowRow | None:
    """The row that a message fits; among several, what decides, then whose definition the header names."""
    focus = bundle.focus
    if focus is None:
        return None
    focus_type, step = as_text(focus.get("resourceType")), _step(bundle)
    found, used = category_codes(request_of(bundle)), use_cases_of(bundle)
    fitting = [
        row
        for row in workflows
        if bundle.event == row.event
        and _takes_step(row, focus_type, step)
        and (not row.categories or not row.categories.isdisjoint(found))
        # An unknown use case has a rule of its own.
        and (not row.use_cases or not used or not row.use_cases.isdisjoint(used))
    ]
    return max(fitting, key=lambda row: _rank(bundle, row)) if fitting else None


def _step(bundle: MessageBundle) -> tuple[str, str]:
    """The reason, and the status of the focus."""
    return bundle.reason, as_text((bundle.focus or {}).get("status"))


def _takes_step(row: WorkflowRow, focus_type: str, step: tuple[str, str]) -> bool:
    if focus_type != row.focus_type:
        return focus_type == "Encounter" and step[0] in row.reasons and step[1] in row.by_encounter
    if row.pairs:
        return step in row.pairs
    return step[0] in row.reasons and step[1] in row.focus_statuses


def _rank(bundle: MessageBundle, row: WorkflowRow) -> tuple[bool, bool]:
    decisive = (each for each in row.conditions if each.decides and _is_asked(bundle, each))
    decided = all(meets(bundle, condition) for condition in decisive)
    return decided, bundle.definition in row.definitions


def _event_known(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    coding = as_dict(bundle.header.get("eventCoding"))
    system = as_text(coding.get("system"))
    known = MessageEvent.lookup(bundle.event)
    if bundle.header and (known is None or (system and not same_system(system, known.system))):
        words = "MessageHeader.eventCoding is not an event of message-events-bars"
        yield Issue(OutcomeCode.INVARIANT, words, (f"{bundle.path_of(bundle.header)}.eventCoding",))


def _reason_known(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    if bundle.header and MessageReason.lookup(bundle.reason) is None:
        words = "MessageHeader.reason is not a reason of message-reason-bars"
        yield Issue(OutcomeCode.INVARIANT, words, (f"{bundle.path_of(bundle.header)}.reason",))


def _focus_resolves(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    if not bundle.header or bundle.focus is not None:
        return
    path = f"{bundle.path_of(bundle.header)}.focus"
    if not bundle.header.get("focus"):
        yield Issue(OutcomeCode.REQUIRED, "MessageHeader.focus is missing", (path,))
    elif not bundle.focus_url:
        words = "MessageHeader.focus has no reference, so it points at nothing in the Bundle"
        yield Issue(OutcomeCode.VALUE, words, (path,))
    else:
        yield Issue(OutcomeCode.INVARIANT, "MessageHeader.focus points at nothing in the Bundle", (path,))


def _combination_known(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    codes_known = MessageEvent.lookup(bundle.event) and MessageReason.lookup(bundle.reason)
    if facts.row is None and bundle.focus is not None and codes_known:
        words = f"This combination is not a message that is taken here: {describe(bundle)}"
        yield Issue(OutcomeCode.INVARIANT, words, _variables(bundle, bundle.focus))


def _variables(bundle: MessageBundle, focus: Resource) -> tuple[str, ...]:
    header, request = bundle.path_of(bundle.header), request_of(bundle)
    paths = (f"{header}.eventCoding", f"{header}.reason", f"{bundle.path_of(focus)}.status")
    return paths if request is None else (*paths, f"{bundle.path_of(request)}.category")


def misfits(bundle: MessageBundle, workflows: Workflows) -> tuple[str, ...]:
    """Where the variables stand that keep a message from being one of those that it is most like."""
    # Whether it answers another message is no matter of one code.
    alike = [row for row in workflows if row.answers == bool(bundle.header.get("response"))]
    missed = [_missed(bundle, row) for row in alike]
    fewest = min(map(len, missed), default=0)
    header, focus, request = bundle.path_of(bundle.header), bundle.focus or {}, request_of(bundle)
    places = {
        "event": f"{header}.eventCoding",
        "reason": f"{header}.reason",
        "focus": f"{header}.focus",
        "status": f"{bundle.path_of(focus)}.status",
        "category": f"{bundle.path_of(request)}.category" if request is not None else "",
    }
    odd = frozenset[str]().union(*(each for each in missed if len(each) == fewest))
    return tuple(place for name, place in places.items() if name in odd and place)


def _missed(bundle: MessageBundle, row: WorkflowRow) -> frozenset[str]:
    """Which variables are not those of a row. The status of another focus says nothing of its own."""
    focus, (reason, status) = bundle.focus or {}, _step(bundle)
    found, used = category_codes(request_of(bundle)), use_cases_of(bundle)
    kind = as_text(focus.get("resourceType"))
    by_encounter = kind == "Encounter" != row.focus_type and bool(row.by_encounter)
    statuses = row.by_encounter if by_encounter else row.focus_statuses
    reasons = row.reasons
    if row.pairs and not by_encounter:
        reasons = frozenset(one for one, _ in row.pairs)
        statuses = frozenset(state for one, state in row.pairs if one == reason or reason not in reasons)
    is_other = kind != row.focus_type and not by_encounter
    odd = {
        "event": bundle.event != row.event,
        "reason": reason not in reasons,
        "focus": is_other,
        "status": is_other or status not in statuses,
        "category": bool(row.categories and row.categories.isdisjoint(found))
        or bool(row.use_cases and used and row.use_cases.isdisjoint(used)),
    }
    return frozenset(name for name, is_odd in odd.items() if is_odd)


def describe(bundle: MessageBundle) -> str:
    """The workflow variables in words, naming known codes only."""
    focus = bundle.focus or {}
    kind = as_text(focus.get("resourceType"))
    status = as_text(focus.get("status"))
    known = sorted(code for code in category_codes(request_of(bundle)) if MessageCategory.lookup(code))
    return (
        f"event {MessageEvent.lookup(bundle.event) or 'unknown'}, "
        f"reason {MessageReason.lookup(bundle.reason) or 'unknown'}, "
        f"category {' '.join(known) or 'none'}, "
        f"use case {' '.join(sorted(use_cases_of(bundle))) or 'none that is known'}, "
        f"focus {kind if kind in _FOCUS_TYPES else 'of another type'} "
        f"with status {status if status in _STATUSES else 'unknown'}"
    )


def _cancel_is_an_update(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    """Only a warning: the official example of a cancelled booking says new."""
    if facts.row is not None and facts.row.is_stripped and bundle.reason == MessageReason.NEW:
        words = "MessageHeader.reason is new in a message that takes something back, where update is meant"
        path = (f"{bundle.path_of(bundle.header)}.reason",)
        yield Issue(OutcomeCode.INVARIANT, words, path, warning=True)


# -- the states of the resources around the focus


def meets(bundle: MessageBundle, condition: Condition) -> bool:
    """Whether some resource that is meant has the status; what else is asked does not tell rows apart."""
    return any(as_text(each.get("status")) in condition.statuses for each in _meant(bundle, condition))


def _meant(bundle: MessageBundle, condition: Condition) -> list[Resource]:
    """The resources that a condition may be about; an unnamed requester's Encounter may be any."""
    if condition.part is Part.RESPONDER:
        return responder_encounters(bundle)
    if condition.part is Part.REQUESTER and (encounter := requester_encounter(bundle)) is not None:
        return [encounter]
    if condition.resource_type == "ServiceRequest":
        return [request for request in (request_of(bundle),) if request is not None]
    return bundle.of_type(condition.resource_type)


def _states(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    if facts.row is None:
        return
    for condition in facts.row.conditions:
        if _is_asked(bundle, condition):
            yield from _judge(bundle, condition)


def _is_asked(bundle: MessageBundle, condition: Condition) -> bool:
    """Whether the condition is for this use case, and for a focus in this state."""
    of_use_case = not condition.use_cases or not condition.use_cases.isdisjoint(use_cases_of(bundle))
    focus = as_text((bundle.focus or {}).get("status"))
    return of_use_case and (not condition.when_focus or focus in condition.when_focus)


def _judge(bundle: MessageBundle, condition: Condition) -> Iterator[Issue]:
    meant = _meant(bundle, condition)
    fitting = [each for each in meant if as_text(each.get("status")) in condition.statuses]
    if not meant:
        # The counts ask for most resources anyway, and say so better.
        if condition.required:
            yield _missing(condition)
    elif not fitting:
        yield _wrong_status(bundle, condition, meant[0])
    else:
        yield from _details(bundle, condition, fitting[0])


def _missing(condition: Condition) -> Issue:
    words = f"This message needs {_article(condition)} with status {_wanted(condition)}"
    return Issue(OutcomeCode.INVARIANT, words, (f"Bundle.entry.resource.ofType({condition.resource_type})",))


def _wrong_status(bundle: MessageBundle, condition: Condition, resource: Resource) -> Issue:
    words = (
        "This combination is not a message that is taken here: "
        f"{condition.resource_type}.status is not {_wanted(condition)}"
    )
    return Issue(OutcomeCode.INVARIANT, words, (f"{bundle.path_of(resource)}.status",))


def _details(bundle: MessageBundle, condition: Condition, resource: Resource) -> Iterator[Issue]:
    path, kind = bundle.path_of(resource), condition.resource_type
    if condition.class_code and as_dict(resource.get("class")).get("code") != condition.class_code:
        words = f"{kind}.class is not {condition.class_code}, which this use case asks for"
        yield Issue(OutcomeCode.INVARIANT, words, (f"{path}.class",))
    if condition.needs_reason and not _has_reason(resource):
        told = "has neither code nor text" if resource.get("reasonCode") else "is missing"
        words = f"{kind}.reasonCode {told}: a rejection says why"
        yield Issue(OutcomeCode.INVARIANT, words, (f"{path}.reasonCode",))


def _has_reason(encounter: Resource) -> bool:
    reasons = encounter.get("reasonCode")
    coded = any(as_text(each.get("code")) for each in codings(reasons))
    return coded or any(as_text(each.get("text")).strip() for each in dicts(reasons))


def _wanted(condition: Condition) -> str:
    return " or ".join(sorted(str(status) for status in condition.statuses))


def _article(condition: Condition) -> str:
    return f"{'an' if condition.resource_type[0] in 'AEIOU' else 'a'} {condition.resource_type}"


RULES = (
    Rule("event-known", "6", "The event is one of message-events-bars.", _event_known),
    Rule("reason-known", "6", "The reason is one of message-reason-bars.", _reason_known),
    Rule("focus-resolves", "6", "The focus is a resource of the Bundle.", _focus_resolves),
    Rule(
        "workflow",
        "6",
        "Event, reason, category, use case and status of the focus are a row of our table.",
        _combination_known,
    ),
    Rule(
        "cancel-reason",
        "6",
        "What takes something back should have reason update.",
        _cancel_is_an_update,
        Severity.WARNING,
    ),
    Rule(
        "workflow-states",
        "6",
        "CarePlan, Encounter, Appointment and ServiceRequest are in the states that the row asks for: a new "
        "referral is assessed (Application 6: still open, and an emergency), a validation is still open, a "
        "rejection says why, who did not attend has an Appointment with status noshow.",
        _states,
    ),
)
