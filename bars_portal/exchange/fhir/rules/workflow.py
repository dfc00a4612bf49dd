"""The workflow table: what event, reason, focus and category say a message is."""

from __future__ import annotations

from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import AppointmentStatus, MessageCategory, MessageEvent, MessageReason
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.reading import as_dict, as_text, codings
from bars_portal.exchange.fhir.rules.model import Facts, Rule, WorkflowRow, Workflows

# Diagnostics name only what is in these lists: an unknown text could be anything.
_STATUSES = frozenset(AppointmentStatus) | {
    *("draft", "active", "on-hold", "revoked", "completed", "unknown"),
    *("planned", "triaged", "in-progress", "onleave", "finished"),
}
_FOCUS_TYPES = frozenset({"Appointment", "ServiceRequest", "Encounter"})


def find_row(bundle: MessageBundle, workflows: Workflows) -> WorkflowRow | None:
    """The row that a message fits; among several, the one whose definition the header names."""
    focus = bundle.focus
    if focus is None:
        return None
    fitting = [row for row in workflows if _fits(row, bundle, focus)]
    return next((row for row in fitting if row.definition == bundle.definition), next(iter(fitting), None))


def _fits(row: WorkflowRow, bundle: MessageBundle, focus: Resource) -> bool:
    return (
        row.event == bundle.event
        and bundle.reason in row.reasons
        and row.focus_type == as_text(focus.get("resourceType"))
        and as_text(focus.get("status")) in row.focus_statuses
        and (not row.categories or not row.categories.isdisjoint(categories(bundle)))
    )


def categories(bundle: MessageBundle) -> frozenset[str]:
    """Codes of ServiceRequest.category of the focus, or of the message's only ServiceRequest."""
    focus = bundle.focus or {}
    requests = [focus] if focus.get("resourceType") == "ServiceRequest" else bundle.of_type("ServiceRequest")
    return frozenset(as_text(c.get("code")) for each in requests[:1] for c in codings(each.get("category")))


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
    if not bundle.focus_url:
        yield Issue(OutcomeCode.REQUIRED, "MessageHeader.focus is missing", (path,))
    else:
        yield Issue(OutcomeCode.INVARIANT, "MessageHeader.focus points at nothing in the Bundle", (path,))


def _combination_known(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    codes_known = MessageEvent.lookup(bundle.event) and MessageReason.lookup(bundle.reason)
    if facts.row is None and bundle.focus is not None and codes_known:
        header, focus = bundle.path_of(bundle.header), bundle.path_of(bundle.focus)
        paths = (f"{header}.eventCoding", f"{header}.reason", f"{focus}.status")
        words = f"This combination is not a message that is taken here: {describe(bundle)}"
        yield Issue(OutcomeCode.INVARIANT, words, paths)


def describe(bundle: MessageBundle) -> str:
    """The workflow variables in words, naming known codes only."""
    focus = bundle.focus or {}
    kind = as_text(focus.get("resourceType"))
    status = as_text(focus.get("status"))
    known = sorted(code for code in categories(bundle) if MessageCategory.lookup(code))
    return (
        f"event {MessageEvent.lookup(bundle.event) or 'unknown'}, "
        f"reason {MessageReason.lookup(bundle.reason) or 'unknown'}, "
        f"category {' '.join(known) or 'none'}, "
        f"focus {kind if kind in _FOCUS_TYPES else 'of another type'} "
        f"with status {status if status in _STATUSES else 'unknown'}"
    )


RULES = (
    Rule("event-known", "6", "The event is one of message-events-bars.", _event_known),
    Rule("reason-known", "6", "The reason is one of message-reason-bars.", _reason_known),
    Rule("focus-resolves", "6", "The focus is a resource of the Bundle.", _focus_resolves),
    Rule("workflow", "6", "Event, reason, category and focus are a row of our table.", _combination_known),
)
