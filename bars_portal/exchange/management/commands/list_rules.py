"""Every rule on messages, one line each, or the page that documents them, generated from the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bars_portal.exchange.fhir.codes import CAD_USE_CASES, REFERRAL_USE_CASES, VALIDATION_USE_CASES
from bars_portal.exchange.fhir.rules import all_rules
from bars_portal.exchange.fhir.rules.model import Condition, Part, WorkflowRow
from bars_portal.exchange.fhir.rules.table import ROWS

_INTRO = """# Rules on messages

Written by `manage.py list_rules --markdown`; a test compares this page with the code.

Every message that arrives is judged by these rules, in this order. All breaches are found and listed; the
first one refused decides the answer. *Warning* means that the message is taken and the finding is kept with
it: mostly these are slips that official examples make too. *Section* is that of the standard.
"""
_TABLE = """
## The workflow table

What event, reason, category, use case and focus say a message is. Anything else is refused.
"""
_GROUPS = (
    (CAD_USE_CASES, "Application 6"),
    (REFERRAL_USE_CASES - CAD_USE_CASES, "all referrals but Application 6"),
    (REFERRAL_USE_CASES, "all referrals"),
    (VALIDATION_USE_CASES, "Application 4"),
    (frozenset[str](), "any"),
)
_PARTS = {
    Part.ONLY: "",
    Part.REQUESTER: " of the requester",
    Part.RESPONDER: " of the responder",
}


def rules_page() -> str:
    """docs/rules.md, with a line feed at its end."""
    rules = ((f"`{rule.id}`", rule.section, rule.severity, rule.sentence) for rule in all_rules())
    rows = map(_row, ROWS)
    columns = ("Message", "Event", "Reason", "Focus", "Category", "Use case", "Also", "Definition")
    return "\n".join(
        (
            _INTRO,
            *_table(("Rule", "Section", "A breach is", "What it says"), rules),
            _TABLE,
            *_table(columns, rows),
            "",
        )
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _row(row: WorkflowRow) -> tuple[str, ...]:
    return (
        f"`{row.message_key}`",
        row.event,
        _reasons(row),
        f"{row.focus_type} {_either(row.focus_statuses)}{_by_encounter(row)}",
        _either(row.categories) or "any",
        _use_cases(row.use_cases),
        "; ".join(map(_condition, row.conditions)) or "nothing",
        _either(url.rpartition("/")[2].removeprefix("bars-message-") for url in row.definitions),
    )


def _reasons(row: WorkflowRow) -> str:
    if not row.pairs:
        return _either(row.reasons)
    return "; ".join(f"{reason} ({status})" for reason, status in sorted(row.pairs))


def _condition(condition: Condition) -> str:
    words = f"{condition.resource_type}{_PARTS[condition.part]} {_either(condition.statuses)}"
    words += f", class {condition.class_code}" if condition.class_code else ""
    words += ", with a reason" if condition.needs_reason else ""
    words += f" where the focus is {_either(condition.when_focus)}" if condition.when_focus else ""
    return words + (f" ({_use_cases(condition.use_cases)})" if condition.use_cases else "")


def _use_cases(codes: frozenset[str]) -> str:
    return next((name for group, name in _GROUPS if group == codes), ", ".join(sorted(codes)))


def _by_encounter(row: WorkflowRow) -> str:
    """Where the responder's Encounter may be the focus instead."""
    return f", or Encounter {_either(row.by_encounter)}" if row.by_encounter else ""


def _either(words: Iterable[str]) -> str:
    return " or ".join(sorted(map(str, words)))


class Command(BaseCommand):
    help = "List the rules that messages must satisfy, in the order in which they decide."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--markdown", action="store_true", help="print docs/rules.md")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["markdown"]:
            self.stdout.write(rules_page(), ending="")
            return
        for rule in all_rules():
            self.stdout.write(f"{rule.id}\t{rule.section}\t{rule.severity}\t{rule.sentence}")
