"""Puts the checks together for one exchange of the journal."""

from collections.abc import Iterator

from fhir.resources.R4B.bundle import Bundle

from bars_portal.simulator.config import FHIR_BASE
from bars_portal.simulator.journal import Entry
from bars_portal.simulator.reading import NotReadable, read_bundle
from bars_portal.simulator.verdicts.access import check_access
from bars_portal.simulator.verdicts.answers import check_answer
from bars_portal.simulator.verdicts.contents import check_contents
from bars_portal.simulator.verdicts.counts import check_counts
from bars_portal.simulator.verdicts.headers import check_headers
from bars_portal.simulator.verdicts.messages import Message
from bars_portal.simulator.verdicts.model import Check, Verdict, look
from bars_portal.simulator.verdicts.searches import check_search
from bars_portal.simulator.wire import Request

PROCESS_MESSAGE = ("/$process-message", "/%24process-message")


def judge(entry: Entry) -> Verdict:
    """Everything that can be looked at in this exchange; nothing for our own pages and drills."""
    return Verdict(tuple(_checks(entry)))


def _checks(entry: Entry) -> Iterator[Check]:
    yield from check_access(entry)
    if not entry.request.raw_path.startswith(f"{FHIR_BASE}/") and "/FHIR/" not in entry.request.raw_path:
        return
    yield from check_headers(entry.request)
    yield from check_search(entry.request)
    if entry.request.raw_path.endswith(PROCESS_MESSAGE):
        yield from _message(entry.request)
    yield from check_answer(entry.request, entry.answer)


def _message(request: Request) -> Iterator[Check]:
    try:
        bundle = read_bundle(request)
    except NotReadable:
        yield look("4", False, "", "The body is no FHIR Bundle in the format that its Content-Type names")
        return
    yield look(
        "4", _is_fhir(bundle), "The structure is FHIR R4", "The model library does not take it as FHIR R4"
    )
    message = Message(bundle)
    yield from check_contents(message)
    yield from check_counts(message)


def _is_fhir(bundle: dict[str, object]) -> bool:
    try:
        Bundle.model_validate(bundle)
    except (ValueError, LookupError, TypeError, AttributeError):
        return False
    return True
