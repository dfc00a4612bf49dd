"""Numbers on the wire: JSON keeps the digits that were sent."""

import pickle

import orjson
import pytest
from hypothesis import given

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.json import ExactDecimal, decimal_text, parse_decimal
from bars_portal.exchange.fhir.outcomes import OutcomeError
from tests.unit.exchange_fhir_xml.strategies import DECIMALS


@given(DECIMALS)
def test_json_keeps_the_text(number: float) -> None:
    for body in (b'{"a":%s}', b'{"b":[1,%s],"c":{}}', b'{"a":%s,"c":"x"}'):
        sent = body % decimal_text(number).encode()
        assert json.dumps(json.loads(sent)) == sent


@pytest.mark.parametrize(
    "text",
    ["1e-7", "1E-7", "1e+22", "-0", "-0.0", "0.1", "1.50", "123456789012345678", "18446744073709551615"],
)
@pytest.mark.parametrize("body", ['{"a":%s}', '{ "a": %s }'], ids=["compact", "spaced"])
def test_every_writer_gives_the_text_back(body: str, text: str) -> None:
    number = json.loads((body % text).encode())["a"]
    assert decimal_text(number) == text
    assert json.dumps({"a": number}) == b'{"a":%s}' % text.encode()


@pytest.mark.parametrize(
    "text", ["", "1.", ".5", "+1", "01", "1e", "NaN", "1e999", "-1e999", "1,5", "1" * 65, "١"]
)
def test_what_is_no_decimal(text: str) -> None:
    with pytest.raises(ValueError, match="decimal"):
        parse_decimal(text)


def test_types_stay_plain_where_nothing_is_lost() -> None:
    assert [type(parse_decimal(text)) for text in ("7", "1.5", "1.50")] == [int, float, ExactDecimal]


def test_an_exact_decimal_survives_a_copy() -> None:
    copied = pickle.loads(pickle.dumps(parse_decimal("1.50")))
    assert (copied.text, copied) == ("1.50", 1.5)


@pytest.mark.parametrize(
    "body", [b'{"a":1e999}', b'{"a":1.' + b"1" * 99 + b"}", b'{"a":' + b"[" * 1010 + b"1.5"]
)
def test_what_no_float_holds_is_invalid(body: bytes) -> None:
    with pytest.raises(OutcomeError):
        json.loads(body)


def test_deep_json_with_a_decimal_is_refused_or_read() -> None:
    body = b'{"a":' + b"[" * 900 + b"1.50" + b"]" * 900 + b"}"
    assert orjson.loads(body)
    try:
        json.loads(body)
    except OutcomeError as error:
        assert error.status == 400


def test_texts_that_look_like_numbers_are_left_alone() -> None:
    body = b'{"a":"x, 1.50, y","b":"1.1.0","c":"2021-10-11T15:23:30.8185338+00:00"}'
    assert json.dumps(json.loads(body)) == body
