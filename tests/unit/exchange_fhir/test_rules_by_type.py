"""Every rule broken once for every message type that it applies to: status, codes and FHIRPath."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.outcomes import OutcomeCode, operation_outcome
from bars_portal.exchange.fhir.profiles import DEFINITIONS
from bars_portal.exchange.fhir.rules import HostedService, Severity, all_rules, judge, table
from tests.rows import each_row

from .breaches import BREACHES, MISSHAPEN
from .breaches_states import CATEGORY_BREACHES, STATE_BREACHES
from .changes import ANSWERS, BOOKINGS, CANCELS, EVERY, more, paths_in, without
from .factory import Change, Json, ref
from .lapses import LAPSES
from .samples import HUB, SAMPLES, having, judged, place

C = OutcomeCode
ALL = [*BREACHES, *(breach for breach, *_ in MISSHAPEN), *STATE_BREACHES, *CATEGORY_BREACHES]


def by_type(rules: list[Any]) -> Iterator[tuple[Any, ...]]:
    """A row for each type that its rule applies to."""
    for rule, keys, *rest in rules:
        for key in sorted(keys):
            yield rule, key, *rest


def named(rule: str, key: str, *rest: Any) -> str:
    """By its path too: some rules are broken in several ways."""
    return f"{rule}-{key}-{rest[-1]}"


@each_row(by_type(ALL), named)
def test_the_broken_rule_decides(rule: str, key: str, change: Change, code: OutcomeCode, path: str) -> None:
    raw = SAMPLES[key]()
    change(raw)
    verdict = judged(raw)
    decisive = verdict.issues[0]
    assert (decisive.rule, decisive.code) == (rule, code)
    assert decisive.expression[0] == paths_in(raw, path)
    outcome = operation_outcome(verdict.issues, outcome_id="6f1c0d0e-0000-4000-8000-000000000001")
    first = outcome["issue"][0]
    assert (first["severity"], first["code"]) == ("error", code.issue)
    assert first["details"]["coding"][0]["code"] == code.code
    assert "SECRET" not in str((verdict.issues, verdict.warnings))


@pytest.mark.parametrize("key", SAMPLES)
def test_a_use_case_that_the_service_does_not_accept(key: str) -> None:
    """A reply is of a use case that its responder takes: who asked need not take such requests."""
    picky = HostedService(ServiceID("2000099001"), "RR8", frozenset({"a2t4"}))
    raw = SAMPLES[key]()
    if key in ANSWERS:
        assert judged(raw, picky).issues == ()
        return
    (issue,) = judged(raw, picky).issues
    carrier = "Appointment.serviceCategory" if key in BOOKINGS else "ServiceRequest.category"
    kind, _, element = carrier.partition(".")
    assert (issue.rule, issue.code) == ("use-case", C.INVARIANT)
    assert issue.expression == (f"{place(raw, kind)}.{element}",)


@pytest.mark.parametrize("key", SAMPLES)
def test_an_address_for_replies_takes_replies_only(key: str) -> None:
    reply_address = HostedService(ServiceID("2000099001"), "RR8", frozenset())
    found = [issue.rule for issue in judged(SAMPLES[key](), reply_address).issues]
    assert found == ([] if key in ANSWERS else ["use-case"])


@pytest.mark.parametrize("key", SAMPLES)
def test_a_response_that_keeps_its_requests_destination_is_for_the_target_header(key: str) -> None:
    """Standard section 12, "Responses to us"; whatever is no response is for its destination."""
    theirs = HostedService(ServiceID("2000011147"), "RR9", HUB.accepted_use_cases)
    hosted = {each.service_id: each for each in (HUB, theirs)}
    message = MessageBundle(SAMPLES[key]())

    def for_whom(target: ServiceID | None, *known: HostedService) -> tuple[HostedService | None, list[str]]:
        find = {each.service_id: each for each in known}.get
        verdict = judge(message, find_service=find, workflows=table.ROWS, target=target)
        return verdict.service, [issue.rule for issue in verdict.issues]

    assert for_whom(theirs.service_id, *hosted.values()) == (theirs if key in ANSWERS else HUB, [])
    assert for_whom(None, *hosted.values()) == (HUB, [])
    assert for_whom(theirs.service_id, HUB) == (HUB, [])
    only_theirs = for_whom(theirs.service_id, theirs)
    assert only_theirs == ((theirs, []) if key in ANSWERS else (None, ["destination-hosted"]))
    assert for_whom(None, theirs) == (None, ["destination-hosted"])


def counted() -> Iterator[tuple[str, str, int, Callable[[Json, str, int], None]]]:
    """Every type of every definition, one too few and one too many."""
    for key in sorted(EVERY):
        row = table.row(key)
        for kind, (low, high) in DEFINITIONS[row.definition].limits.items():
            # What the header or the workflow needs is missed by their own rules, and first.
            decides = any(each.decides and each.resource_type == kind for each in row.conditions)
            spoken_for = decides or kind in ("MessageHeader", "ServiceRequest", row.focus_type)
            have = sum(each["resource"]["resourceType"] == kind for each in SAMPLES[key]()["entry"])
            if low and not spoken_for and (kind != "Organization" or low > 1):
                yield key, kind, have - low + 1, without
            if high is not None and kind != "MessageHeader":
                # Two Encounters are normal in an update.
                spare = kind == "Encounter" and high == 1 and "update" in row.reasons
                yield key, kind, high - have + 1 + spare, more


@each_row(counted(), lambda key, kind, _number, change: f"{key}-{kind}-{change.__name__}")
def test_counts_are_those_of_the_definition(
    key: str, kind: str, number: int, change: Callable[[Json, str, int], None]
) -> None:
    raw = SAMPLES[key]()
    change(raw, kind, number)
    decisive = judged(raw).issues[0]
    assert (decisive.rule, decisive.code) == ("counts", C.INVARIANT)
    assert decisive.expression == (f"Bundle.entry.resource.ofType({kind})",)


@each_row(by_type([*LAPSES]), named)
def test_a_lapse_is_only_a_warning(rule: str, key: str, change: Change, path: str) -> None:
    raw = SAMPLES[key]()
    change(raw)
    verdict = judged(raw)
    assert verdict.issues == ()
    assert verdict.row == table.row(key)
    assert (rule, (paths_in(raw, path),)) in [(each.rule, each.expression) for each in verdict.warnings]
    assert "SECRET" not in str(verdict.warnings)


@pytest.mark.parametrize("key", sorted(CANCELS))
def test_a_cancel_may_point_at_what_it_left_out(key: str) -> None:
    raw = SAMPLES[key]()
    having("Patient", "managingOrganization", ref(77))(raw)
    assert judged(raw).issues == ()


@pytest.mark.parametrize("key", sorted(CANCELS - BOOKINGS))
def test_what_is_taken_back_need_not_say_by_when_it_was_to_be_done(key: str) -> None:
    raw = SAMPLES[key]()
    having("ServiceRequest", "occurrencePeriod", None)(raw)
    assert judged(raw).issues == ()


def test_what_a_rule_finds_is_as_severe_as_it_says() -> None:
    severity = {rule.id: rule.severity for rule in all_rules()}
    assert [rule for rule, *_ in ALL if severity[rule] is Severity.WARNING] == []
    assert [rule for rule, *_ in LAPSES if severity[rule] is Severity.REFUSED] == []
