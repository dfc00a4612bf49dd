"""What was answered: ids echoed, a FHIR type, an OperationOutcome for an error (sections 3, 4, 6)."""

from collections.abc import Iterator

from bars_portal.simulator.verdicts.model import Check, look
from bars_portal.simulator.wire import Answer, Request


def check_answer(request: Request, answer: Answer | None) -> Iterator[Check]:
    """Of the receiver behind the proxy, or of the simulator where it played it."""
    if answer is None:
        yield look("4", False, "", "There was no answer")
        return
    for name, value in request.sent_ids():
        wrong = f"The answer does not echo {name}"
        yield look("3", answer.header(name) == value, f"The answer echoes {name}", wrong)
    media = answer.header("Content-Type")
    sound = media.startswith(("application/fhir+json", "application/fhir+xml", "application/json"))
    yield look("4", sound, "The answer is FHIR", f"The answer's type is {media or 'missing'}")
    if answer.status >= 400 and answer.header("Content-Encoding") != "gzip":
        told = b"OperationOutcome" in answer.body
        yield look("6", told, "The error is an OperationOutcome", "The error is no OperationOutcome")
