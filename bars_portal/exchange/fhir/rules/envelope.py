"""The Bundle itself, its version and its header: what every other rule stands on."""

from __future__ import annotations

from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.profiles import STANDARD_VERSION
from bars_portal.exchange.fhir.reading import as_dict, as_list, as_text
from bars_portal.exchange.fhir.rules.model import Facts, Rule, Severity


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
