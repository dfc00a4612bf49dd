"""Documents that want more than to be read: nothing expands, nothing is fetched, nothing is slow."""

import codecs
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir import xml
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
TEXT = '<Patient xmlns="http://hl7.org/fhir"><id value="é"/></Patient>'


def refusal(body: bytes) -> str:
    began = time.process_time()
    with pytest.raises(OutcomeError) as caught:
        xml.loads(body)
    assert caught.value.issues[0].code is OutcomeCode.INVALID
    assert time.process_time() - began < 5, "refused, but after far too long"
    return str(caught.value)


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE Patient>",
        "<!DOCTYPE Patient SYSTEM 'http://127.0.0.1:9/x.dtd'>",
        f"<!DOCTYPE Patient [<!ENTITY l0 'lol'>{LAUGHS}]>",
        "<!DOCTYPE Patient [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>",
        "<!DOCTYPE Patient [<!ENTITY % x SYSTEM 'http://127.0.0.1:9/x'> %x;]>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_document_type_is_refused_in_every_encoding(doctype: str, encoding: str) -> None:
    body = f'{doctype}<Patient xmlns="http://hl7.org/fhir"><id value="&l11;&x;"/></Patient>'
    assert "document type" in refusal(body.encode(encoding))


def test_a_file_never_shows(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{secret}" parse="text"/>'
    assert "SECRET" not in refusal(f'<Patient xmlns="http://hl7.org/fhir">{include}</Patient>'.encode())


@pytest.mark.parametrize("depth", [70, 500, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    opened, closed = '<extension url="u">' * depth, "</extension>" * depth
    refusal(f'<Patient xmlns="http://hl7.org/fhir">{opened}{closed}</Patient>'.encode())


def test_resources_within_resources_are_bounded_too() -> None:
    opened, closed = "<contained><Patient>" * 100, "</Patient></contained>" * 100
    refusal(f'<Patient xmlns="http://hl7.org/fhir">{opened}{closed}</Patient>'.encode())


@pytest.mark.parametrize("place", ["<id value='a'{}/>", "<name{}/>", "<contained{}><Slot/></contained>"])
def test_many_attributes_are_refused(place: str) -> None:
    attributes = "".join(f' a{n}="x"' for n in range(50_000))
    refusal(f'<Patient xmlns="http://hl7.org/fhir">{place.format(attributes)}</Patient>'.encode())


def test_many_siblings_are_refused_quickly() -> None:
    refusal(f'<Patient xmlns="http://hl7.org/fhir">{"<name/>" * 200_000}<SECRET/></Patient>'.encode())


def test_a_huge_attribute_is_read_or_refused_but_never_expanded() -> None:
    body = f'<Patient xmlns="http://hl7.org/fhir"><id value="{"x" * 9_000_000}"/></Patient>'.encode()
    assert len(xml.loads(body)["id"]) == 9_000_000
    refusal(body.replace(b"x" * 10, b"x" * 20))


@pytest.mark.parametrize(
    "body",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        b'<?xml version="1.0" encoding="UTF-8"?>' + TEXT.encode(),
        codecs.BOM_UTF8 + b'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n' + TEXT.encode(),
        TEXT.encode("utf-16"),
        ('<?xml version="1.0" encoding="UTF-16"?>' + TEXT).encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    ],
)
def test_utf_8_and_utf_16_are_read(body: bytes) -> None:
    assert xml.loads(body)["id"] == "é"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + TEXT.encode("latin-1"), "another encoding"),
        (b'<?xml version="1.0" encoding="UTF-7"?>' + TEXT.encode("utf-7"), "another encoding"),
        (b'<?xml version="1.0" encoding="UTF-16"?>' + TEXT.encode(), "another encoding"),
        (codecs.BOM_UTF8 + b'<?xml version="1.0" encoding="UTF-16"?>' + TEXT.encode(), "different encodings"),
        (('<?xml version="1.0" encoding="UTF-8"?>' + TEXT).encode("utf-16"), "different encodings"),
        (codecs.BOM_UTF16_LE + b"<\x00P\x00", "well-formed"),
        (codecs.BOM_UTF16_LE + b"<", "byte order mark"),
        (TEXT.encode("utf-16-le"), "well-formed"),
        (TEXT.encode("utf-32"), "well-formed"),
    ],
)
def test_other_encodings_are_refused(body: bytes, words: str) -> None:
    assert words in refusal(body)


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda each: TEXT.encode()[:50] + each))
def test_garbage_is_refused_or_read_but_breaks_nothing(body: bytes) -> None:
    try:
        assert isinstance(xml.loads(body), dict)
    except OutcomeError as error:
        assert error.status == 400


@given(st.integers(0, len(TEXT) - 1), st.sampled_from(list('<>"&/ \x00![]')))
def test_one_wrong_character_breaks_nothing(position: int, wrong: str) -> None:
    try:
        xml.loads((TEXT[:position] + wrong + TEXT[position + 1 :]).encode())
    except OutcomeError as error:
        assert error.status == 400
