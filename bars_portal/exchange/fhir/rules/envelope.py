"""The Bundle itself: its version and header, on which every other rule stands, and what it holds.

As many resources as its MessageDefinition says, and references that resolve.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import EncounterStatus, MessageReason
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.json import as_dict, as_list, as_text, dicts
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.profiles import DEFINITIONS, STANDARD_VERSION, DefinitionFacts
from bars_portal.exchange.fhir.rules.model import Facts, Rule, Severity, WorkflowRow, located, scan


def _type_is_message(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    if bundle.raw.get("type") != "message":
        yield Issue(OutcomeCode.INVARIANT, "Bundle.type is not message", ("Bundle.type",))


def _version(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    path = ("Bundle.meta.versionId",)
    if not bundle.version_id:
        yield Issue(OutcomeCode.INVARIANT, "Bundle.meta.versionId is missing", path)
    # With a suffix too: 1.0.0-beta is of our major.
    elif bundle.version_id.partition(".")[0] != STANDARD_VERSION.partition(".")[0]:
        words = f"Bundle.meta.versionId is not a version that is supported here, such as {STANDARD_VERSION}"
        yield Issue(OutcomeCode.VERSION_NOT_SUPPORTED, words, path)


def _has_id(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    if not bundle.id:
        yield Issue(OutcomeCode.REQUIRED, "Bundle.id is missing", ("Bundle.id",))


def _header_is_first(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    first = next((resource for _, resource in bundle.entries), {})
    if not bundle.header or first is not bundle.header:
        words = "The first entry of a message is not its MessageHeader"
        yield Issue(OutcomeCode.INVARIANT, words, ("Bundle.entry[0].resource",))
    elif len(bundle.of_type("MessageHeader")) > 1:
        yield Issue(OutcomeCode.INVARIANT, "The Bundle has more than one MessageHeader", ("Bundle.entry",))


def _has_stamps(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    if not as_text(bundle.raw.get("timestamp")):
        yield Issue(OutcomeCode.REQUIRED, "Bundle.timestamp is missing", ("Bundle.timestamp",))
    elif bundle.timestamp is None:
        words = "Bundle.timestamp is not a date and time with an offset"
        yield Issue(OutcomeCode.VALUE, words, ("Bundle.timestamp",))
    if not as_text(as_dict(bundle.raw.get("meta")).get("lastUpdated")):
        words = "Bundle.meta.lastUpdated is missing"
        yield Issue(OutcomeCode.REQUIRED, words, ("Bundle.meta.lastUpdated",), warning=True)


def _entries_hold_resources(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    if len(bundle.entries) != len(as_list(bundle.raw.get("entry"))):
        yield Issue(OutcomeCode.REQUIRED, "An entry of the Bundle has no resource", ("Bundle.entry",))


def _answers_something(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    if not bundle.event.endswith("-response") or bundle.response_identifier:
        return
    path = f"{bundle.path_of(bundle.header)}.response"
    if bundle.header.get("response"):
        words = "MessageHeader.response.identifier is missing: it names the message that is answered"
        yield Issue(OutcomeCode.INVARIANT, words, (f"{path}.identifier",))
    else:
        yield Issue(OutcomeCode.INVARIANT, "A response message has no MessageHeader.response", (path,))


RULES = (
    Rule("bundle-type", "6", "The Bundle is of type message.", _type_is_message),
    Rule("version", "6", "Bundle.meta.versionId names a version of the standard with our major.", _version),
    Rule("bundle-id", "5", "The Bundle has an id, which the answer repeats.", _has_id),
    Rule("header-first", "6", "The MessageHeader is the first entry and the only one.", _header_is_first),
    Rule("entry-resource", "6", "Every entry holds a resource.", _entries_hold_resources),
    Rule(
        "bundle-stamps",
        "6",
        "The Bundle says when it was made, and should say when it was last updated.",
        _has_stamps,
        Severity.EITHER,
    ),
    Rule("response-answers", "6", "A response names the message that it answers.", _answers_something),
)


def _definition(bundle: MessageBundle, facts: Facts) -> DefinitionFacts | None:
    """The definition that counts: the one that the header names, when it is of the message's event."""
    if facts.row is None:
        return None
    named = DEFINITIONS.get(bundle.definition)
    return named if named and named.event == facts.row.event else DEFINITIONS.get(facts.row.definition)


def _extra_encounter(bundle: MessageBundle, row: WorkflowRow, kind: str, count: int) -> bool:
    """Official updates and acknowledgements carry the receiver's Encounter beside the sender's."""
    if kind != "Encounter" or count != 2 or row.answers:
        return False
    planned = any(each.get("status") == EncounterStatus.PLANNED for each in bundle.of_type(kind))
    return planned or MessageReason.UPDATE in row.reasons


def _definition_fits(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    if facts.row is None or bundle.definition in facts.row.definitions:
        return
    path = (f"{bundle.path_of(bundle.header)}.definition",)
    named = DEFINITIONS.get(bundle.definition)
    if named is None:
        # Official examples name definitions that do not exist, or none.
        words = "MessageHeader.definition is missing or not a MessageDefinition that is known here"
        yield Issue(OutcomeCode.INVARIANT, words, path, warning=True)
    elif named.event != facts.row.event or not facts.row.is_stripped:
        # A cancel may carry all that the new message had; nothing else may be less than its own definition.
        words = "MessageHeader.definition is that of another kind of message"
        yield Issue(OutcomeCode.INVARIANT, words, path)


def _counts(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    definition = _definition(bundle, facts)
    if definition is None or facts.row is None:
        return
    for kind, (low, high) in definition.limits.items():
        count = len(bundle.of_type(kind))
        if count < low:
            yield _count_issue(kind, count, f"at least {low}", definition)
        elif high is not None and count > high:
            issue = _count_issue(kind, count, f"at most {high}", definition)
            yield replace(issue, warning=_extra_encounter(bundle, facts.row, kind, count))


def _count_issue(kind: str, count: int, wanted: str, definition: DefinitionFacts) -> Issue:
    words = f"The Bundle has {count} {kind}, where {definition.name} asks for {wanted}"
    return Issue(OutcomeCode.INVARIANT, words, (f"Bundle.entry.resource.ofType({kind})",))


def _nothing_else(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    """Only a warning: nothing is dropped because a definition does not list it."""
    definition = _definition(bundle, facts)
    if definition is None:
        return
    for kind, resources in bundle.by_type.items():
        if kind not in definition.limits:
            words = f"{bundle.path_of(resources[0])} is of a type that {definition.name} does not list"
            yield Issue(OutcomeCode.INVARIANT, words, (bundle.path_of(resources[0]),), warning=True)


_URN = "urn:uuid:"
_ABSOLUTE = re.compile(r"(?:https?://|urn:oid:)\S+")
# A case lives in several messages: its journey, booking and referral are named by id, not carried along.
_ELSEWHERE = re.compile(
    r"(?:EpisodeOfCare|Appointment|ServiceRequest|Encounter)/[A-Za-z0-9\-.]{1,64}"
    r"(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)


def _full_urls(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    seen: set[str] = set()
    for url, resource in bundle.entries:
        if fault := _fault_of(url, seen):
            path = bundle.path_of(resource).removesuffix(".resource") + ".fullUrl"
            yield Issue(fault[0], f"{path} {fault[1]}", (path,))
        seen.add(url.lower())


def _fault_of(url: str, seen: set[str]) -> tuple[OutcomeCode, str] | None:
    if not url:
        return OutcomeCode.REQUIRED, "is missing"
    if not _is_full_url(url):
        return OutcomeCode.VALUE, "is neither urn:uuid nor an absolute URL"
    if url.lower() in seen:
        return OutcomeCode.INVARIANT, "is the same as that of another entry"
    return None


def _is_full_url(url: str) -> bool:
    if url.startswith(_URN):
        return is_uuid(url[len(_URN) :])
    return _ABSOLUTE.fullmatch(url) is not None


def _references(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    if facts.row is not None and facts.row.is_stripped:
        return
    spoken_for = {id(each) for each in _header_references(bundle)}
    wrong = [
        (resource, each)
        for resource, each in (facts.elements or scan(bundle)).references
        if id(each) not in spoken_for and not _resolves(bundle, resource, each)
    ]
    if not wrong:
        return
    may_be_missing = {id(each) for each in _may_be_missing(bundle, facts)}
    for path, each in located(bundle, wrong):
        words, missed = f"{path} points at nothing in the Bundle", id(each) in may_be_missing
        yield Issue(OutcomeCode.INVARIANT, words, (f"{path}.reference",), warning=missed)


def _may_be_missing(bundle: MessageBundle, facts: Facts) -> Iterator[object]:
    """What an Encounter may name without bringing it along (standard section 12, "References")."""
    for encounter in bundle.of_type("Encounter"):
        yield from (each.get("location") for each in dicts(encounter.get("location")))
        if facts.row is not None and facts.row.answers:
            yield encounter.get("subject")
            yield from dicts(encounter.get("episodeOfCare"))


def _header_references(bundle: MessageBundle) -> list[object]:
    """Focus and receiver have rules of their own, which hold for cancels too."""
    receivers = [each.get("receiver") for each in dicts(bundle.header.get("destination"))]
    return [*list(dicts(bundle.header.get("focus")))[:1], *receivers[:1]]


def _resolves(bundle: MessageBundle, resource: Resource, reference: Resource) -> bool:
    text = as_text(reference.get("reference"))
    if text.startswith("#"):
        inside = (as_text(each.get("id")) for each in dicts(resource.get("contained")))
        return text == "#" or text[1:] in inside
    if bundle.resolve(text) is not None:
        return True
    return bool(_ABSOLUTE.fullmatch(text) or _ELSEWHERE.fullmatch(text))


RULES_ON_CONTENTS = (
    Rule(
        "definition-fits",
        "6",
        "The header names the definition of its kind of message (one that does not exist is only noted).",
        _definition_fits,
        Severity.EITHER,
    ),
    Rule(
        "counts",
        "6",
        "The Bundle holds as many of each resource as its definition says; the receiver's Encounter in an "
        "update or acknowledgement is only noted.",
        _counts,
        Severity.EITHER,
    ),
    Rule(
        "counts-listed",
        "6",
        "The Bundle should hold nothing but what is listed.",
        _nothing_else,
        Severity.WARNING,
    ),
    Rule("full-urls", "6", "Every entry has a fullUrl of its own.", _full_urls),
    Rule(
        "references",
        "6",
        "Every reference resolves, except in a cancel; a missing Encounter.location is only noted, and in a "
        "response a missing Encounter.subject or episodeOfCare.",
        _references,
        Severity.EITHER,
    ),
)
