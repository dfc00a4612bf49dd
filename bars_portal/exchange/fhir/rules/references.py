"""Full URLs and the references between resources."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.reading import as_text, dicts
from bars_portal.exchange.fhir.rules.elements import located, scan
from bars_portal.exchange.fhir.rules.model import Facts, Rule

_URN = "urn:uuid:"
_ABSOLUTE = re.compile(r"(?:https?://|urn:oid:)\S+")
# A case lives in several messages: its journey, booking and referral are named by id, not carried along.
_ELSEWHERE = re.compile(r"(?:EpisodeOfCare|Appointment|ServiceRequest|Encounter)/[A-Za-z0-9\-.]{1,64}")


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
    for path, _ in located(bundle, wrong):
        words = f"{path} points at nothing in the Bundle"
        yield Issue(OutcomeCode.INVARIANT, words, (f"{path}.reference",))


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


RULES = (
    Rule("full-urls", "6", "Every entry has a fullUrl of its own.", _full_urls),
    Rule("references", "6", "Every reference resolves, except in a cancel.", _references),
)
