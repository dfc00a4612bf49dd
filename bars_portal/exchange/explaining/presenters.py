"""An explanation as a page and as lines of a terminal show it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bars_portal.exchange.explaining.explain import Explanation, Finding, Result
from bars_portal.exchange.explaining.stored import Change, status_words

_TONES = {
    Result.PASSED: "done",
    Result.WARNING: "attention",
    Result.REFUSED: "failed",
    Result.NOT_REACHED: "neutral",
    Result.NOT_JUDGED: "neutral",
}
_RESULT_WORDS = {
    Result.PASSED: "Passed",
    Result.WARNING: "Warning",
    Result.REFUSED: "Refused",
    Result.NOT_REACHED: "Not reached",
    Result.NOT_JUDGED: "Not judged",
}


@dataclass(frozen=True)
class ExplanationPage:
    """`broken`: what refused, the decisive rule first, then warnings."""

    explanation: Explanation
    broken: tuple[Finding, ...]

    @property
    def headline(self) -> str:
        """What becomes of it by today's rules."""
        refused = self.explanation.with_result(Result.REFUSED)
        if not refused:
            warned = len(self.explanation.with_result(Result.WARNING))
            return f"No rule refuses this message: {_counted(warned, 'warning')}"
        status = status_words(self.explanation.answer.status)
        return f"Refused with {status}: {_counted(len(refused), 'broken rule')}"

    def words(self, finding: Finding) -> str:
        return _RESULT_WORDS[finding.result]

    def tone(self, finding: Finding) -> str:
        return _TONES[finding.result]

    @property
    def counts(self) -> str:
        """ "38 passed, 2 warnings, 1 not judged" """
        found = [(each, len(self.explanation.with_result(each))) for each in Result]
        return ", ".join(
            _counted(number, result) if result is Result.WARNING else f"{number} {result}"
            for result, number in found
            if number
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def page_of(explanation: Explanation) -> ExplanationPage:
    broken = explanation.with_result(Result.REFUSED) + explanation.with_result(Result.WARNING)
    return ExplanationPage(explanation, broken)


def as_text(explanation: Explanation, then: Sequence[Change] = ()) -> Iterator[str]:
    """Line by line: the verdict, what is broken and where, then each rule with its result."""
    page = page_of(explanation)
    yield page.headline
    for finding in page.broken:
        decides = " (decides)" if finding.words.rule == explanation.decisive else ""
        yield ""
        yield f"{_RESULT_WORDS[finding.result]}: {finding.words.rule}{decides}"
        yield f"  Rule: {finding.words.sentence}"
        yield f"  Source: section {finding.words.section} of the standard; {finding.words.element}"
        for breach in finding.breaches:
            yield f"  Found: {breach.says} ({breach.code})"
            yield f"  To be mended by {breach.party}: {breach.mend}"
            for place in breach.places:
                yield f"  Place: {place.path} {place.within}".rstrip()
                yield from (f"  {'>' if line.is_marked else '|'} {line.text}" for line in place.lines)
    yield ""
    for finding in explanation.findings:
        note = f" ({finding.note})" if finding.note else ""
        yield f"{_RESULT_WORDS[finding.result]:<12} {finding.words.rule}{note}"
    if then:
        yield ""
        yield "The answer then, and now:"
        yield from (f"  {change.when:<5} {change.text}" for change in then)
