from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.postcodes import BadPostcodeFile, PostcodeRow, Skipped, read_postcodes

HEADER = "pcd,pcd2,pcds,dointr,doterm,oseast1m,lat,long\n"
LIVE = '"LS1 4AP","LS1  4AP","LS1 4AP","198001","",429000,53.79648,-1.547849\n'


def lines(*rows: str) -> Iterator[str]:
    return iter([HEADER, *rows])


def test_reads_live_rows_and_skips_the_others() -> None:
    rows = lines(
        LIVE,
        "LS1 4AQ,LS1  4AQ,LS1 4AQ,198001,200012,429000,53.79,-1.54\n",
        "GY1 1AA,GY1  1AA,GY1 1AA,199706,,,99.999999,0.000000\n",
        "LS1 4AR,LS1  4AR,LS1 4AR,198001,,,,\n",
        "\n",
    )

    assert list(read_postcodes(rows)) == [
        PostcodeRow("LS14AP", 53.79648, -1.547849),
        Skipped.TERMINATED,
        Skipped.NO_POSITION,
        Skipped.NO_POSITION,
    ]


def test_header_names_count_without_case_and_byte_order_mark() -> None:
    rows = iter(["\ufeffPCD, LAT ,LONG\n", "LS14AP,53.8,-1.5\n"])

    assert list(read_postcodes(rows)) == [PostcodeRow("LS14AP", 53.8, -1.5)]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "Line 1: the header lacks the column pcds (or pcd), lat, long."),
        (["pcds,latitude,long\n"], "Line 1: the header lacks the column lat."),
        (["pcds,lat,long\n", "LS1 4AP,53.8\n"], "Line 2: too few columns."),
        (["pcds,lat,long\n", "LS1 4AP,north,-1.5\n"], "Line 2: the column lat is not a number."),
        (["pcds,lat,long\n", "LS1 4AP,53.8,nan\n"], "Line 2: the column long is not a number."),
        (
            ["pcds,lat,long\n", "LS1 4AP,5.38E+01,-1.5\n"],
            "Line 2: the column lat is not whole: a",
        ),
        (
            ["pcds,lat,long\n", "LS1 4AP,53.8,-1.5\n", "LS1,53.8,-1.5\n"],
            "Line 3: this is not a whole postcode.",
        ),
        (["pcds,lat,long\n", "LS1 4AP,-99,-1.5\n"], "Line 2: lat and long are not a place on the globe."),
        (["pcds,lat,long\n", '"LS1 4AP"x,53.8,-1.5\n'], "Line 2: this is not CSV"),
        (["pcds,lat,long\n", f"{'x' * 200_000},53.8,-1.5\n"], "Line 2: this is not CSV"),
    ],
)
def test_names_the_line_at_fault(rows: list[str], words: str) -> None:
    with pytest.raises(BadPostcodeFile) as fault:
        list(read_postcodes(iter(rows)))

    assert str(fault.value).startswith(words)


@given(st.lists(st.text(max_size=40), max_size=5))
def test_rows_of_any_kind_are_read_or_refused(rows: list[str]) -> None:
    try:
        for row in read_postcodes(lines(*rows)):
            assert isinstance(row, PostcodeRow | Skipped)
    except BadPostcodeFile:
        pass
