"""Paths into messages, changes to them, and what placeholders stand for."""

import copy
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.simulator.selftest.messages import (
    PathError,
    UnknownPlaceholder,
    Values,
    apply,
    cut,
    number_for_tests,
    put,
    values_at,
)

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "id": "b",
    "meta": {"versionId": "1.1.0"},
    "entry": [
        {"fullUrl": "urn:1", "resource": {"resourceType": "Patient", "meta": {}, "name": [{"family": "A"}]}},
        {"fullUrl": "urn:2", "resource": {"resourceType": "Flag", "meta": {}, "status": "active"}},
        {"fullUrl": "urn:3", "resource": {"resourceType": "Flag", "meta": {}, "status": "inactive"}},
    ],
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("Bundle.id", ["b"]),
        ("Bundle.meta.versionId", ["1.1.0"]),
        ("Patient.name[0].family", ["A"]),
        ("Flag.status", ["active"]),
        ("Flag[1].status", ["inactive"]),
        ("Flag[*].status", ["active", "inactive"]),
        ("Flag[2].status", []),
        ("@Flag[1].fullUrl", ["urn:3"]),
        ("@Flag[*].fullUrl", ["urn:2", "urn:3"]),
        ("Patient.name[1].family", []),
        ("Patient.name.family", []),
        ("Task.status", []),
    ],
)
def test_what_is_at_a_path(path: str, values: list[str]) -> None:
    assert values_at(BUNDLE, path) == values


@pytest.mark.parametrize("path", ["", "Flag status", "Flag.sta tus", "Flag[x].status"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(PathError):
        values_at(BUNDLE, path)


def test_values_are_set_appended_and_taken_away() -> None:
    bundle = copy.deepcopy(BUNDLE)

    put(bundle, "Flag[1].status", "active")
    put(bundle, "Patient.name[1]", {"family": "B"})
    put(bundle, "Bundle.meta.versionId", "2.0.0")
    cut(bundle, "Bundle.meta.versionId")

    assert values_at(bundle, "Flag[*].status") == ["active", "active"]
    assert values_at(bundle, "Patient.name[*].family") == ["A", "B"]
    assert "meta" not in bundle, "what is empty goes with its last member"


@pytest.mark.parametrize("path", ["Task.status", "Flag[*].status", "Patient.name[0]", "Bundle"])
def test_a_change_that_leads_nowhere_is_told(path: str) -> None:
    bundle = copy.deepcopy(BUNDLE)
    with pytest.raises(PathError):
        if path == "Patient.name[0]":
            put(bundle, "Patient.telecom[0].value", "1")
        else:
            put(bundle, path, "1")


def test_entries_are_dropped_and_doubled() -> None:
    bundle = copy.deepcopy(BUNDLE)

    apply(bundle, {"drop": ["Patient"], "double": ["Flag"]}, values())

    assert values_at(bundle, "Flag[*].status") == ["active", "inactive", "active"]
    assert len({each["fullUrl"] for each in bundle["entry"]}) == 3
    with pytest.raises(PathError):
        apply(bundle, {"drop": ["Patient"]}, values())


def values() -> Values:
    return Values({"service": "2000099999"}, NOW, lambda name: {"id": f"id of {name}"})


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{service}}", "2000099999"),
        ("{{now}}", "2026-11-20T09:30:00.0000000+00:00"),
        ("{{now+15m}}", "2026-11-20T09:45:00.0000000+00:00"),
        ("{{now-1d}}", "2026-11-19T09:30:00.0000000+00:00"),
        ("a {{slot.id}} b {{slot2.id}}", "a id of slot b id of slot2"),
        ("{{many:5}}", "xxxxx"),
        ("{{answer1:Bundle.id}}", "(no Bundle.id in answer 1)"),
    ],
)
def test_placeholders(text: str, filled: str) -> None:
    assert values().fill({"a": [text]}) == {"a": [filled]}


@pytest.mark.parametrize("name", ["nonsense", "now+1", "now+1y", "slot.colour"])
def test_an_unknown_placeholder_is_told(name: str) -> None:
    with pytest.raises(UnknownPlaceholder):
        values().fill("{{" + name + "}}")


def test_ids_stay_the_same_and_new_ones_do_not() -> None:
    one = values()

    assert one.fill("{{id:a}}") == one.fill("{{id:a}}") != one.fill("{{id:b}}")
    assert UUID(one.fill("{{new}}")) != UUID(one.fill("{{new}}"))


def test_earlier_answers_can_be_named() -> None:
    one = values()
    one.answers.append(BUNDLE)

    assert one.fill("{{answer1:Flag[1].status}}") == "inactive"


@given(st.integers(min_value=0, max_value=999_999))
def test_numbers_for_tests_pass_their_check(seed: int) -> None:
    number = number_for_tests(seed)

    assert number.startswith("999") and len(number) == 10
    weighted = sum(int(digit) * weight for digit, weight in zip(number, range(10, 0, -1), strict=True))
    assert weighted % 11 == 0
