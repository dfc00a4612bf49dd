"""What is in the FHIR of an answer, place by place."""

from collections.abc import Iterator, Mapping
from typing import Any

from bars_portal.simulator.selftest.checks.answer import Answer, shown
from bars_portal.simulator.selftest.paths import found


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
                count = found(resource, f"{kind}.{path}").count(value)
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
            if sent is None or answer.at(path) != found(sent, path):
                yield f"{path} is not what was sent in request {number}"
