"""docs/rules.md is what the rules say today, and the command prints both forms."""

from io import StringIO
from pathlib import Path

from django.core.management import call_command

from bars_portal.exchange.fhir.rules import all_rules, table
from bars_portal.exchange.management.commands.list_rules import rules_page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "rules.md"


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("list_rules", *arguments, stdout=out)
    return out.getvalue()


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == printed("--markdown"), "run manage.py list_rules --markdown > docs/rules.md"


def test_every_rule_and_every_message_type_is_on_the_page() -> None:
    cells = [line.split("|")[1].strip() for line in rules_page().splitlines() if line.startswith("| `")]
    expected = [rule.id for rule in all_rules()] + [row.message_key for row in table.ROWS]
    assert cells == [f"`{name}`" for name in expected]


def test_the_list_has_a_line_for_every_rule() -> None:
    lines = [line.split("\t") for line in printed().splitlines()]
    assert lines == [[rule.id, rule.section, rule.severity, rule.sentence] for rule in all_rules()]
