"""The quick gate: it never takes what the model library refuses, and it does take what is plainly sound."""

import json
import math
import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bars_portal.exchange.fhir import json as fhir_json
from bars_portal.exchange.fhir.limits import MAX_DEPTH, MAX_ENTRIES
from bars_portal.exchange.fhir.soundness import Model, is_surely_sound, surely_fits
from bars_portal.exchange.fhir.structure import RESOURCE_TYPES, judge_structure
from tests.profiles import examples, share

from .factory import PATIENT, Json, booking, changed, put, resource
from .mutations import ODD_VALUES, mutated
from .samples import SAMPLES
from .sound_values import good_member, minimal, models_within


def published(shared_dir: Path) -> list[Json]:
    found = [json.loads(each.read_bytes()) for each in sorted((shared_dir / "fhir/examples").glob("*.json"))]
    return [each for each in found if each["resourceType"] == "Bundle"]


def in_patient(**members: Any) -> Json:
    return changed(booking(), lambda raw: resource(raw, PATIENT).update(members))


def nested_extension(levels: int) -> Json:
    value: Json = {"url": "urn:x", "valueString": "y"}
    for _ in range(levels):
        value = {"url": "urn:x", "extension": [value]}
    return in_patient(extension=[value])


@pytest.mark.parametrize("name", SAMPLES)
def test_our_own_sound_messages_need_no_library(name: str) -> None:
    assert is_surely_sound(SAMPLES[name]())


def test_published_messages_need_no_library(shared_dir: Path) -> None:
    found = published(shared_dir)
    assert len(found) > 15
    assert [each["id"] for each in found if not is_surely_sound(each)] == []


@pytest.mark.parametrize(
    "members",
    [
        {"_birthDate": {"extension": [{"url": "urn:x", "valueDateTime": "1974-12-25T14:35:45-05:00"}]}},
        {"contained": [{"resourceType": "Organization", "id": "a.b-1", "name": "N"}]},
        {"birthDate": "1984-02-29"},
        {"birthDate": "1984"},
        {"deceasedDateTime": "2021-10-11T15:23:30.8185338+00:00"},
        {"deceasedDateTime": "2016-12-31T23:59:60Z"},
        {"extension": [{"url": "urn:x", "valueTime": "23:59:60"}]},
        {"extension": [{"url": "urn:x", "valueInstant": "2017-01-01T00:59:60.5+01:00"}]},
        {"multipleBirthInteger": -1},
        {"text": {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>\n</div>"}},
        {"extension": [{"url": "urn:x", "valueDecimal": fhir_json.loads(b'{"a":1.50}')["a"]}]},
        {"photo": [{"data": "aGVsbG8=", "url": "https://example.org/a|b"}]},
    ],
    ids=lambda members: "-".join(members),
)
def test_what_is_plainly_sound_needs_no_library(members: Json) -> None:
    raw = in_patient(**members)
    assert is_surely_sound(raw)
    assert judge_structure(raw) == ()


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"resourceType": "Bundle"},
        {"type": "message"},
        changed(booking(), put(-1, "entry", [{"fullUrl": "urn:x"}] * (MAX_ENTRIES + 1))),
        nested_extension(MAX_DEPTH // 2),
        in_patient(name=[{"family": "\x00"}]),
        in_patient(name=[{"family": "\ufffe"}]),
        in_patient(name=[{"family": "\ud800"}]),
        in_patient(name=[]),
        in_patient(name=[{}]),
        in_patient(name=[{"given": ["A", None]}]),
        in_patient(contained=[{"resourceType": "Coding", "code": "x"}]),
        in_patient(birthDate="2023-02-29"),
        in_patient(birthDate="1900-02-29"),
        in_patient(birthDate="1984-02-28\n"),
        in_patient(birthDate="198\u0664-02-28"),
        in_patient(gender="male\n"),
        in_patient(gender="a  b"),
        in_patient(deceasedBoolean=True, deceasedDateTime="2020"),
        in_patient(multipleBirthInteger=2**31),
        in_patient(multipleBirthInteger=True),
        in_patient(extension=[{"url": "urn:x", "valueDecimal": math.inf}]),
        in_patient(extension=[{"url": "urn:x", "valueDecimal": 10**400}]),
    ],
)
def test_what_is_not_plainly_sound_is_left_to_the_library(raw: Json) -> None:
    assert not is_surely_sound(raw)


def test_the_deepest_that_is_taken_quickly_is_sound() -> None:
    levels = next(each for each in reversed(range(MAX_DEPTH)) if is_surely_sound(nested_extension(each)))
    assert levels > 15
    assert judge_structure(nested_extension(levels)) == ()


def test_each_element_with_each_wrong_value_is_judged_like_the_library_does() -> None:
    """All elements that our messages reach; and no element is without its good value."""
    for model in models_within(map(get_fhir_model_class, RESOURCE_TYPES)):
        check_each_element(model)


def check_each_element(model: Model) -> None:
    base = minimal(model)
    for number, name in enumerate(each.alias or key for key, each in model.model_fields.items()):
        for turn, value in enumerate(ODD_VALUES, start=number):
            # By itself and in a list: in turns, for the next element of the same kind is tried the other way.
            for odd in share((value, [value]), turn, of=2):
                check_like_library(model, base | {name: odd})
        for absent in base.keys() & {name}:
            check_like_library(model, {key: each for key, each in base.items() if key != absent})
    for with_member in good_members(model, base):
        assert surely_fits(model, with_member), with_member
        check_like_library(model, with_member)


def good_members(model: Model, base: Json) -> Iterator[Json]:
    """The least object with each of its elements in turn."""
    choices = [set(names) for names in model.model_construct().get_one_of_many_fields().values()]
    for key, each in model.model_fields.items():
        name = each.alias or key
        value = good_member(each.annotation)
        if value is not None:
            others = set().union(*(names for names in choices if name in names))
            yield {k: v for k, v in base.items() if k not in others} | {name: value}


def check_like_library(model: Model, value: Json) -> None:
    if surely_fits(model, value):
        model.model_validate(value)


@pytest.mark.thorough
def test_thousands_of_changed_messages_are_judged_like_the_library_does(shared_dir: Path) -> None:
    sources = [*published(shared_dir), *(make() for make in SAMPLES.values())]
    chance = random.Random(20261121)
    tried = examples(1000, thorough=8000)
    sound = sum(agrees(mutated(deepcopy(chance.choice(sources)), chance)) for _ in range(tried))
    # Neither all of them nor none: then the comparison would say nothing.
    assert tried / 20 < sound < tried * 0.95


def agrees(raw: Json) -> bool:
    sound = is_surely_sound(raw)
    if sound:
        assert judge_structure(raw) == ()
    return sound


values = st.recursive(
    st.sampled_from(ODD_VALUES) | st.text(max_size=6) | st.integers() | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["resourceType", "id", "url", "extension"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=examples(100, thorough=2000), deadline=None)
@given(st.integers(-1, 7), st.data())
def test_any_member_replaced_by_anything_is_judged_like_the_library_does(
    position: int, data: st.DataObject
) -> None:
    raw = booking()
    target = raw if position < 0 else resource(raw, position)
    target[data.draw(st.sampled_from([*target, "contained", "text", "implicitRules", "_id"]))] = data.draw(
        values
    )
    agrees(raw)


def test_the_library_does_refuse() -> None:
    """The comparison above is of two sides."""
    with pytest.raises(ValidationError):
        Bundle.model_validate(in_patient(birthDate="2023-02-29"))
