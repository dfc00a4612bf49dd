"""Forms of values: ids, instants, London time, FHIR as the model library reads it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bars_portal.simulator.selftest.checks.answer import Answer, shown
from bars_portal.simulator.selftest.formats import NotFhir, as_the_library_reads
from bars_portal.simulator.selftest.model import Json
from bars_portal.simulator.selftest.paths import PathError, cut

LONDON = ZoneInfo("Europe/London")


def uuids(answer: Answer, wanted: list[str]) -> Iterator[str]:
    for path in wanted:
        if not answer.at(path):
            yield f"{path} is missing"
        yield from (
            f"{path} is not a UUID of 36 characters" for each in answer.at(path) if not _is_uuid(each)
        )


def instants(answer: Answer, wanted: Mapping[str, str]) -> Iterator[str]:
    for path, text in answer.values.fill(dict(wanted)).items():
        told = [_moment(each) for each in answer.at(path)]
        if told != [_moment(text)]:
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
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
