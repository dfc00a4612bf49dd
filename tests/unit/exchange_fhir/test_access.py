"""Who may use a service: what a rule asks for, and what is said of the rule that comes nearest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.access import (
    AccessRule,
    Caller,
    Header,
    check_access,
    in_the_way,
    is_between,
    version_numbers,
)
from bars_portal.exchange.fhir.outcomes import OutcomeError

ORGANISATION, PRACTITIONER, SOFTWARE = Header
CALLER = Caller("RX111", "62247001", "Triage Plus", "2.10.1")
SILENT = Caller()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("2", (2,)),
        ("v2.10.0-beta", (2, 10)),
        (" 2024.1 ", (2024, 1)),
        ("0.0", (0,)),
        ("1.2.3+build.9", (1, 2, 3)),
        ("", None),
        ("beta 2", None),
        ("\u0662.1", None),
    ],
)
def test_the_numbers_of_a_version(text: str, numbers: tuple[int, ...] | None) -> None:
    assert version_numbers(text) == numbers


@pytest.mark.parametrize(
    ("version", "least", "most", "is_in"),
    [
        ("2.10", "2.9", "", True),
        ("2.9", "2.10", "", False),
        ("2.0.0", "2", "2", True),
        ("2.0.1", "2", "2", False),
        ("3", "", "3", True),
        ("3.0.1", "", "3", False),
        ("", "1", "", False),
        ("nightly", "", "9", False),
        ("nightly", "", "", True),
    ],
)
def test_versions_in_a_range(version: str, least: str, most: str, is_in: bool) -> None:
    assert is_between(version, least, most) is is_in


@given(st.lists(st.integers(0, 999), min_size=1, max_size=4), st.lists(st.integers(0, 999), max_size=4))
def test_a_version_with_more_numbers_is_not_before_the_one_that_it_continues(
    first: list[int], more: list[int]
) -> None:
    short, long = (".".join(map(str, each)) for each in (first, first + more))
    assert is_between(long, short, "")
    assert is_between(short, "", long)


@pytest.mark.parametrize(
    ("rules", "caller", "headers"),
    [
        ((), SILENT, ()),
        ((AccessRule(frozenset({"RX111"})),), CALLER, ()),
        ((AccessRule(frozenset({"RX112"})),), CALLER, (ORGANISATION,)),
        ((AccessRule(roles=frozenset({"62247001"})),), CALLER, ()),
        ((AccessRule(roles=frozenset({"62247001"})),), SILENT, (PRACTITIONER,)),
        ((AccessRule(software="TRIAGE plus", version_from="2.9"),), CALLER, ()),
        ((AccessRule(software="Triage Plus", version_to="2.10"),), CALLER, (SOFTWARE,)),
        ((AccessRule(software="Triage"),), CALLER, (SOFTWARE,)),
        # One is enough, and all of it must fit.
        ((AccessRule(frozenset({"RX112"})), AccessRule(software="Triage Plus")), CALLER, ()),
        ((AccessRule(frozenset({"RX111"}), frozenset({"1"})),), CALLER, (PRACTITIONER,)),
        # The nearest one says what is in the way.
        (
            (AccessRule(frozenset({"RX112"}), frozenset({"1"})), AccessRule(software="Other")),
            CALLER,
            (SOFTWARE,),
        ),
    ],
)
def test_who_is_let_in(rules: tuple[AccessRule, ...], caller: Caller, headers: tuple[Header, ...]) -> None:
    assert in_the_way(rules, caller) == headers


def test_callers_and_rules_must_both_let_in() -> None:
    software = AccessRule(software="Triage Plus")
    check_access({"RX111"}, (software,), CALLER)
    for callers, rules in (({"RX112"}, (software,)), ({"RX111"}, (AccessRule(software="Other"),))):
        with pytest.raises(OutcomeError) as refusal:
            check_access(callers, rules, CALLER)
        assert refusal.value.issues[0].code.status == 401
        assert "RX111" not in refusal.value.issues[0].diagnostics
