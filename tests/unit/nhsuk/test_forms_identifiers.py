from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.nhsuk.forms import NHSNumberField, PhoneField, PostcodeField
from bars_portal.values import InvalidValue, read_postcode

SYNTHETIC, REAL = "9434765919", "4010232137"


@pytest.mark.parametrize("typed", [SYNTHETIC, "943 476 5919", " 943-476-5919 ", "943\u00a0476\u20115919"])
def test_nhs_number_however_it_is_written(typed: str) -> None:
    assert NHSNumberField().clean(typed) == SYNTHETIC


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter NHS number"),
        ("943476591", "NHS number must be 10 numbers long"),
        ("94347659190", "NHS number must be 10 numbers long"),
        ("9434765918", "Check the NHS number: it has a mistyped number"),
        ("943476591X", "NHS number must only contain numbers"),
        ("٩٤٣٤٧٦٥٩١٩", "NHS number must only contain numbers"),
        ("9" * 5000, "NHS number must be 30 characters or fewer"),
        ("943476\x005919", "NHS number contains characters that cannot be used"),
    ],
)
def test_nhs_number_refusals(typed: str, words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        NHSNumberField().clean(typed)
    assert raised.value.messages == [words]


@pytest.mark.parametrize(
    ("policy", "number", "accepted"),
    [
        ("synthetic", SYNTHETIC, True),
        ("synthetic", REAL, False),
        ("real", SYNTHETIC, False),
        ("real", REAL, True),
        ("any", SYNTHETIC, True),
        ("any", REAL, True),
    ],
)
def test_ranges_follow_the_setting(policy: Any, number: str, accepted: bool) -> None:
    with override_settings(NHS_NUMBER_POLICY=policy):
        try:
            assert NHSNumberField().clean(number) == number
            was_accepted = True
        except ValidationError:
            was_accepted = False
    assert was_accepted is accepted


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("07700 900123", "+447700900123"),
        ("(020) 7946-0000", "+442079460000"),
        ("+33 1 42 68 53 00", "+33142685300"),
        ("0044 7700 900123", "+447700900123"),
        # Refused before: true numbers have extensions.
        ("07700 900123 ext 5", "+447700900123 x5"),
        ("0113 200 0000 x12", "+441132000000 x12"),
        ("+447700900123 x5", "+447700900123 x5"),
        ("07700\u2011900\u2011123", "+447700900123"),
    ],
)
def test_phone(typed: str, kept: str) -> None:
    assert PhoneField(label="Call-back number").clean(typed) == kept


@pytest.mark.parametrize(
    "typed", ["12", "call me", "0" * 25, "++44", "07700900123456789", "0800 FLOWERS", "1.13E+09", "111"]
)
def test_phone_refusals(typed: str) -> None:
    with pytest.raises(ValidationError, match="Enter a call-back number like 020 7946 0000"):
        PhoneField(label="Call-back number").clean(typed)


@pytest.mark.parametrize(
    ("typed", "outward", "kept"),
    [
        ("ls14ap", False, "LS1 4AP"),
        (" LS1  4AP ", False, "LS1 4AP"),
        ("ec1a 1bb", False, "EC1A 1BB"),
        ("gir 0aa", False, "GIR 0AA"),
        ("zz993vz", False, "ZZ99 3VZ"),
        ("ZZ99 3CZ", False, "ZZ99 3CZ"),
        ("ZZ99 3WZ", False, "ZZ99 3WZ"),
        ("fiqq1zz", False, "FIQQ 1ZZ"),
        ("ls1", True, "LS1"),
        ("LS1 4AP", True, "LS1 4AP"),
    ],
)
def test_postcode(typed: str, outward: bool, kept: str) -> None:
    assert PostcodeField(outward=outward).clean(typed) == kept


@pytest.mark.parametrize("typed", ["LS1", "LS1 4A", "1LS 4AP", "LS1 4CK", "' OR 1=1", "LS1 4AP1"])
def test_postcode_refusals(typed: str) -> None:
    with pytest.raises(ValidationError, match="Enter a full UK postcode"):
        PostcodeField().clean(typed)


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing(text: str) -> None:
    try:
        once = read_postcode(text, outward=True)
    except InvalidValue:
        return
    assert read_postcode(once, outward=True) == once


@given(st.text(max_size=40))
def test_any_text_is_kept_or_refused(text: str) -> None:
    for field in (NHSNumberField(required=False), PhoneField(required=False)):
        try:
            assert field.clean(text).lstrip("+").isascii()
        except ValidationError as refused:
            assert refused.messages
