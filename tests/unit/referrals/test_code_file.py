"""Code lists from CSV: whole or not at all, with every fault by its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.cases.codes import PUBLISHED, BadCodeFile, ListName, read_codes

HEADER = "list,system,code,display"
DX = "https://fhir.nhs.uk/CodeSystem/pathways-dx-codes"
GOOD = f"outcomes,{DX},Dx1,See a doctor"


def test_rows_are_read() -> None:
    rows = read_codes([f"\ufeff{HEADER}\r\n", "\r\n", f' outcomes ,{DX},Dx1,"Within 1 hour, please"\r\n'])
    assert rows == [("outcomes", DX, "Dx1", "Within 1 hour, please")]


@pytest.mark.parametrize(
    ("lines", "faults"),
    [
        ([], ["Line 1: the columns must be list, system, code, display."]),
        (["code,display"], ["Line 1: the columns must be list, system, code, display."]),
        (
            [HEADER, GOOD, f"outcomes,{DX},,"],
            ["Line 3: the column code is", "Line 3: the column display"],
        ),
        ([HEADER, f"drugs,{DX},1,x"], ["Line 2: there is no list 'drugs'."]),
        ([HEADER, "outcomes,DX,1,x"], ["Line 2: the column system must be an address"]),
        ([HEADER, f"outcomes,{DX},\u00e9,x"], ["Line 2: the column system must be an address"]),
        ([HEADER, GOOD, GOOD], ["Line 3: this code is in the list already."]),
        ([HEADER, GOOD + ",more"], ["Line 2: there are 5 columns instead of 4."]),
        ([HEADER, "outcomes"], ["Line 2: there are 1 columns instead of 4."]),
        ([HEADER, f"outcomes,{DX},1,{'x' * 5000}"], ["Line 2: the column display is too long"]),
        ([HEADER, f"outcomes,{DX},1,a\x01b"], ["Line 2: the column display is too long or holds"]),
        ([HEADER, 'outcomes,"x'], ["Line 2: this is not CSV"]),
        ([HEADER, f"outcomes,{DX},9.99E+17,x"], ["Line 2: the column code: a spreadsheet shortened"]),
        (
            [HEADER, "outcomes,http://snomed.info/sct,999000000000000000,x"],
            ["Line 2: the column code: this is no SNOMED CT code"],
        ),
        ([HEADER, "drugs,,,", "", "fun,,,"], ["Line 2", "Line 2", "Line 2", "Line 2", "Line 4"]),
    ],
    ids=[
        *("nothing", "no header", "empty", "list", "system", "code", "twice", "too many", "too few", "long"),
        *("control", "no csv", "shortened", "rounded", "several"),
    ],
)
def test_faults_name_line_and_reason(lines: list[str], faults: list[str]) -> None:
    with pytest.raises(BadCodeFile) as caught:
        read_codes([f"{line}\n" for line in lines])
    assert len(caught.value.faults) >= len(faults)
    for told, expected in zip(caught.value.faults, faults, strict=False):
        assert told.startswith(expected)


@given(st.lists(st.text(max_size=40), max_size=5))
def test_anything_is_rows_or_faults(lines: list[str]) -> None:
    try:
        read_codes([f"{HEADER}\n", *lines])
    except BadCodeFile as bad:
        assert bad.faults


def test_every_list_has_what_is_published() -> None:
    assert set(PUBLISHED) == set(ListName)
    sizes = {name: len(each.codes) for name, each in PUBLISHED.items()}
    assert (sizes[ListName.OUTCOMES], sizes[ListName.ADJUSTMENTS]) == (15, 114)
    assert PUBLISHED[ListName.OUTCOMES].by_words["dx0116"].display.startswith("Emergency Ambulance")
