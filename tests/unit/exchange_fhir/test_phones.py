"""A telephone number on the wire reaches whom it reached before, and is digits and blanks."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.people import dialled_phone


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("+447700900123", "07700 900123"),
        ("+44 (0)20 7946 0000", "020 7946 0000"),
        ("(020) 7946-0000", "020 7946 0000"),
        ("+1 202-555-0123", "001 202 555 0123"),
        ("+33142685300", "0033 1 42 68 53 00"),
        ("0033 1 42 68 53 00", "0033 1 42 68 53 00"),
        ("+390669812345", "0039 06 6981 2345"),
        ("020 7946 0000 x123", "020 7946 0000 ext. 123"),
        # Nobody can tell for certain whom these reach.
        ("2025550123", "2025550123"),
        ("946 0000", "946 0000"),
        ("020 7946 0000/0001", "020 7946 0000/0001"),
        ("020 7946 0000 or 020 7946 0001", "020 7946 0000 or 020 7946 0001"),
        ("07700900123 (mum)", "07700900123 (mum)"),
        ("111", "111"),
        ("ask at desk", "ask at desk"),
        (None, ""),
    ],
)
def test_a_number_as_messages_carry_it(typed: object, sent: str) -> None:
    assert dialled_phone(typed) == sent
    assert dialled_phone(sent) == sent


@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), st.sampled_from(["", "7", "0012"]))
def test_a_number_reaches_the_same_person_whatever_its_country(region: str, extension: str) -> None:
    number = phonenumbers.example_number(region)
    assert number is not None
    number.extension = extension or None
    typed = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    sent = dialled_phone(typed)
    assert phonenumbers.parse(sent, "GB") == number
    assert sent.startswith("0")
    assert sent.replace(" ", "").replace("ext.", "").isdecimal()


@given(st.text("0123456789+()-/ .x", max_size=20))
def test_nothing_typed_loses_a_digit(typed: str) -> None:
    kept = [each for each in dialled_phone(typed) if each.isdecimal()]
    tail = [each for each in typed if each.isdecimal()][-6:]
    assert not tail or kept[-len(tail) :] == tail
