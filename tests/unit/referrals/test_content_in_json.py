"""A request's content in the JSON of the API, both ways, and as its schema says."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from bars_portal.api.operations import components
from bars_portal.exchange.fhir.codes import UseCase
from referrals.api.content import content_json, content_schema, read_content
from referrals.forms.base import FormContext
from referrals.parts.content import RequestContent
from tests.factories.contents import STARTED, contents, make_content
from tests.profiles import examples
from tests.unit.referrals.test_forms import OPENED, _displayed, as_forms_say


def through_json(content: RequestContent) -> RequestContent | None:
    asked = FormContext(content.use_case, OPENED)
    stated = content_json(content, asked)
    whole = {**content_schema(content.use_case), "components": {"schemas": dict(components())}}
    jsonschema.Draft202012Validator(whole).validate(stated)
    read, faults = read_content(stated, asked)
    assert not faults
    return read


@pytest.mark.parametrize("use_case", UseCase, ids=str)
def test_all_that_a_use_case_has_is_read_back(use_case: UseCase) -> None:
    content = as_forms_say(make_content(use_case))
    read = through_json(content)
    assert read is not None
    assert _displayed(read) == _displayed(content)


@settings(max_examples=examples(15, thorough=200), deadline=None)
@given(contents())
def test_whatever_is_stated_is_read_back(content: RequestContent) -> None:
    stated = as_forms_say(content)
    assert through_json(stated) == stated


_SAID = {"narrative": "Pain", "outcomes": [{"what": {"system": "DX", "code": "Dx0122"}}]}
_CONSENT = {"consent": "IMPLIED"}


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        ({}, {"/assessment", "/consent"}),
        ({"assessment": {}, "consent": {}}, {"/assessment/narrative", "/consent/consent"}),
        ({"assessment": _SAID, "consent": _CONSENT, "task": {}}, {"/task"}),
        ({"assessment": [], "consent": _CONSENT, "a/b": 1}, {"/assessment", "/a~1b"}),
        (
            {"assessment": {**_SAID, "started": "14:30", "no": 1}, "consent": _CONSENT},
            {"/assessment/started", "/assessment/no"},
        ),
        (
            {"assessment": {**_SAID, "outcomes": {}}, "consent": _CONSENT},
            {"/assessment/outcomes"},
        ),
        (
            {"assessment": {**_SAID, "outcomes": [*_SAID["outcomes"], {}, 7]}, "consent": _CONSENT},
            {"/assessment/outcomes/1", "/assessment/outcomes/2"},
        ),
        (
            {
                "assessment": {**_SAID, "outcomes": [{"what": {"system": "nowhere", "code": "1"}}] * 21},
                "consent": _CONSENT,
            },
            {"/assessment/outcomes"},
        ),
        *(
            (
                {"assessment": {**_SAID, "outcomes": [{"what": what}]}, "consent": _CONSENT},
                {f"/assessment/outcomes/0/what{where}", *extra},
            )
            for what, where, extra in (
                ({"system": "nowhere", "code": "1", "display": "x"}, "/system", ()),
                ({"system": "DX", "code": " 1", "display": "x"}, "/code", ()),
                ({"system": "DX", "code": "1", "display": 7}, "/display", ()),
                ({"system": "DX", "code": "1"}, "", ()),
                ({"system": "DX", "code": "1", "version": "2"}, "/version", ()),
                (7, "", ()),
            )
        ),
        (
            {
                "assessment": _SAID,
                "consent": _CONSENT,
                "times": {"start": "2026-11-21T10:00:00+00:00", "end": "2026-11-21T09:00:00Z"},
                "rejected_services": [{"name": "Elsewhere"}],
            },
            {"/times/end", "/rejected_services/0/reason"},
        ),
    ],
)
def test_every_fault_has_its_place(given: Any, pointers: set[str]) -> None:
    read, faults = read_content(given, FormContext(UseCase.A1T1, OPENED), at="")
    assert read is None
    assert {each.pointer for each in faults} == pointers
    assert "Elsewhere" not in "".join(each.detail for each in faults)


def test_a_code_is_what_it_says_and_a_moment_is_in_no_zone_of_ours() -> None:
    given = {
        "assessment": {**_SAID, "started": "2026-11-21T03:40:00-05:00"},
        "allergies": {"known": "listed", "allergies": [{"what": "penicillin, of the mould"}]},
        "consent": _CONSENT,
    }
    read, faults = read_content(given, FormContext(UseCase.A1T1, OPENED))
    assert not faults
    assert read is not None
    assert read.assessment.started_at == STARTED
    (outcome,) = read.assessment.outcomes
    assert outcome.concept.code == "Dx0122"
    assert outcome.concept.display
    assert read.allergies.listed[0].concept.text == "penicillin, of the mould"
