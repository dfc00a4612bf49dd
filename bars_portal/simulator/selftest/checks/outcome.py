"""Status and OperationOutcome."""

from collections.abc import Iterator
from typing import Any

from bars_portal.simulator.selftest.checks.answer import Answer, Check, shown

ERROR_SYSTEM = "https://fhir.nhs.uk/CodeSystem/http-error-codes"


def status(answer: Answer, wanted: Any) -> Iterator[str]:
    allowed = wanted if isinstance(wanted, list) else [wanted]
    if answer.exchange.status not in allowed:
        yield f"The status is {answer.exchange.status}, not {' or '.join(map(str, allowed))}"


def first_issue(name: str, path: str) -> Check:
    def check(answer: Answer, wanted: Any) -> Iterator[str]:
        told = answer.at(f"OperationOutcome.issue[0].{path}")
        allowed = wanted if isinstance(wanted, list) else [wanted]
        if not told or told[0] not in allowed:
            yield f"The {name} is {shown(told)}, not {' or '.join(allowed)}"

    return check


def expression(answer: Answer, wanted: Any) -> Iterator[str]:
    told = answer.at("OperationOutcome.issue[0].expression[*]")
    if not any(wanted in each for each in told):
        yield f"No expression of the first issue names {wanted}: {shown(told)}"


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
