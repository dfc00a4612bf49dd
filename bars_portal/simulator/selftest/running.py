"""Runs scenarios against a receiver."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from bars_portal.simulator.selftest.case import Case
from bars_portal.simulator.selftest.connections import OWN, Connections
from bars_portal.simulator.selftest.formats import NotFhir, decoded
from bars_portal.simulator.selftest.model import Exchange, Result, Scenario, Step, Verdict
from bars_portal.simulator.selftest.requests import make
from bars_portal.simulator.selftest.roles import ROLES, Offer, read_offer
from bars_portal.simulator.selftest.sending import NoAnswer, send
from bars_portal.simulator.selftest.slots import Slots
from bars_portal.simulator.selftest.values import Values

_CONTEXT = {"context": "https://fhir.nhs.uk/Id/dos-service-id|{{service}}"}
DEFINITIONS = Step("call", "GET /MessageDefinition", {"params": _CONTEXT})


class NotOffered(Exception):
    """The receiver does not say what it takes; the text says why."""


@dataclass(frozen=True)
class Settings:
    """Which service is tested, who we are (a DoS service id for replies), and the time of the run.

    `sent_request` is the Bundle.id of a validation request that the tested organisation sent itself.
    """

    service: str
    sender: str
    now: datetime
    sent_request: str = ""
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
            content = decoded(exchange.answer_body, exchange.answer_headers.get("content-type", ""))
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
        return Values(fixed, self._settings.now, self._slots.take)

    def _ask(self, step: Step) -> Exchange:
        return send(self._connections.client(OWN), make(step, self._values(""), []))
