"""Identifiers: what parses, and that no refusal repeats the value."""

from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.identifiers import (
    InvalidIdentifier,
    NHSNumber,
    ODSCode,
    ServiceID,
    is_uuid,
    name_based_uuid,
    parse_uuid,
    same_system,
    split_token,
)


@pytest.mark.parametrize("text", ["9990548609", "999 054 8609", " 999-054-8609 ", "999\u00a0054 8609"])
def test_an_nhs_number_parses_with_its_separators(text: str) -> None:
    assert str(NHSNumber.parse(text)) == "9990548609"


@pytest.mark.parametrize(
    "text", ["", "999054860", "99905486090", "9990548608", "999054860x", "٩٩٩٠٥٤٨٦٠٩", "9" * 5000]
)
def test_another_text_is_no_nhs_number(text: str) -> None:
    with pytest.raises(InvalidIdentifier) as caught:
        NHSNumber.parse(text)
    assert not text or text not in str(caught.value)


@given(st.integers(0, 999_999_999))
def test_at_most_one_check_digit_makes_a_number(stem: int) -> None:
    valid = []
    for digit in range(10):
        try:
            valid.append(NHSNumber.parse(f"{stem:09d}{digit}"))
        except InvalidIdentifier:
            continue
    assert len(valid) <= 1


@pytest.mark.parametrize(("text", "value"), [("rr8", "RR8"), (" A1001 ", "A1001"), ("G82080", "G82080")])
def test_an_ods_code_is_kept_in_capitals(text: str, value: str) -> None:
    assert ODSCode.parse(text).value == value


@pytest.mark.parametrize("text", ["", "R", "R 8", "RR8;", "R" * 13, "ÄÖÜ"])
def test_another_text_is_no_ods_code(text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        ODSCode.parse(text)


@pytest.mark.parametrize(
    "token",
    [
        "2000099001",
        "https://fhir.nhs.uk/Id/dos-service-id|2000099001",
        "http://fhir.nhs.uk/id/dos-service-id|2000099001",
        " https://fhir.nhs.uk/Id/dos-service-id | 2000099001 ",
    ],
)
def test_a_service_is_read_from_its_token(token: str) -> None:
    service = ServiceID.from_token(token)
    assert service == ServiceID.parse("2000099001")
    assert service.token == "https://fhir.nhs.uk/Id/dos-service-id|2000099001"


@pytest.mark.parametrize(
    "token", ["", "|", "x", "1|2", "https://fhir.nhs.uk/Id/dos-service-id|", "2" * 21, "²", "-1", "1.5"]
)
def test_another_text_is_no_service(token: str) -> None:
    with pytest.raises(InvalidIdentifier):
        ServiceID.from_token(token)


@pytest.mark.parametrize(
    ("text", "expected"), [("a|b", ("a", "b")), ("b", (None, "b")), ("|b", ("", "b")), ("a|", ("a", ""))]
)
def test_tokens_split_at_the_bar(text: str, expected: tuple[str | None, str]) -> None:
    assert split_token(text) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://fhir.nhs.uk/Id/x", "http://fhir.nhs.uk/id/X", True),
        ("https://fhir.nhs.uk/Id/x", "https://fhir.nhs.uk/Id/y", False),
        ("", "https://fhir.nhs.uk/Id/y", False),
    ],
)
def test_systems_compare_without_scheme_and_case(one: str, other: str, same: bool) -> None:
    assert same_system(one, other) is same


@pytest.mark.parametrize(
    "text", ["{9f41ba91-d69a-4269-a558-54a20b79c4f2}", "9f41ba91d69a4269a55854a20b79c4f2", ""]
)
def test_only_the_plain_form_is_a_uuid(text: str) -> None:
    assert not is_uuid(text)
    with pytest.raises(InvalidIdentifier):
        parse_uuid(text)


def test_a_uuid_parses_in_either_case() -> None:
    text = "9F41BA91-d69a-4269-a558-54a20b79c4f2"
    assert is_uuid(text)
    assert str(parse_uuid(text)) == text.lower()


@given(st.uuids(), st.text())
def test_a_name_based_uuid_is_that_of_the_standard_library(namespace: UUID, name: str) -> None:
    assert name_based_uuid(namespace, name) == str(uuid5(namespace, name))
