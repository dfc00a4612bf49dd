"""One reader for each kind of value, however a person or a spreadsheet wrote it."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.values import (
    InvalidValue,
    is_snomed_id,
    read_decimal,
    read_nhs_number,
    read_phone,
    read_postcode,
    read_service_id,
    read_service_phone,
    read_time,
)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("1.13E+09", "shortened"),
        ("1,13e+09", "shortened"),
        ("1134960000", "first_zero"),
        ("7700900123", "first_zero"),
        ("0113", "format"),
        ("496 0000", "first_zero"),
        ("0113 496 0000 option 2", "format"),
        ("", "format"),
        ("\u0660\u0661\u0661\u0663 496 0000", "format"),
    ],
)
def test_what_is_left_of_a_phone_number_is_refused(typed: str, code: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        read_phone(typed)
    assert refused.value.code == code
    assert not typed or typed not in str(refused.value)


@pytest.mark.parametrize("typed", ["111", "116 123", "0113 496 0000", "+353 1 234 5678", "0113 496 0000 x4"])
def test_a_service_has_any_number_that_can_be_called(typed: str) -> None:
    assert read_service_phone(typed) == typed


@given(st.from_regex(r"0[1237][0-9]{9}", fullmatch=True), st.sampled_from(["", " x12", " ext. 3"]))
def test_a_phone_number_read_twice_is_the_same(number: str, extension: str) -> None:
    once = read_phone(number + extension)
    assert read_phone(once) == once
    assert once.startswith(f"+44{number[1:]}")


@pytest.mark.parametrize("typed", ["ZZ99 3VZ", "zz993cz", "Zz99-3wZ", "ZZ99 1WZ", "FIQQ 1ZZ", "BF1 2AU"])
def test_where_no_house_is_there_is_still_a_postcode(typed: str) -> None:
    assert read_postcode(typed).replace(" ", "") == typed.upper().replace(" ", "").replace("-", "")


@pytest.mark.parametrize(
    "typed", ["", "LS1", "75001", "ZZ98 3VZ", "LS1 4AV", "LS1\x00 4AP", "LS1 4AP" + " " * 30]
)
def test_what_is_no_postcode(typed: str) -> None:
    with pytest.raises(InvalidValue):
        read_postcode(typed)


@pytest.mark.parametrize(
    ("typed", "code"), [("2.0E+9", "shortened"), ("", "format"), ("1" * 21, "format"), ("1.0", "format")]
)
def test_service_ids_are_whole(typed: str, code: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        read_service_id(typed)
    assert refused.value.code == code


@pytest.mark.parametrize("typed", ["nan", "inf", "1e3", "5.38E+01", "1_0", " 1", "", "\u0661"])
def test_decimals_are_written_out(typed: str) -> None:
    with pytest.raises(InvalidValue):
        read_decimal(typed)


@given(st.decimals(min_value=-180, max_value=180, places=6))
def test_a_decimal_is_read_as_it_is(number: object) -> None:
    assert read_decimal(format(number, "f")) == float(format(number, "f"))


@given(st.times(timezones=st.none()))
def test_times_are_read_as_people_write_them(at: time) -> None:
    at = at.replace(microsecond=0)
    assert read_time(f"{at:%H:%M:%S}") == at
    assert read_time(f"{at.hour}.{at:%M}") == at.replace(second=0)


@pytest.mark.parametrize("typed", ["24:00", "9", "09:60", "0.375", "9:5", "\u0669:30", ""])
def test_what_is_no_time_of_day(typed: str) -> None:
    with pytest.raises(InvalidValue):
        read_time(typed)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for reader in (read_phone, read_postcode, read_nhs_number, read_service_id, read_decimal, read_time):
        try:
            reader(text)
        except InvalidValue as refused:
            assert refused.code


@pytest.mark.parametrize("code", ["73211009", "22298006", "999001261000000100", "1577041000000109"])
def test_snomed_codes_have_a_check_digit(code: str) -> None:
    assert is_snomed_id(code)
    assert not is_snomed_id(code[:-1] + str((int(code[-1]) + 1) % 10))
    # What a spreadsheet keeps of a long one.
    assert len(code) < 16 or not is_snomed_id(code[:15] + "0" * (len(code) - 15)) or code.endswith("000")
