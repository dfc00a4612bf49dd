"""Runs scenarios against a receiver: each with slots of its own, judged, and tidied up after."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from bars_portal.simulator.fhir import NotFhir
from bars_portal.simulator.selftest.checks import Answer, judge
from bars_portal.simulator.selftest.connections import (
    OWN,
    Connections,
    NoAnswer,
    Outgoing,
    make,
    send,
    send_copies,
)
from bars_portal.simulator.selftest.messages import PathError, UnknownPlaceholder, Values, values_at
from bars_portal.simulator.selftest.model import Done, Exchange, Json, Result, Scenario, Step, Verdict
from bars_portal.simulator.selftest.scenarios import ROLES, Offer, read_offer

_CONTEXT = {"context": "https://fhir.nhs.uk/Id/dos-service-id|{{service}}"}
DEFINITIONS = Step("call", "GET /MessageDefinition", {"params": _CONTEXT})
# Far enough ahead that the diary's next days are left alone.
FIRST_DAY, DAYS = 2, 14
Ask = Callable[[Step], Exchange]
# After every stamp that a scenario gives.
_LATER = "now+1d"
_OPEN = {"Appointment": "booked", "ServiceRequest": "active"}
REFUSED = frozenset({0, 401, 403})


class NoSlots(Exception):
    """The service offers no free slot to book."""


class NotOffered(Exception):
    """The receiver does not say what it takes; the text says why."""


@dataclass(frozen=True)
class Settings:
    """Which service is tested, who we are (a DoS service id for replies), and the time of the run.

    `sent_request` is the Bundle.id of a validation request that the tested organisation sent itself,
    `closed_slot` id, start and end of a slot that the service holds and does not offer, with bars between.
    """

    service: str
    sender: str
    now: datetime
    sent_request: str = ""
    closed_slot: str = ""
    # How many scenarios are under way at once.
    jobs: int = 1
    # Whether what a scenario left behind is taken back.
    tidy: bool = True


class Runner:
    """One run: what the service offers is asked once."""

    def __init__(self, connections: Connections, settings: Settings) -> None:
        self._connections = connections
        self._settings = settings
        self._slots = Slots(self._ask, now=settings.now)

    def offer(self) -> Offer:
        """The roles and use cases of the service, from its own definitions. Raises NotOffered."""
        try:
            exchange = self._ask(DEFINITIONS)
            content = exchange.content()
        except (NoAnswer, NotFhir) as problem:
            raise NotOffered(f"GET /MessageDefinition gave no FHIR answer ({problem})") from problem
        if exchange.status != 200:
            raise NotOffered(f"GET /MessageDefinition answered {exchange.status}")
        return read_offer(content)

    def run(self, scenarios: Iterable[Scenario], offer: Offer) -> Iterator[Result]:
        """The result of each in their order, as soon as it is there."""
        with ThreadPoolExecutor(self._settings.jobs) as pool:
            yield from pool.map(lambda each: self._result(each, offer), scenarios)

    def _result(self, scenario: Scenario, offer: Offer) -> Result:
        role, began = ROLES[scenario.role], time.monotonic()
        use_case = offer.use_case_for(role, scenario.use_case)
        if use_case is None:
            return Result(scenario, Verdict.SKIPPED, reason=f"The service is none that {role.words}")
        if scenario.answers_theirs and not self._settings.sent_request:
            reason = "It answers a request that was sent from there: name one with --sent-request"
            return Result(scenario, Verdict.SKIPPED, reason=reason)
        if scenario.asks_closed and not self._settings.closed_slot:
            reason = "It asks for a slot that the service does not offer: name one with --closed-slot"
            return Result(scenario, Verdict.SKIPPED, reason=reason)
        if not self._connections.offers(scenario.certificate):
            return Result(scenario, Verdict.SKIPPED, reason="There is no such certificate to show")
        case = Case(self._connections, scenario, self._values(use_case))
        result = case.run()
        if self._settings.tidy:
            case.tidy()
        return Result(
            scenario, result.verdict, result.done, result.reason, seconds=round(time.monotonic() - began, 3)
        )

    def _values(self, use_case: str) -> Values:
        fixed = {
            "service": self._settings.service,
            "sender": self._settings.sender,
            "use_case": use_case,
            "answers": self._settings.sent_request or "00000000-0000-4000-8000-000000000000",
        }
        if self._settings.closed_slot:
            parts = zip(("id", "start", "end"), self._settings.closed_slot.split("|"), strict=False)
            fixed |= {f"closed.{name}": value for name, value in parts}
        return Values(fixed, self._settings.now, self._slots.take)

    def _ask(self, step: Step) -> Exchange:
        return send(self._connections.client(OWN), make(step, self._values(""), []))


class Case:
    """One scenario while it runs."""

    def __init__(self, connections: Connections, scenario: Scenario, values: Values) -> None:
        self._client = connections.client(scenario.certificate)
        self._scenario = scenario
        self._values = values
        self._sent: list[Outgoing] = []
        self._done: list[Done] = []

    def run(self) -> Result:
        """Passed, failed with the findings, or skipped when the receiver has no slot for it."""
        try:
            for name in self._scenario.given:
                self._step(Step("send", name, expect={"status": 200}))
                if self._done[-1].findings:
                    return self._failed(f"What it builds on, {name}, was not taken")
            for step in self._scenario.steps:
                self._step(step)
        except NoSlots as problem:
            return Result(self._scenario, Verdict.SKIPPED, tuple(self._done), str(problem))
        except (PathError, UnknownPlaceholder, NotFhir, IndexError, KeyError) as problem:
            return self._failed(f"The scenario cannot be sent: {problem}")
        except NoAnswer as problem:
            return self._failed(f"There was no answer: {problem}")
        wrong = any(each.findings for each in self._done)
        return Result(self._scenario, Verdict.FAILED if wrong else Verdict.PASSED, tuple(self._done))

    def tidy(self) -> None:
        """Takes back what the scenario left behind; whether that works is not judged."""
        for step in clearing(self._values.answers):
            try:
                send(self._client, make(step, self._values, []))
            except (NoAnswer, PathError, NotFhir, UnknownPlaceholder):
                return

    def _failed(self, reason: str) -> Result:
        return Result(self._scenario, Verdict.FAILED, tuple(self._done), reason)

    def _step(self, step: Step) -> None:
        if "refused" in step.expect:
            self._refused(step)
            return
        outgoing = make(step, self._values, self._sent)
        copies = int(step.options.get("copies", 1))
        exchanges = sorted(send_copies(self._client, outgoing, copies), key=lambda each: each.status)
        self._sent.append(outgoing)
        self._values.requests.append(outgoing.message)
        self._values.answers.append(_content(exchanges[0]))
        for number, exchange in enumerate(exchanges):
            # One of several copies is served, all others told that it is being or was done.
            wanted = step.expect if copies == 1 else step.expect["others" if number else "one"]
            findings = judge(Answer(exchange, _content(exchange), self._values), wanted)
            self._done.append(Done(exchange, findings))

    def _refused(self, step: Step) -> None:
        """No handshake, no answer, or a clear no: each is a refusal of the certificate."""
        outgoing = make(step, self._values, self._sent)
        try:
            exchange = send(self._client, outgoing)
        except NoAnswer as problem:
            exchange = _unanswered(outgoing, str(problem))
        findings = (
            () if exchange.status in REFUSED else (f"It was answered with {exchange.status}, not refused",)
        )
        self._done.append(Done(exchange, findings))


def _content(exchange: Exchange) -> Json | None:
    try:
        return exchange.content()
    except NotFhir:
        return None


def _unanswered(outgoing: Outgoing, why: str) -> Exchange:
    """What a report shows of a connection that was refused: status 0."""
    body = f"No answer: {why}".encode()
    return Exchange(outgoing.method, outgoing.path, outgoing.headers, outgoing.body, 0, {}, body, 0.0)


class Slots:
    """Asks once, hands out one after the other."""

    def __init__(self, ask: Ask, *, now: datetime) -> None:
        self._ask = ask
        self._now = now
        self._lock = Lock()
        self._free: list[Mapping[str, str]] | None = None

    def take(self, _name: str) -> Mapping[str, str]:
        """id, start and end of a slot that nobody else was given. Raises NoSlots."""
        with self._lock:
            if self._free is None:
                self._free = self._search()
            if not self._free:
                raise NoSlots("the service offers no free slot in the next two weeks")
            return self._free.pop()

    def _search(self) -> list[Mapping[str, str]]:
        start, end = (self._now + timedelta(days=each) for each in (FIRST_DAY, FIRST_DAY + DAYS))
        bounds = [f"ge{start.isoformat(timespec='seconds')}", f"le{end.isoformat(timespec='seconds')}"]
        exchange = self._ask(Step("call", "GET /Slot", {"slots": True, "params": {"start": bounds}}))
        slots = values_at(_content(exchange) or {}, "Slot[*]")
        return [{name: str(each.get(name)) for name in ("id", "start", "end")} for each in slots]


def clearing(answers: Iterable[Json | None]) -> Iterator[Step]:
    """A cancel for everything that the last answer about it says is still open."""
    last = {resource["id"]: resource for answer in answers if answer for resource in _answered(answer)}
    for resource in last.values():
        if resource.get("status") == _OPEN[resource["resourceType"]]:
            yield _cancel(resource)


def _answered(answer: Json) -> list[Json]:
    if answer.get("type") != "message" or not values_at(answer, "Bundle.entry"):
        return []
    # A response is heard, not held: there is nothing to take back.
    if values_at(answer, "MessageHeader.eventCoding.code") == ["servicerequest-response"]:
        return []
    resources: list[Any] = [each for kind in _OPEN for each in values_at(answer, kind)]
    return [each for each in resources if each.get("id")]


def _cancel(resource: Json) -> Step:
    kind = resource["resourceType"]
    kept = ("id", "start", "end") if kind == "Appointment" else ("id", "category")
    places = {f"{kind}.{name}": resource[name] for name in kept if name in resource}
    return Step("send", _template(resource), {"stamped": _LATER, "set": places})


def _template(resource: Json) -> str:
    if resource["resourceType"] == "Appointment":
        return "booking-cancel"
    codes = values_at(resource, "ServiceRequest.category[*].coding[*].code")
    return "validation-cancel" if "validation" in codes else "referral-cancel"
