"""One scenario while it runs: its requests one after the other, each judged."""

from collections.abc import Sequence
from typing import Any

from bars_portal.simulator.selftest.checks import Answer, judge
from bars_portal.simulator.selftest.connections import Connections
from bars_portal.simulator.selftest.formats import NotFhir, decoded
from bars_portal.simulator.selftest.model import Done, Exchange, Json, Result, Scenario, Step, Verdict
from bars_portal.simulator.selftest.paths import PathError
from bars_portal.simulator.selftest.requests import Outgoing, make
from bars_portal.simulator.selftest.sending import NoAnswer, send, send_copies
from bars_portal.simulator.selftest.slots import NoSlots
from bars_portal.simulator.selftest.tidying import clearing
from bars_portal.simulator.selftest.values import UnknownPlaceholder, Values

REFUSED = frozenset({0, 401, 403})


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
        exchanges = (
            send_copies(self._client, outgoing, copies) if copies > 1 else [send(self._client, outgoing)]
        )
        self._sent.append(outgoing)
        self._values.requests.append(outgoing.message)
        if copies > 1:
            self._judge_copies(exchanges, step.expect)
        else:
            self._judge(exchanges[0], step.expect)

    def _judge(self, exchange: Exchange, expected: Any) -> None:
        content = _content(exchange)
        self._values.answers.append(content)
        findings = judge(Answer(exchange, content, self._values), expected)
        self._done.append(Done(exchange, findings))

    def _judge_copies(self, exchanges: Sequence[Exchange], expected: Any) -> None:
        """One of them is served, all others told that it is being or was done."""
        ordered = sorted(exchanges, key=lambda each: each.status)
        self._values.answers.append(_content(ordered[0]))
        for number, exchange in enumerate(ordered):
            wanted = expected["one"] if number == 0 else expected["others"]
            findings = judge(Answer(exchange, _content(exchange), self._values), wanted)
            self._done.append(Done(exchange, findings))

    def _refused(self, step: Step) -> None:
        """No handshake, no answer, or a clear no: each is a refusal of the certificate."""
        outgoing = make(step, self._values, self._sent)
        try:
            exchange = send(self._client, outgoing)
        except NoAnswer as problem:
            exchange = _unanswered(outgoing, str(problem))
        told = () if exchange.status in REFUSED else (f"It was answered with {exchange.status}, not refused",)
        self._done.append(Done(exchange, told))


def _content(exchange: Exchange) -> Json | None:
    try:
        return decoded(exchange.answer_body, exchange.answer_headers.get("content-type", ""))
    except NotFhir:
        return None


def _unanswered(outgoing: Outgoing, why: str) -> Exchange:
    """What a report shows of a connection that was refused: status 0."""
    told = f"No answer: {why}".encode()
    return Exchange(outgoing.method, outgoing.path, outgoing.headers, outgoing.body, 0, {}, told, 0.0)
