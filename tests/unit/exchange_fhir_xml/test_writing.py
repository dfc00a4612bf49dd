"""Elements in R4's order, markup escaped, the narrative untouched; what has no place in FHIR is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bars_portal.exchange.fhir import xml
from bars_portal.exchange.fhir.outcomes import OutcomeError

NS = "{http://hl7.org/fhir}"
DIV = '<div xmlns="http://www.w3.org/1999/xhtml"'


def written(**members: Any) -> str:
    text = xml.dumps({"resourceType": "Patient", **members}).decode()
    return text.partition('<Patient xmlns="http://hl7.org/fhir">')[2].removesuffix("</Patient>")


def test_a_declaration_comes_first() -> None:
    assert xml.dumps({"resourceType": "Slot"}).startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<Slot ')


def test_elements_are_put_in_order() -> None:
    shuffled = {
        "birthDate": "1970",
        "name": [{"given": ["a"], "family": "b", "use": "usual"}],
        "extension": [{"valueString": "x", "url": "u", "id": "i"}],
        "resourceType": "Patient",
        "id": "p",
    }
    root = etree.fromstring(xml.dumps(shuffled))
    assert [each.tag.removeprefix(NS) for each in root] == ["id", "extension", "name", "birthDate"]
    assert [each.tag.removeprefix(NS) for each in root[2]] == ["use", "family", "given"]
    assert (root[1].get("id"), root[1].get("url")) == ("i", "u")


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"id": 'a"<&>\n\t\r'}, '<id value="a&quot;&lt;&amp;&gt;&#10;&#9;&#13;"/>'),
        ({"id": "a\x00\x1f\uffff"}, '<id value="a\ufffd\ufffd\ufffd"/>'),
        ({"active": False}, '<active value="false"/>'),
        ({"multipleBirthInteger": 2}, '<multipleBirthInteger value="2"/>'),
        ({"fhir_comments": ["no content"], "id": "a"}, '<id value="a"/>'),
        (
            {"name": [{"given": ["a", None], "_given": [None, {"id": "x"}]}]},
            '<name><given value="a"></given><given id="x"></given></name>',
        ),
        ({"text": {"div": DIV + "> a<br/> </div>"}}, "<text>" + DIV + "> a<br/> </div></text>"),
        ({"text": {"div": "<div>no namespace</div>"}}, "<text>" + DIV + ">no namespace</div></text>"),
        ({"text": {"div": "a < b"}}, "<text>" + DIV + ">a &lt; b</div></text>"),
        (
            {"text": {"div": "<div>&nbsp;</div>"}},
            "<text>" + DIV + ">&lt;div&gt;&amp;nbsp;&lt;/div&gt;</div></text>",
        ),
        (
            {"text": {"div": "</text><active/><text>"}},
            "<text>" + DIV + ">&lt;/text&gt;&lt;active/&gt;&lt;text&gt;</div></text>",
        ),
    ],
)
def test_what_is_written(members: dict[str, Any], expected: str) -> None:
    assert written(**members) == expected


@given(st.text())
def test_any_narrative_makes_a_well_formed_document(div: str) -> None:
    for markup in (div, f"<div>{div}</div>", f"<div {div}></div>"):
        body = xml.dumps({"resourceType": "Patient", "text": {"status": "additional", "div": markup}})
        root = etree.fromstring(body)
        assert [each.tag for each in root[0]] == [f"{NS}status", "{http://www.w3.org/1999/xhtml}div"]


@pytest.mark.parametrize(
    "members",
    [
        {"SECRET": 1},
        {"resourceType": "SECRET"},
        {"resourceType": 7},
        {"name": {"family": "SECRET"}},
        {"name": ["SECRET"]},
        {"name": [None]},
        {"id": ["SECRET"]},
        {"id": {"SECRET": 1}},
        {"_id": "SECRET"},
        {"_id": [{"id": "SECRET"}]},
        {"maritalStatus": [{"text": "SECRET"}]},
        {"contained": [{"id": "SECRET"}]},
        {"text": {"div": 7}},
    ],
)
def test_what_has_no_place_in_fhir_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(OutcomeError) as caught:
        xml.dumps({"resourceType": "Patient", **members})
    assert caught.value.status == 400
    assert "SECRET" not in str(caught.value)


def test_depth_is_bounded() -> None:
    deep: dict[str, Any] = {"resourceType": "Patient"}
    for _ in range(100):
        deep = {"resourceType": "Patient", "contained": [deep]}
    with pytest.raises(OutcomeError):
        xml.dumps(deep)
