"""What a scenario is once it was read; the files that testers write are in scenarios/."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bars_portal.simulator.fhir import Resource, decoded

Json = Resource


class Verdict(StrEnum):
    """What became of a scenario."""

    PASSED = "passed"
    FAILED = "failed"
    # Nothing was learnt about the receiver: it offers no such thing, or what the scenario needs is not here.
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Step:
    """One request (or several copies at once) and what must come back.

    `does` is what to do, one key of steps.DOES and its value; `options` vary it; `expect` is judged.
    """

    does: str
    what: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """One demand of the standard in plain words, and the steps that show it."""

    id: str
    name: str
    group: str
    section: str
    role: str
    use_case: str
    certificate: str
    given: tuple[str, ...]
    steps: tuple[Step, ...]
    # Whether it answers a request that the tested organisation has sent (its Bundle.id must be known).
    answers_theirs: bool = False
    # Whether it asks for a slot that the tested service holds and does not offer now.
    asks_closed: bool = False


@dataclass(frozen=True)
class Exchange:
    """A request as it went out, and the answer as it came; header names are lower-case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer_headers: Mapping[str, str]
    answer_body: bytes
    seconds: float

    def content(self) -> Json:
        """The FHIR in the answer. Raises NotFhir."""
        return decoded(self.answer_body, self.answer_headers.get("content-type", ""))


@dataclass(frozen=True)
class Done:
    """One request of a scenario that ran. `findings` say what was expected and what came instead."""

    exchange: Exchange
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """A scenario and what became of it; `reason` says why it was skipped or could not go on."""

    scenario: Scenario
    verdict: Verdict
    done: tuple[Done, ...] = ()
    reason: str = ""
    seconds: float = 0.0

    @property
    def findings(self) -> tuple[str, ...]:
        """Everything that is wrong, the reason first."""
        findings = tuple(finding for each in self.done for finding in each.findings)
        return (self.reason, *findings) if self.reason else findings
