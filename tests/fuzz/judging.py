"""What the answer to a shot must be; each fault is a sentence."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.fuzz.shots import Shot

_KINDS = {"OperationOutcome", "Bundle", "CapabilityStatement", "Appointment", "ServiceRequest"}
_REFUSED = 400


@dataclass(frozen=True)
class Answer:
    """Header names in lower case; the body without its transfer and content coding."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def breaches(shot: Shot, answer: Answer | None) -> list[str]:
    """[] when all is well. No answer at all is well only for what was no sound request."""
    if answer is None:
        return ["a sound request got no answer"] if shot.sound and not shot.cut else []
    if answer.status >= 500:
        return [f"status {answer.status}"]
    if not _is_fhir(answer):
        return [f"a bare {answer.status} to a sound request"] if shot.sound else []
    content = [] if shot.data.startswith(b"HEAD ") else _of_content(answer)
    return [*content, *(_of_ids(shot, answer) if shot.sound else ())]


def _is_fhir(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").startswith("application/fhir+")


def _of_content(answer: Answer) -> Iterator[str]:
    kind = _kind(answer)
    if kind not in _KINDS:
        yield f"a body of FHIR type that is {kind or 'no resource'}"
    elif (kind == "OperationOutcome") != (answer.status >= _REFUSED):
        yield f"status {answer.status} with {kind}"


def _of_ids(shot: Shot, answer: Answer) -> Iterator[str]:
    for name, sent in shot.ids.items():
        if answer.headers.get(name.lower()) != sent:
            yield f"{name} is not echoed"


def _kind(answer: Answer) -> str:
    try:
        if answer.headers["content-type"].startswith("application/fhir+xml"):
            return ET.fromstring(answer.body).tag.rpartition("}")[2]
        return str(json.loads(answer.body).get("resourceType", ""))
    except (ValueError, ET.ParseError, AttributeError):
        return ""
