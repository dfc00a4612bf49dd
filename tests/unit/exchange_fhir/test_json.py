"""JSON: one object in, the same object out; everything else is refused without being quoted."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), values, max_size=4))
def test_what_is_written_reads_back(value: dict[str, object]) -> None:
    assert json.loads(json.dumps(value)) == value


def test_a_byte_order_mark_is_skipped() -> None:
    assert json.loads(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"SECRET"',
        b"{",
        b'{"a":NaN}',
        b'{"SECRET":Infinity}',
        b"[" * 9000,
        b"\xff",
        b"<a/>",
    ],
)
def test_anything_but_an_object_is_invalid(body: bytes) -> None:
    with pytest.raises(OutcomeError) as caught:
        json.loads(body)
    assert caught.value.issues[0].code is OutcomeCode.INVALID
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(
    st.from_regex(r"\A-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?\Z"),
    st.sampled_from(["", " ", "\n"]),
)
@example("1e-05", "")
@example("1.5e-05", "")
@example("-0", "")
def test_every_decimal_is_written_as_it_was_read(text: str, space: str) -> None:
    """Also where texts look like numbers, and numbers stand at the end of arrays and objects."""
    body = f'{{"a":[1,{text}{space}],"b":"v1.{text[-1]}","c":{{"d":{space}{text}}}}}'
    again = json.dumps(json.loads(body.encode())).decode()
    assert again == "".join(body.split())
