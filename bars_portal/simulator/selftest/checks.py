"""What must come back: one small check for each word that a scenario's `expect` may hold."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bars_portal.simulator.fhir import NotFhir, as_the_library_reads, read_instant
from bars_portal.simulator.selftest.messages import PathError, Values, cut, values_at
from bars_portal.simulator.selftest.model import Exchange, Json

ERROR_SYSTEM = "https://fhir.nhs.uk/CodeSystem/http-error-codes"
_MEDIA_TYPE = re.compile(r"application/fhir\+(?:json|xml)(?:;\s*[\w.-]+=[\w.\-\"]+)*")
LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Answer:
    """An answer as it is judged; `content` is the FHIR in it, None when there was none."""

    exchange: Exchange
    content: Json | None
    values: Values

    def at(self, path: str) -> list[Any]:
        """Every value at a path of the answer."""
        return values_at(self.content, path) if self.content else []


# Gives what is not as it was expected, in plain words; nothing when all is well.
Check = Callable[[Answer, Any], Iterator[str]]


def shown(values: list[Any]) -> str:
    """Values for a finding, the first few and shortened."""
    return ", ".join(str(each)[:80] for each in values[:4]) or "missing"


def status(answer: Answer, wanted: Any) -> Iterator[str]:
    allowed = wanted if isinstance(wanted, list) else [wanted]
    if answer.exchange.status not in allowed:
        yield f"The status is {answer.exchange.status}, not {' or '.join(map(str, allowed))}"


def first_issue(name: str, path: str) -> Check:
    def check(answer: Answer, wanted: Any) -> Iterator[str]:
        actual = answer.at(f"OperationOutcome.issue[0].{path}")
        allowed = wanted if isinstance(wanted, list) else [wanted]
        if not actual or actual[0] not in allowed:
            yield f"The {name} is {shown(actual)}, not {' or '.join(allowed)}"

    return check


def expression(answer: Answer, wanted: Any) -> Iterator[str]:
    actual = answer.at("OperationOutcome.issue[0].expression[*]")
    if not any(wanted in each for each in actual):
        yield f"No expression of the first issue names {wanted}: {shown(actual)}"


def outcome(answer: Answer, _: Any) -> Iterator[str]:
    """The shape that section 6 asks of an OperationOutcome."""
    issue = f"{answer.exchange.status} - "
    first = "OperationOutcome.issue[0]"
    if answer.at(f"{first}.severity") not in (["error"], ["fatal"]):
        yield "The first issue's severity is not error"
    if answer.at(f"{first}.details.coding[0].system") != [ERROR_SYSTEM]:
        yield f"The system of details.coding is not {ERROR_SYSTEM}"
    codes = answer.at(f"{first}.details.coding[0].code")
    if answer.at(f"{first}.details.coding[0].display") != [f"{issue}{code}" for code in codes]:
        yield "The display of details.coding is not '<status> - <code>'"
    if not any(str(each).strip() for each in answer.at(f"{first}.diagnostics")):
        yield "The first issue has no diagnostics in plain words"


def echo(answer: Answer, _: Any) -> Iterator[str]:
    for name in ("x-request-id", "x-correlation-id"):
        sent = answer.exchange.headers.get(name)
        if sent is not None and answer.exchange.answer_headers.get(name) != sent:
            yield f"The header {name} was not echoed as it was sent"


def media_type(answer: Answer, wanted: str) -> Iterator[str]:
    actual = answer.exchange.answer_headers.get("content-type", "")
    if actual.partition(";")[0] != wanted or not _MEDIA_TYPE.fullmatch(actual):
        yield f"The Content-Type is {actual or 'missing'}, not {wanted} (with no blank before ;)"


def sized(answer: Answer, _: Any) -> Iterator[str]:
    actual = answer.exchange.answer_headers
    if "content-length" not in actual and actual.get("transfer-encoding") != "chunked":
        yield "The answer has neither Content-Length nor chunks"


def headers(answer: Answer, wanted: Mapping[str, str]) -> Iterator[str]:
    for name, value in wanted.items():
        actual = answer.exchange.answer_headers.get(name.lower())
        if actual != value:
            yield f"The header {name} is {actual or 'missing'}, not {value}"


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


def resource(answer: Answer, wanted: str) -> Iterator[str]:
    kind = answer.content.get("resourceType") if answer.content else None
    if kind != wanted:
        yield f"The answer is {kind or 'no FHIR resource'}, not {wanted}"


def equals(answer: Answer, wanted: Mapping[str, Any]) -> Iterator[str]:
    for path, value in answer.values.fill(dict(wanted)).items():
        if answer.at(path) != [value]:
            yield f"{path} is {shown(answer.at(path))}, not {value}"


def holds(answer: Answer, wanted: Mapping[str, Any]) -> Iterator[str]:
    for path, value in answer.values.fill(dict(wanted)).items():
        if value not in answer.at(path):
            yield f"{path} does not hold {value}: {shown(answer.at(path))}"


def lacks(answer: Answer, wanted: Mapping[str, Any]) -> Iterator[str]:
    for path, value in answer.values.fill(dict(wanted)).items():
        if value in answer.at(path):
            yield f"{path} holds {value}, which it must not"


def once_in_each(answer: Answer, wanted: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for kind, places in answer.values.fill(dict(wanted)).items():
        for number, resource in enumerate(answer.at(f"{kind}[*]"), 1):
            for path, value in places.items():
                count = values_at(resource, f"{kind}.{path}").count(value)
                if count != 1:
                    yield f"{kind} {number} has {value} {count} times in {path}, not once"


def free_of(answer: Answer, wanted: Mapping[str, str]) -> Iterator[str]:
    for path, text in answer.values.fill(dict(wanted)).items():
        if any(text in str(each) for each in answer.at(path)):
            yield f"{path} repeats what it must not"


def present(answer: Answer, wanted: list[str]) -> Iterator[str]:
    yield from (f"{path} is missing" for path in wanted if not answer.at(path))


def absent(answer: Answer, wanted: list[str]) -> Iterator[str]:
    yield from (f"{path} is there, which it must not" for path in wanted if answer.at(path))


def count(answer: Answer, wanted: Mapping[str, int]) -> Iterator[str]:
    for path, number in wanted.items():
        if len(answer.at(path)) != number:
            yield f"There are {len(answer.at(path))} of {path}, not {number}"


def counted_by(answer: Answer, wanted: Mapping[str, str]) -> Iterator[str]:
    for path, total in wanted.items():
        if answer.at(total) != [len(answer.at(path))]:
            yield f"{total} is {shown(answer.at(total))}, but there are {len(answer.at(path))} of {path}"


def only(answer: Answer, wanted: Mapping[str, list[Any]]) -> Iterator[str]:
    for path, allowed in wanted.items():
        others = {str(each) for each in answer.at(path) if each not in allowed}
        if others:
            yield f"{path} has other values than {', '.join(map(str, allowed))}: {', '.join(sorted(others))}"


def as_sent(answer: Answer, wanted: Mapping[str, list[str]]) -> Iterator[str]:
    for number, paths in wanted.items():
        sent = answer.values.requests[int(number) - 1]
        for path in paths:
            if sent is None or answer.at(path) != values_at(sent, path):
                yield f"{path} is not what was sent in request {number}"


def as_told(answer: Answer, wanted: Mapping[str, list[str]]) -> Iterator[str]:
    """The same values, in whatever order and number."""
    for number, paths in wanted.items():
        told = answer.values.answers[int(number) - 1]
        for path in paths:
            if told is None or set(map(str, answer.at(path))) != set(map(str, values_at(told, path))):
                yield f"{path} has not the values of answer {number}"


def uuids(answer: Answer, wanted: list[str]) -> Iterator[str]:
    for path in wanted:
        if not answer.at(path):
            yield f"{path} is missing"
        yield from (
            f"{path} is not a UUID of 36 characters" for each in answer.at(path) if not _is_uuid(each)
        )


def instants(answer: Answer, wanted: Mapping[str, str]) -> Iterator[str]:
    for path, text in answer.values.fill(dict(wanted)).items():
        actual = [_moment(each) for each in answer.at(path)]
        if actual != [_moment(text)]:
            yield f"{path} is {shown(answer.at(path))}, not the instant {text}"


def london(answer: Answer, wanted: list[str]) -> Iterator[str]:
    for path in wanted:
        for text in answer.at(path):
            moment = _moment(text)
            if moment is None or moment.utcoffset() != moment.astimezone(LONDON).utcoffset():
                yield f"{path} is {text}, which is not London time with its offset"
                break


def valid(answer: Answer, _: Any) -> Iterator[str]:
    try:
        as_the_library_reads(answer.content or {})
    except NotFhir:
        yield "The model library does not take the answer as FHIR R4"


def same_as(answer: Answer, wanted: Mapping[str, Any]) -> Iterator[str]:
    """The same as an earlier answer, both as the library reads them, but for what may differ."""
    other = answer.values.answers[int(wanted["answer"]) - 1]
    try:
        one, two = as_the_library_reads(answer.content or {}), as_the_library_reads(other or {})
    except NotFhir:
        yield "The model library does not take the answers as FHIR R4"
        return
    for each in (one, two):
        _leave_out(each, wanted.get("but_for", ()))
    if one != two:
        yield f"The answer is not the same as answer {wanted['answer']}"


def _leave_out(resource: Json, paths: Any) -> None:
    for path in paths:
        try:
            cut(resource, path)
        except PathError:
            continue


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == 36 and str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _moment(text: Any) -> datetime | None:
    try:
        moment = read_instant(str(text))
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else None


CHECKS: Mapping[str, Check] = {
    "status": status,
    "code": first_issue("error code", "details.coding[0].code"),
    "issue": first_issue("issue type", "code"),
    "expression": expression,
    "outcome": outcome,
    "echo": echo,
    "type": media_type,
    "sized": sized,
    "headers": headers,
    "has_headers": has_headers,
    "no_headers": no_headers,
    "resource": resource,
    "equals": equals,
    "holds": holds,
    "lacks": lacks,
    "once_in_each": once_in_each,
    "free_of": free_of,
    "present": present,
    "absent": absent,
    "count": count,
    "counted_by": counted_by,
    "only": only,
    "uuid": uuids,
    "instant": instants,
    "london": london,
    "as_sent": as_sent,
    "as_told": as_told,
    "hides": hides,
    "valid": valid,
    "same_as": same_as,
    "within": within,
}


def judge(answer: Answer, expected: Mapping[str, Any]) -> tuple[str, ...]:
    """What is not as expected, in plain words; nothing when all is well."""
    return tuple(finding for word, wanted in expected.items() for finding in CHECKS[word](answer, wanted))
