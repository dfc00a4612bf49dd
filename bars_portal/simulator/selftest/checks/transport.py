"""Headers, types and times of an answer."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bars_portal.simulator.selftest.checks.answer import Answer

_MEDIA_TYPE = re.compile(r"application/fhir\+(?:json|xml)(?:;\s*[\w.-]+=[\w.\-\"]+)*")


def echo(answer: Answer, _: Any) -> Iterator[str]:
    for name in ("x-request-id", "x-correlation-id"):
        sent = answer.exchange.headers.get(name)
        if sent is not None and answer.exchange.answer_headers.get(name) != sent:
            yield f"The header {name} was not echoed as it was sent"


def media_type(answer: Answer, wanted: str) -> Iterator[str]:
    told = answer.exchange.answer_headers.get("content-type", "")
    if told.partition(";")[0] != wanted or not _MEDIA_TYPE.fullmatch(told):
        yield f"The Content-Type is {told or 'missing'}, not {wanted} (with no blank before ;)"


def sized(answer: Answer, _: Any) -> Iterator[str]:
    told = answer.exchange.answer_headers
    if "content-length" not in told and told.get("transfer-encoding") != "chunked":
        yield "The answer has neither Content-Length nor chunks"


def headers(answer: Answer, wanted: Mapping[str, str]) -> Iterator[str]:
    for name, value in wanted.items():
        told = answer.exchange.answer_headers.get(name.lower())
        if told != value:
            yield f"The header {name} is {told or 'missing'}, not {value}"


def has_headers(answer: Answer, wanted: list[str]) -> Iterator[str]:
    yield from (
        f"There is no header {name}" for name in wanted if name.lower() not in answer.exchange.answer_headers
    )


def no_headers(answer: Answer, wanted: list[str]) -> Iterator[str]:
    yield from (
        f"There is a header {name}" for name in wanted if name.lower() in answer.exchange.answer_headers
    )


def hides(answer: Answer, wanted: list[str]) -> Iterator[str]:
    body = answer.exchange.answer_body.decode("utf-8", "replace")
    for number, text in enumerate(answer.values.fill(wanted), 1):
        if text in body:
            yield f"The answer repeats what it must not (number {number} of the list)"


def within(answer: Answer, wanted: float) -> Iterator[str]:
    if answer.exchange.seconds > wanted:
        yield f"It took {answer.exchange.seconds:.1f} s, longer than {wanted} s"
