import pytest

from bars_portal.nhsuk import words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("9434765919", "943 476 5919"),
        ("943 476 5919", "943 476 5919"),
        (9434765919, "943 476 5919"),
        ("12345", "12345"),
        (None, ""),
    ],
)
def test_nhs_number(value: object, shown: str) -> None:
    assert words.format_nhs_number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+447700900123", "07700 900123"),
        ("02079460000", "020 7946 0000"),
        ("+33142685300", "+33 1 42 68 53 00"),
        ("ask at desk", "ask at desk"),
        ("0205663859", "0205663859"),
        (None, ""),
    ],
)
def test_phone(value: object, shown: str) -> None:
    assert words.format_phone(value) == shown


@pytest.mark.parametrize(
    ("label", "inside"), [("Family name", "family name"), ("NHS number", "NHS number"), ("", "")]
)
def test_lower_first(label: str, inside: str) -> None:
    assert words.lower_first(label) == inside
