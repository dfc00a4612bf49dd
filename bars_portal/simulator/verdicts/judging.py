"""What is right and wrong in one exchange of the journal, by checks of the simulator's own."""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import parse_qsl
from uuid import UUID

from bars_portal.simulator.config import FHIR_BASE, TOKEN_PATH
from bars_portal.simulator.fhir import NotFhir, child, is_fhir, read_bundle
from bars_portal.simulator.headers import ORGANISATION_HEADER, TARGET_HEADER, decode_header
from bars_portal.simulator.journal import RECEIVED, Entry
from bars_portal.simulator.verdicts.message import Check, Message, Verdict, check_contents, check_counts, look
from bars_portal.simulator.wire import Answer, Request

PROCESS_MESSAGE = ("/$process-message", "/%24process-message")
IDS = ("X-Request-ID", "X-Correlation-ID")
# Header, whether every request needs it, and the member that it cannot do without.
NHSD = (
    (TARGET_HEADER, True, "value"),
    (ORGANISATION_HEADER, True, "identifier"),
    ("NHSD-Requesting-Software", True, "identifier"),
    ("NHSD-Requesting-Practitioner", False, "identifier"),
)
USE_CONTEXT = "use-context"
INCLUDES = ("Slot:schedule", "Schedule:actor:Practitioner", "Schedule:actor:HealthcareService")
SERVICE = "Schedule.actor:HealthcareService"
_REFUSED = {"401": "The access token is missing, unknown or expired", "403": "The application is not enabled"}


def judge(entry: Entry) -> Verdict:
    """Everything that can be looked at in this exchange; nothing for our own pages and drills."""
    return Verdict(tuple(_checks(entry)))


def _checks(entry: Entry) -> Iterator[Check]:
    yield from _access(entry)
    if not entry.request.raw_path.startswith(f"{FHIR_BASE}/") and "/FHIR/" not in entry.request.raw_path:
        return
    yield from _headers(entry.request)
    yield from _search(entry.request)
    if entry.request.raw_path.endswith(PROCESS_MESSAGE):
        yield from _message(entry.request)
    yield from _answer(entry.request, entry.answer)


def _message(request: Request) -> Iterator[Check]:
    try:
        bundle = read_bundle(request)
    except NotFhir:
        yield look("4", False, "", "The body is no FHIR Bundle in the format that its Content-Type names")
        return
    yield look(
        "4", is_fhir(bundle), "The structure is FHIR R4", "The model library does not take it as FHIR R4"
    )
    message = Message(bundle)
    yield from check_contents(message)
    yield from check_counts(message)


def _access(entry: Entry) -> Iterator[Check]:
    """What became of the signed JWT, or of the token that it was exchanged for."""
    if entry.request.raw_path == TOKEN_PATH:
        wrong = entry.scenario or f"The token request was refused with {entry.status}"
        yield look("2", entry.status == "200", "The signed JWT was accepted", wrong)
    elif entry.direction == RECEIVED:
        # A receiver says 401 too: only the proxy's own codes speak of the token.
        refused = entry.status in _REFUSED and entry.answer is not None and b"SEND_" in entry.answer.body
        yield look("2", not refused, "The access token was accepted", _REFUSED.get(entry.status, ""))


def _headers(request: Request) -> Iterator[Check]:
    """Ids, the NHSD headers, Accept, and use-context of a message."""
    for name in IDS:
        yield look("3", _is_uuid(request.header(name)), f"{name} is a UUID", f"{name} is missing or no UUID")
    if not request.raw_path.endswith(("/metadata", "/MessageDefinition")):
        yield from _nhsd(request)
    accept = request.header("Accept")
    yield look("4", "version=" in accept, "Accept names a version", "Accept names no version", note=True)
    if request.method == "POST":
        parts = request.header(USE_CONTEXT).split("|")
        wrong = f"{USE_CONTEXT} is not <use case>|<category>|<event>|<reason>"
        yield look(
            "3",
            len(parts) == 4 and all(parts),
            f"{USE_CONTEXT} has its four parts",
            wrong,
            note=True,
        )


def _nhsd(request: Request) -> Iterator[Check]:
    for name, needed, member in NHSD:
        sent = request.header(name)
        if not sent and not needed:
            continue
        sound = bool(child(decode_header(sent)).get(member))
        yield look("3", sound, f"{name} decodes", f"{name} is missing, or no base64 of JSON with {member}")


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _search(request: Request) -> Iterator[Check]:
    """A slot search has all it needs; definitions are asked for a context."""
    pairs = parse_qsl(request.query, keep_blank_values=True)
    if request.raw_path.endswith("/Slot"):
        yield from _slots(pairs)
    elif request.raw_path.endswith("/MessageDefinition"):
        given = any(name == "context" and value for name, value in pairs)
        yield look("7", given, "A context is given", "There is no context")


def _slots(pairs: list[tuple[str, str]]) -> Iterator[Check]:
    values = {name: [value for other, value in pairs if other == name] for name, _ in pairs}
    for name in (SERVICE, "status"):
        yield look("7", bool(values.get(name)), f"{name} is given", f"{name} is missing")
    bounds = Counter(value[:2] for value in values.get("start", []))
    right = bounds == {"ge": 1, "le": 1}
    # The seeds' own spelling has start=ge and end=le, which their test services take.
    yield look(
        "7",
        right,
        "start has its two bounds",
        "start is not given once with ge and once with le",
        note=True,
    )
    asked = {part for value in values.get("_include", []) for part in value.split(",")}
    for each in INCLUDES:
        yield look("7", each in asked, f"_include {each}", f"_include {each} is missing", note=True)


def _answer(request: Request, answer: Answer | None) -> Iterator[Check]:
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
        outcome = b"OperationOutcome" in answer.body
        yield look("6", outcome, "The error is an OperationOutcome", "The error is no OperationOutcome")
