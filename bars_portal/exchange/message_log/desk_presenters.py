"""Dead letters and partners in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bars_portal.exchange.message_log.dead_letters import Act, Result, Shown, Trouble, trouble_of, why_not
from bars_portal.exchange.message_log.partners import Fault, Figures, together, whose_fault
from bars_portal.exchange.message_log.presenters import kind_words, milliseconds, named
from bars_portal.exchange.models import (
    CircuitState,
    DeadLetterDecision,
    Decision,
    OutboundMessage,
    PartnerCircuit,
    Resending,
)


@dataclass(frozen=True)
class ActWords:
    """`will`: what happens to each message."""

    button: str
    question: str
    will: str
    done: str


ACT_WORDS = {
    Act.TRY_AGAIN: ActWords(
        "Try again",
        "Try these messages again?",
        "The very same message goes out again, with the same ids, so nothing is done twice over there.",
        "queued to go out again",
    ),
    Act.SET_ASIDE: ActWords(
        "Set aside",
        "Set these messages aside?",
        "It leaves this list. Nothing is sent, and its booking or case stays as it is.",
        "set aside",
    ),
    Act.SETTLED: ActWords(
        "Settled with the service",
        "Are these messages settled with the service?",
        "It leaves this list, with what you write. Nothing is sent, and its booking or case stays as it is: "
        "whoever sent it puts that right on its own page.",
        "marked as settled with the service",
    ),
}


@dataclass(frozen=True)
class LetterLine:
    """`shown` is the value of its box: it names the message as it stands now."""

    shown: Shown | None
    # It may be sent as a new message.
    message_id: UUID
    is_resendable: bool
    conversation: UUID
    kind: str
    partner: str
    trouble: str
    reason: str
    sent_by: str
    sent_at: datetime
    stopped_at: datetime | None
    next_at: datetime | None


def letter_lines(messages: Iterable[OutboundMessage], known: Mapping[str, str]) -> list[LetterLine]:
    return [_letter(each, known) for each in messages]


def _letter(message: OutboundMessage, known: Mapping[str, str]) -> LetterLine:
    trouble = trouble_of(message)
    return LetterLine(
        shown=Shown(message.pk, message.settled_at) if message.settled_at else None,
        message_id=message.pk,
        is_resendable=trouble is Trouble.NOT_KNOWN,
        conversation=message.correlation_id,
        kind=kind_words(message.message_type),
        partner=named([message.service_id], known)[0],
        trouble=trouble.label if trouble else "",
        reason=message.reason,
        sent_by=message.actor_label,
        sent_at=message.created_at,
        stopped_at=message.settled_at,
        next_at=message.next_attempt_at if trouble is Trouble.STILL_TRIED else None,
    )


@dataclass(frozen=True)
class ResendingLine:
    """`is_mine`: the person who looks asked for it, so somebody else has to agree."""

    resending_id: int
    letter: LetterLine
    note: str
    asked_by: str
    asked_at: datetime
    is_mine: bool


def resending_lines(rows: Iterable[Resending], known: Mapping[str, str], user_id: int) -> list[ResendingLine]:
    return [
        ResendingLine(
            each.pk,
            _letter(each.message, known),
            each.note,
            each.asked_label,
            each.asked_at,
            each.needs_second and each.asked_by_id == user_id,
        )
        for each in rows
    ]


Forecasts = tuple[list[LetterLine], list[tuple[LetterLine, str]]]


def forecasts(messages: Iterable[OutboundMessage], act: Act, known: Mapping[str, str]) -> Forecasts:
    """Those to which it will happen, and the others with why it will not."""
    fit: list[LetterLine] = []
    unfit: list[tuple[LetterLine, str]] = []
    for message in messages:
        line, reason = _letter(message, known), why_not(message, act)
        if reason:
            unfit.append((line, reason))
        else:
            fit.append(line)
    return fit, unfit


def result_words(act: Act, result: Result) -> str:
    done = f"{_counted(result.done)} {ACT_WORDS[act].done}."
    if not result.left_out:
        return done
    return f"{done} {_counted(result.left_out)} left out: moved on meanwhile, or it does not fit."


def _counted(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"


@dataclass(frozen=True)
class DecisionLine:
    decision_id: int
    what: str
    kind: str
    partner: str
    note: str
    who: str
    at: datetime


def decision_lines(decisions: Iterable[DeadLetterDecision], known: Mapping[str, str]) -> list[DecisionLine]:
    return [
        DecisionLine(
            decision_id=each.pk,
            what=Decision(each.decision).label,
            kind=kind_words(each.message.message_type),
            partner=named([each.message.service_id], known)[0],
            note=each.note,
            who=each.actor_label,
            at=each.decided_at,
        )
        for each in decisions
    ]


# -- partners

_VERDICTS = {
    Fault.NOTHING: ("Nothing was sent to it in this time", "neutral"),
    Fault.NONE: ("It answers, and takes what is sent", "done"),
    Fault.THEM: ("It is them: this service gives no clear answer", "failed"),
    Fault.US: (
        "It is us: messages do not leave. Look at the token, the certificate and the network",
        "failed",
    ),
    Fault.BETWEEN: (
        "No partner gives a clear answer: look at the BaRS proxy, the network, then at us",
        "failed",
    ),
    Fault.REFUSING: ("It answers, and refuses much of what is sent: look at the codes", "attention"),
}


def verdict_words(fault: Fault) -> tuple[str, str]:
    """(sentence, tone of its tag)."""
    return _VERDICTS[fault]


@dataclass(frozen=True)
class PartnerLine:
    service_id: str
    name: str
    success: str
    median: str
    late: str
    circuit: str
    verdict: str
    tone: str
    is_fine: bool


def partner_lines(
    service_ids: Iterable[str],
    known: Mapping[str, str],
    figures: Mapping[str, Figures],
    circuits: Mapping[str, PartnerCircuit],
) -> list[PartnerLine]:
    """Those that are not well come first."""
    lines = [
        partner_line(
            each,
            known,
            figures.get(each, Figures()),
            together([other for key, other in figures.items() if key != each]),
            circuits.get(each),
        )
        for each in service_ids
    ]
    return sorted(lines, key=lambda line: (line.is_fine, line.name))


def partner_line(
    service_id: str, known: Mapping[str, str], own: Figures, others: Figures, circuit: PartnerCircuit | None
) -> PartnerLine:
    state = CircuitState(circuit.state) if circuit else CircuitState.CLOSED
    fault = whose_fault(own, others, state)
    verdict, tone = verdict_words(fault)
    return PartnerLine(
        service_id=service_id,
        name=named([service_id], known)[0],
        success=success_words(own),
        median=milliseconds(own.median_ms),
        late=milliseconds(own.late_ms),
        circuit=state.label,
        verdict=verdict,
        tone=tone,
        is_fine=fault in (Fault.NONE, Fault.NOTHING),
    )


def success_words(figures: Figures) -> str:
    """ "97.5% (39 of 40)"; "" when nothing was tried."""
    rate = figures.success_rate
    return "" if rate is None else f"{rate:.1%} ({figures.succeeded} of {figures.attempts})"
