"""Whatever is done to a message, judging answers with issues: no exception, no value of the sender's."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.outcomes import operation_outcome
from bars_portal.exchange.fhir.structure import check_structure
from tests.profiles import examples

from .factory import Json
from .samples import SAMPLES, judged

SECRET = "Zq7Secret"
PATIENT_VALUES = ("Zebedee", "Quintilla", "9990548609", "1981-07-14", "07700900123", SECRET)

odd = st.recursive(
    st.sampled_from(
        [None, True, 0, -1, 1.5, "", SECRET, f"urn:uuid:{SECRET}", f"Patient/{SECRET}", "#", "|"]
    ),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("reference", "coding", "code", "system", "url", "valuePositiveInt", "resourceType"),
                    *("status", "extension", "valueString", "latitude", "start", "end", "text"),
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


def places_in(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below a value: what a mutation can replace or drop."""
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], (dict, list)):
            found += places_in(value[key])
    return found


def mutated(data: st.DataObject) -> Json:
    bundle: Json = SAMPLES[data.draw(st.sampled_from(sorted(SAMPLES)))]()
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places_in(bundle)))
        if data.draw(st.booleans()):
            container[key] = data.draw(odd)
        else:
            del container[key]
    return bundle


@settings(max_examples=examples(80, thorough=2000), deadline=None)
@given(st.data())
def test_a_mutated_message_gets_an_answer_and_nothing_leaks(data: st.DataObject) -> None:
    raw = mutated(data)
    verdict = judged(raw)
    found = (*check_structure(raw), *verdict.issues, *verdict.warnings)
    if found:
        text = str(operation_outcome(found, outcome_id="6f1c0d0e-0000-4000-8000-000000000001"))
        assert [value for value in PATIENT_VALUES if value in text] == []


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_type_that_is_no_text_is_no_type(name: str) -> None:
    for place in range(len(SAMPLES[name]()["entry"])):
        raw = SAMPLES[name]()
        raw["entry"][place]["resource"]["resourceType"] = [SECRET]
        assert SECRET not in str(judged(raw).issues)


@settings(deadline=None)
@given(st.data())
def test_judging_leaves_the_message_as_it_was(data: st.DataObject) -> None:
    raw = mutated(data)
    before = repr(raw)
    judged(raw)
    check_structure(raw)
    MessageBundle(raw).resolve(raw)
    assert repr(raw) == before
