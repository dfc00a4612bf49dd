import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.postcodes import InvalidPostcode, UKPostcode


@pytest.mark.parametrize(
    ("text", "outward", "inward"),
    [
        ("LS1 4AP", "LS1", "4AP"),
        ("ls14ap", "LS1", "4AP"),
        (" Ls1-4aP ", "LS1", "4AP"),
        ("W1A 1AA", "W1A", "1AA"),
        ("EC1A1BB", "EC1A", "1BB"),
        ("M1 1AE", "M1", "1AE"),
        ("DN55 1PT", "DN55", "1PT"),
        ("GIR 0AA", "GIR", "0AA"),
        ("LS1", "LS1", ""),
        ("ec1a", "EC1A", ""),
        ("M1", "M1", ""),
    ],
)
def test_reads_whole_and_half_postcodes(text: str, outward: str, inward: str) -> None:
    postcode = UKPostcode.parse(text)

    assert (postcode.outward, postcode.inward) == (outward, inward)
    assert postcode.is_whole is bool(inward)
    assert postcode.compact == outward + inward
    assert str(postcode) == f"{outward} {inward}".strip()
    assert postcode.length_when_whole == len(outward) + 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "LS",
        "1LS",
        "LS1 4A",
        "LS1 4AC",
        "LS1 44P",
        "LS1 4AP 5",
        "LSS1 4AP",
        "LS123 4AP",
        "%",
        "LS1%",
        "LS1\x00",
        "\u0661S1",
        "L" * 10_000,
    ],
)
def test_refuses_the_rest_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidPostcode) as refusal:
        UKPostcode.parse(text)

    assert str(refusal.value) == "This is not a UK postcode"


@given(st.text(max_size=30))
def test_never_fails_in_another_way(text: str) -> None:
    try:
        postcode = UKPostcode.parse(text)
    except InvalidPostcode:
        return
    assert UKPostcode.parse(str(postcode)) == postcode
    assert postcode.compact.isascii()
    assert len(postcode.compact) <= 8
