"""A message judged rule by rule: the very functions that judge real traffic, and what each of them found.

For a message that is only looked at the receiver's own endpoint is rehearsed: nothing of it is stored. Who
brings it was let in before, so its certificate is taken for granted, and it counts for no limit; all else is
what partners meet: headers, formats, sizes, and what becomes of a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from http import HTTPStatus
from io import BytesIO
from typing import Any, ClassVar

from django.core.handlers.wsgi import WSGIRequest
from django.http.request import HttpHeaders
from rest_framework.request import Request

from bars_portal.exchange.arrival import Arrival, StoredReply
from bars_portal.exchange.explaining.fragments import Fragment, fragment, header_fragment, where_it_breaks
from bars_portal.exchange.explaining.guidance import (
    ACCESS,
    APPLIED,
    CONTENT,
    ONCE,
    RULES,
    WELL_FORMED,
    WORKFLOW,
    RuleWords,
    in_order,
    rule_of,
)
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError
from bars_portal.exchange.fhir.rules import FindService, HostedService, Verdict, misfits
from bars_portal.exchange.inbound import Reading, Seen, code_of, hosted, read_message
from bars_portal.exchange.message_bytes import decode, mask
from bars_portal.exchange.receiver.authentication import Peer
from bars_portal.exchange.receiver.renderers import FhirResponse, OutcomeResponse
from bars_portal.exchange.receiver.views import ProcessMessageView
from bars_portal.exchange.registry import message_type, workflow_rows

Answering = Callable[[Arrival], StoredReply]


@dataclass(frozen=True)
class Letter:
    """A message as it came or as it would come: the bytes, compressed if they were, and its headers."""

    body: bytes
    headers: Mapping[str, str]
    peer: str = ""


class Rehearsal(ProcessMessageView):
    """The endpoint of messages for one that is only looked at: who brings it was let in before."""

    authentication_classes = ()  # type: ignore[assignment]  # none of the parent's
    throttle_classes = ()  # type: ignore[assignment]  # the same
    peer_name: ClassVar[str] = ""
    refused: tuple[Issue, ...] = ()

    def perform_authentication(self, request: Request) -> None:
        request.user = Peer(self.peer_name)  # type: ignore[assignment]  # never a User here

    def note(self, response: FhirResponse) -> None:
        """It is no partner's."""

    def keep_refusal(self, refusal: OutcomeResponse, exc: Exception) -> FhirResponse:
        self.refused = refusal.issues
        return refusal


@dataclass(frozen=True)
class Rehearsed:
    """What the endpoint answers, and whether the message got past it to what stands behind."""

    answer: StoredReply
    is_past_the_edge: bool


def rehearse(letter: Letter, answering: Answering) -> Rehearsed:
    """What the endpoint answers when `answering` does what `receive` does."""
    answered: list[StoredReply] = []

    def keep(arrival: Arrival) -> StoredReply:
        answered.append(answering(arrival))
        return answered[0]

    view = Rehearsal(answer=keep, peer_name=letter.peer)
    request = _request(letter)
    view.setup(request)
    view.dispatch(request)
    answer = StoredReply.refusing(view.refused) if view.refused else answered[0]
    return Rehearsed(answer, view.handed_over)


def _request(letter: Letter) -> WSGIRequest:
    environ: dict[str, Any] = {
        **HttpHeaders.to_wsgi_names(letter.headers),
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "CONTENT_LENGTH": str(len(letter.body)),
        "wsgi.input": BytesIO(letter.body),
        "wsgi.url_scheme": "https",
    }
    return WSGIRequest(environ)


class Result(StrEnum):
    """What became of one rule. Not judged: what it asks cannot be known of this message, or here."""

    PASSED = "passed"
    WARNING = "warning"
    REFUSED = "refused"
    NOT_REACHED = "not reached"
    NOT_JUDGED = "not judged"


class Party(StrEnum):
    """Who must mend it."""

    SENDER = "the sender"
    PROXY = "the proxy"
    RECEIVER = "the receiver"
    US = "us"


@dataclass(frozen=True)
class Breach:
    """One issue: in words, with the code that answers it, the places, who must mend it, and how."""

    says: str
    code: str
    places: tuple[Fragment, ...]
    party: Party
    mend: str
    is_warning: bool = False


@dataclass(frozen=True)
class Finding:
    """One rule or step, and what became of it; `note` says why it was not judged."""

    words: RuleWords
    result: Result
    breaches: tuple[Breach, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Explanation:
    """`answer` is what we would answer, as far as was tried; its body is empty when nothing refused."""

    findings: tuple[Finding, ...]
    answer: StoredReply
    warnings: tuple[Issue, ...] = ()
    # The rule whose breach decides the answer; "" when nothing refuses it.
    decisive: str = ""
    # The label of the message type, and the service that it is for; "" when it did not get that far.
    kind: str = ""
    service_id: str = ""
    # All that was asked of it before it is done: every rule, and that its kind can be read.
    was_read: bool = False
    # It is for a service that is not ours to know.
    is_for_others: bool = False

    @property
    def is_taken(self) -> bool:
        return self.answer.status == HTTPStatus.OK

    def with_result(self, *results: Result) -> tuple[Finding, ...]:
        """The findings with one of these results, what decides first."""
        found = (each for each in self.findings if each.result in results)
        return tuple(sorted(found, key=lambda each: each.words.rule != self.decisive))


# -- what each rule found


@dataclass
class Watched:
    """What is seen of a message on its way in, and for whom it is."""

    seen: Seen = field(default_factory=Seen)
    reading: Reading | None = None
    target_is_hosted: bool = False

    def read(self, arrival: Arrival, find: FindService) -> None:
        """Raises OutcomeError as `read_message` does."""
        target = arrival.headers.target
        self.target_is_hosted = isinstance(target, ServiceID) and find(target) is not None
        self.reading = read_message(arrival, find=find, seen=self.seen)


_DRY_RUN_TELLS = "A dry run tells."
_RECEIVER_KNOWS = (
    "Only the receiver of the message knows: it is for a service that your organisation does not run."
)


def explain(
    letter: Letter,
    *,
    find: FindService = hosted,
    skipped: Mapping[str, str] | None = None,
    ours: bool = False,
) -> Explanation:
    """What every rule says of it, up to what would be done about it. Never raises, whatever the letter holds.

    `find` looks up services; `skipped` are the steps that are not judged, and why. `ours`: we wrote it.
    """
    watched = Watched()

    def read(arrival: Arrival) -> StoredReply:
        watched.read(arrival, find)
        return StoredReply(HTTPStatus.OK, b"")

    notes = {ONCE: _DRY_RUN_TELLS, APPLIED: _DRY_RUN_TELLS, **(skipped or {})}
    return explained(letter, rehearse(letter, read), watched, unnamed=CONTENT, skipped=notes, ours=ours)


def explained(
    letter: Letter,
    rehearsed: Rehearsed,
    watched: Watched,
    *,
    unnamed: str,
    skipped: Mapping[str, str],
    ours: bool = False,
) -> Explanation:
    """`unnamed` is the step of what fails without a rule, which is our own failure."""
    answer, verdict = rehearsed.answer, watched.seen.verdict
    warnings = verdict.warnings if verdict else ()
    otherwise = unnamed if rehearsed.is_past_the_edge else ""
    by_rule: dict[str, list[Issue]] = {}
    for issue in (*answer.issues, *warnings):
        by_rule.setdefault(rule_of(issue, otherwise=otherwise), []).append(issue)
    is_for_others = verdict is not None and isinstance(verdict.service, StandIn)
    if is_for_others:
        by_rule.pop("receiver-provider", None)
        skipped = {**skipped, **dict.fromkeys(("destination-hosted", "receiver-provider"), _RECEIVER_KNOWS)}
        skipped.setdefault(ACCESS, _RECEIVER_KNOWS)
    reached, places = _reached(by_rule, verdict), Places(letter, watched, ours=ours)
    findings = []
    for words in in_order():
        issues = by_rule.get(words.rule, [])
        result = _result(words.rule, issues, reached, skipped)
        note = skipped.get(words.rule, "") if result is Result.NOT_JUDGED else ""
        findings.append(Finding(words, result, tuple(places.breach(words, each) for each in issues), note))
    service = verdict.service if verdict else None
    return Explanation(
        tuple(findings),
        answer,
        warnings,
        decisive=rule_of(answer.issues[0], otherwise=otherwise) if answer.issues else "",
        kind=message_type(verdict.row.message_key).label if verdict and verdict.row else "",
        service_id=service.service_id.value if service else "",
        was_read=watched.reading is not None,
        is_for_others=is_for_others,
    )


def _reached(by_rule: Mapping[str, list[Issue]], verdict: Verdict | None) -> frozenset[str]:
    """Which were judged at all: all up to what refused; the rules are judged together."""
    order = [each.rule for each in in_order()]
    refusing = [rule for rule, issues in by_rule.items() if any(not each.warning for each in issues)]
    last = max((order.index(rule) for rule in refusing), default=len(order) - 1)
    if verdict is not None:
        last = max(last, order.index(RULES[-1]))
    return frozenset(order[: last + 1])


def _result(rule: str, issues: list[Issue], reached: frozenset[str], skipped: Mapping[str, str]) -> Result:
    if any(not each.warning for each in issues):
        return Result.REFUSED
    if issues:
        return Result.WARNING
    if rule not in reached:
        return Result.NOT_REACHED
    return Result.NOT_JUDGED if rule in skipped else Result.PASSED


# -- where, and who must mend it

_OUR_FAILURES = frozenset(
    {OutcomeCode.TIMEOUT, OutcomeCode.SERVER_ERROR, OutcomeCode.NO_STORE, OutcomeCode.UNAVAILABLE}
)
_MENDING = {
    Party.US: "It was no fault of the sender. Look into our log at that time, and let it be sent again.",
    Party.PROXY: "The endpoint catalogue of the proxy leads messages for this service to us. Have its row "
    "corrected, or set the service up here.",
}


class Places:
    """Breaches with their places in one letter, which is read and masked once."""

    def __init__(self, letter: Letter, watched: Watched, *, ours: bool) -> None:
        self.letter, self.watched, self.ours = letter, watched, ours

    @cached_property
    def masked(self) -> Any:
        """The whole message; None for what is none. What is too much to be read has no place to be shown."""
        try:
            return mask(decode(self.letter.body))
        except OutcomeError:
            return None

    def breach(self, words: RuleWords, issue: Issue) -> Breach:
        party = Party.US if self.ours else self._party(words.rule, issue)
        mend = words.mend if self.ours else _MENDING.get(party, words.mend)
        places = tuple(each for each in self._places(words.rule, issue) if each is not None)
        return Breach(issue.diagnostics, code_of(issue), places, party, mend, issue.warning)

    def _places(self, rule: str, issue: Issue) -> Iterator[Fragment | None]:
        """One; of a combination that nobody knows, each of what does not belong to the rest."""
        bundle = self.watched.seen.bundle
        if rule == WORKFLOW and bundle is not None:
            yield from map(self._at, misfits(bundle, workflow_rows()))
        elif issue.expression:
            yield self._at(issue.expression[0])
        elif rule == WELL_FORMED:
            yield where_it_breaks(self.letter.body)

    def _at(self, path: str) -> Fragment | None:
        if path.startswith("http."):
            return header_fragment(self.letter.headers, path)
        if not path.startswith("Bundle"):
            return None
        # What could not be read whole is not shown, but its place has a name.
        return fragment(self.masked, path) if self.masked is not None else Fragment(path, ())

    def _party(self, rule: str, issue: Issue) -> Party:
        """Of a message to us."""
        if issue.code in _OUR_FAILURES:
            return Party.US
        if rule == "destination-hosted" and issue.code is OutcomeCode.NOT_FOUND:
            # The header names a service of ours: then the body contradicts it. Else the proxy was misled.
            return Party.SENDER if self.watched.target_is_hosted else Party.PROXY
        return Party.SENDER


# -- services that are not ours to know


class StandIn(HostedService):
    """A service of somebody else: it takes everything here, for only its receiver knows what it takes."""


def stand_in(service_id: ServiceID) -> HostedService:
    return StandIn(service_id, "", frozenset(UseCase))
