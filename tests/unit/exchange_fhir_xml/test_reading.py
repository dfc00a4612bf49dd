"""What XML says in its own way: attributes, extensions on primitives, nulls; and what is refused."""

import json as stdlib_json
from html import escape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir import xml
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError

INVALID, VALUE = OutcomeCode.INVALID, OutcomeCode.VALUE


def patient(inner: str) -> bytes:
    return f'<Patient xmlns="http://hl7.org/fhir">{inner}</Patient>'.encode()


def fhir(inner: str) -> Any:
    return {name: value for name, value in xml.loads(patient(inner)).items() if name != "resourceType"}


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ('<id value="a"/>', {"id": "a"}),
        ('<active value="true"/>', {"active": True}),
        ('<multipleBirthInteger value="-3"/>', {"multipleBirthInteger": -3}),
        ('<birthDate value="1970-01"/>', {"birthDate": "1970-01"}),
        ('<birthDate id="b" value="1970"/>', {"birthDate": "1970", "_birthDate": {"id": "b"}}),
        (
            '<birthDate><extension url="u"><valueCode value="c"/></extension></birthDate>',
            {"_birthDate": {"extension": [{"url": "u", "valueCode": "c"}]}},
        ),
        (
            '<name id="n"><given value="a"/><given id="x"/><given value="c" id="y"/></name>',
            {"name": [{"id": "n", "given": ["a", None, "c"], "_given": [None, {"id": "x"}, {"id": "y"}]}]},
        ),
        ('<name><given id="x"/><given id="y"/></name>', {"name": [{"_given": [{"id": "x"}, {"id": "y"}]}]}),
        ('<name><given value="a"/><given value="b"/></name>', {"name": [{"given": ["a", "b"]}]}),
        (
            '<contained><Slot><id value="s"/></Slot></contained>',
            {"contained": [{"resourceType": "Slot", "id": "s"}]},
        ),
        ('<!-- c --><id value="a"/><?pi x?>\n  ', {"id": "a"}),
        ('<gender value="male"/><active value="false"/>', {"gender": "male", "active": False}),
        (
            '<text><status value="empty"/>'
            '<div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b> c</div> </text>',
            {
                "text": {
                    "status": "empty",
                    "div": '<div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b> c</div>',
                }
            },
        ),
    ],
)
def test_what_it_says(inner: str, expected: dict[str, Any]) -> None:
    assert fhir(inner) == expected


@pytest.mark.parametrize(
    "text", ["1.50", "-0.10", "1e3", "0", "0.000000000000000000001", "12345678901234567890"]
)
def test_decimals_keep_their_text(text: str) -> None:
    body = f'<Location xmlns="http://hl7.org/fhir"><position><latitude value="{text}"/></position></Location>'
    read = xml.loads(body.encode())
    assert f'value="{text}"'.encode() in xml.dumps(read)
    assert float(read["position"]["latitude"]) == float(text)
    assert stdlib_json.dumps(read), "whoever does not care sees a number"


def test_prefixes_and_schema_locations_do_not_matter() -> None:
    body = (
        '<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="http://hl7.org/fhir x.xsd"><f:text><f:status value="empty"/>'
        '<h:div xmlns:h="http://www.w3.org/1999/xhtml">a</h:div></f:text></f:Patient>'
    )
    read = xml.loads(body.encode())
    assert read["text"]["div"] == '<div xmlns="http://www.w3.org/1999/xhtml">a</div>'


XHTML = "http://www.w3.org/1999/xhtml"
MARKUP = st.recursive(
    st.text("ab <&\u00e9", max_size=4),
    lambda inner: st.tuples(st.sampled_from("pbi"), st.lists(inner, max_size=3)),
    max_leaves=6,
)


def marked_up(piece: Any, prefix: str) -> str:
    if isinstance(piece, str):
        return escape(piece)
    tag, inner = piece
    held = "".join(marked_up(each, prefix) for each in inner)
    return f"<{prefix}{tag} class='c'>{held}</{prefix}{tag}>"


@given(st.lists(MARKUP, max_size=4))
def test_a_prefix_of_xhtml_is_no_part_of_the_narrative(pieces: list[Any]) -> None:
    """Read from XML, and written to it from JSON."""
    plain, prefixed = ("".join(marked_up(each, prefix) for each in pieces) for prefix in ("", "h:"))
    plain = f'<div xmlns="{XHTML}">{plain}</div>'
    prefixed = f'<h:div xmlns:h="{XHTML}">{prefixed}</h:div>'
    read = [fhir(f'<text><status value="empty"/>{each}</text>')["text"]["div"] for each in (plain, prefixed)]
    assert read[0] == read[1]
    narrative = {"resourceType": "Patient", "text": {"status": "empty", "div": prefixed}}
    assert xml.loads(xml.dumps(narrative))["text"]["div"] == read[0]


@pytest.mark.parametrize("element", ["<id/>", '<id value="SECRET"/>', '<id value="a"/><id value="b"/>'])
@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ('<name>{}<family value="a"/></name>', {"name": [{"family": "a"}]}),
        ('<birthDate value="1970">{}</birthDate>', {"birthDate": "1970"}),
        (
            '<extension url="u">{}<valueCode value="c"/></extension>',
            {"extension": [{"url": "u", "valueCode": "c"}]},
        ),
        ('<name id="n">{}</name>', {"name": [{"id": "n"}]}),
        ('<contact>{}<gender value="male"/></contact>', {"contact": [{"gender": "male"}]}),
    ],
)
def test_an_id_element_where_an_attribute_belongs_says_nothing(
    inner: str, expected: dict[str, Any], element: str
) -> None:
    assert fhir(inner.format(element)) == expected


@pytest.mark.parametrize(
    ("inner", "code", "path"),
    [
        ("<SECRET/>", INVALID, "Patient"),
        ('<name><SECRET value="1"/></name>', INVALID, "Patient.name"),
        ('<name/><name><given value="a" SECRET="x"/></name>', INVALID, "Patient.name[1].given"),
        ('<id SECRET="x" value="a"/>', INVALID, "Patient.id"),
        ('<name value="SECRET"/>', INVALID, "Patient.name"),
        ('<active value="SECRET"/>', VALUE, "Patient.active"),
        ('<active value="True"/>', VALUE, "Patient.active"),
        ('<multipleBirthInteger value="1.0"/>', VALUE, "Patient.multipleBirthInteger"),
        ('<multipleBirthInteger value="99999999999999999999"/>', VALUE, "Patient.multipleBirthInteger"),
        ('<active value="true"/><active value="SECRET"/>', VALUE, "Patient.active[1]"),
        ('<active value="true"/><active value="true"/>', INVALID, "Patient.active[1]"),
        ("<maritalStatus/><maritalStatus/>", INVALID, "Patient.maritalStatus[1]"),
        ("<id/>", INVALID, "Patient.id"),
        ("<contained/>", INVALID, "Patient.contained"),
        ("<contained><Slot/><Slot/></contained>", INVALID, "Patient.contained"),
        ("<contained><SECRET/></contained>", INVALID, "Patient.contained"),
        ("<contained><Slot><SECRET/></Slot></contained>", INVALID, "Patient.contained"),
        ('<id xmlns="http://other" value="SECRET"/>', INVALID, "Patient"),
        ("<text><div>SECRET</div></text>", INVALID, None),
        ("SECRET", INVALID, None),
        ('<name>SECRET<given value="a"/></name>', INVALID, None),
        ('<name><given value="a"/>SECRET</name>', INVALID, None),
    ],
)
def test_what_is_refused_and_where(inner: str, code: OutcomeCode, path: str | None) -> None:
    with pytest.raises(OutcomeError) as caught:
        xml.loads(patient(inner))
    (issue,) = caught.value.issues
    assert issue.code is code
    assert issue.expression == ((path,) if path else ())
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{}",
        b"SECRET",
        b"<Patient",
        b"<Patient/>",
        b'<SECRET xmlns="http://hl7.org/fhir"/>',
        b'<Element xmlns="http://hl7.org/fhir"/>',
        b'<DomainResource xmlns="http://hl7.org/fhir"/>',
        b'<Patient xmlns="http://hl7.org/fhir/"/>',
        b'<Patient xmlns="http://hl7.org/fhir"/><Patient/>',
        b'<Patient xmlns="http://hl7.org/fhir"><id value="&nbsp;"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir"><id value="\xff"/></Patient>',
        b'<Patient xmlns="http://hl7.org/fhir"><id value="&#0;"/></Patient>',
    ],
)
def test_anything_but_one_resource_is_invalid(body: bytes) -> None:
    with pytest.raises(OutcomeError) as caught:
        xml.loads(body)
    assert caught.value.issues[0].code is INVALID
    assert "SECRET" not in str(caught.value)
