"""The examples of the how-tos run, and do what the pages say."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from bars_portal.demo import facts
from bars_portal.exchange import registry
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.capability import capability_statement, message_definitions
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.outcomes import ReadIssue
from bars_portal.exchange.fhir.rules import Facts, HostedService, judge
from bars_portal.exchange.registry import Outcome
from bars_portal.exchange.transport.judgement import Delivery
from bars_portal.simulator.tkw import tables
from bars_portal.simulator.tkw.tables import BY_STATUS
from bookings.explanations import BOOKING
from directory.models import ServiceType
from tests.unit.docs.markdown import ROOT, blocks
from tests.unit.exchange_fhir.factory import HEADER, SERVICE, booking

NOW = datetime(2030, 2, 1, 10, tzinfo=UTC)
KEY = "booking-update"


def examples(page: str, language: str = "python") -> list[str]:
    return list(blocks((ROOT / "docs" / "how-to" / f"{page}.md").read_text(), language))


def run(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(source, "how-to", "exec", dont_inherit=True), names)
    return names


@pytest.fixture
def new_type() -> Iterator[registry.MessageType]:
    """The how-to's message type, known for one test."""
    run(examples("add-a-message-type")[0])
    yield registry.message_type(KEY)
    del registry._registry.messages[KEY]


def test_a_new_message_type_is_listed(new_type: registry.MessageType) -> None:
    output = StringIO()
    call_command("list_message_types", stdout=output)
    assert output.getvalue() == examples("add-a-message-type", "text")[0]


def test_a_new_message_type_is_in_the_capability_statement(new_type: registry.MessageType) -> None:
    statement = capability_statement(software="x", version="1", now=NOW, rows=registry.workflow_rows())
    definitions = {each["definition"] for each in statement["messaging"][0]["supportedMessage"]}
    assert new_type.definition in definitions


def test_a_new_message_type_is_among_the_message_definitions(new_type: registry.MessageType) -> None:
    service = HostedService(ServiceID("2000099001"), "RIV01", frozenset({"a1t1"}), frozenset())
    found = message_definitions(service, registry.workflow_rows(), NOW)
    assert new_type.definition in {each["resource"]["url"] for each in found["entry"]}


def test_a_new_message_type_answers_with_its_focus(new_type: registry.MessageType) -> None:
    request = {"resourceType": "Appointment", "status": "booked"}
    header = {"resourceType": "MessageHeader", "focus": [{"reference": "urn:uuid:1"}]}
    entries = [{"fullUrl": "urn:uuid:0", "resource": header}, {"fullUrl": "urn:uuid:1", "resource": request}]
    parsed = new_type.parse(MessageBundle({"resourceType": "Bundle", "entry": entries}), now=NOW)
    context: Any = None
    applied = new_type.apply(parsed, context)
    assert isinstance(applied, registry.Applied)
    assert applied.focus == ("urn:uuid:1", request)


def test_such_messages_are_recognised_and_taken(new_type: registry.MessageType) -> None:
    message = booking()
    message["entry"][HEADER]["resource"]["reason"]["coding"][0]["code"] = "update"
    rows, hosted = registry.workflow_rows(), {SERVICE.service_id: SERVICE}
    verdict = judge(MessageBundle(message), find_service=hosted.get, workflows=rows)
    assert verdict.issues == ()
    assert verdict.row is not None
    assert verdict.row.message_key == KEY


def test_the_new_rule_finds_its_breach() -> None:
    (rule,) = run(examples("add-a-rule")[0])["RULES"]
    appointment = {"resourceType": "Appointment", "reasonCode": [{"text": "SECRET"}]}
    bundle = MessageBundle({"resourceType": "Bundle", "entry": [{"resource": appointment}]})
    (issue,) = rule.check(bundle, Facts(row=None, service=None))
    assert issue.warning
    assert "SECRET" not in str(issue)
    assert f'"{rule.id}"' in examples("add-a-rule")[1]


def test_the_new_demo_service_fits_the_table() -> None:
    (row,) = eval(examples("add-a-demo-service")[0].strip(), vars(facts))
    assert row.service_id not in {service.service_id for service in facts.SERVICES}
    assert row.service_type in ServiceType.values


def test_the_new_scenario_is_new_and_about_a_test_patient() -> None:
    cells = examples("add-a-simulator-scenario", "csv")[0].strip().split(",")
    assert len(cells) == len((tables.FOLDER / "scenarios.csv").read_text().partition("\n")[0].split(","))
    name, request, value, answer = cells[0], cells[4], cells[6], int(cells[7])
    assert name not in {row.name for row in tables.scenarios()}
    assert (request, value) not in {(row.request, row.value) for row in tables.scenarios()}
    assert value in {patient[3] for patient in facts.TEST_PATIENTS}
    assert answer in BY_STATUS


def test_the_postcode_import_says_what_the_page_says() -> None:
    output = StringIO()
    demo = ROOT / "bars_portal" / "demo" / "postcodes.csv"
    call_command("import_postcodes", str(demo), "--dry-run", stdout=output, no_color=True)
    assert output.getvalue() == examples("import-postcodes", "text")[0]


def test_a_field_of_the_booking_message_is_six_files_away() -> None:
    page = (ROOT / "docs" / "how-to" / "add-a-field-to-the-booking-message.md").read_text()
    assert len(re.findall(r"`(bookings/[\w/]+\.py)`", page)) == 6
    assert len([line for line in page.splitlines() if line]) <= 10


def test_each_refusal_is_worded_where_the_page_says() -> None:
    page = (ROOT / "docs" / "how-to" / "change-the-wording-of-a-refusal.md").read_text()
    assert len([line for line in page.splitlines() if line]) <= 10
    refused = Outcome(Delivery.REFUSED, "", issues=(ReadIssue("error", "conflict", "", "REC_CONFLICT", ""),))
    sentence = BOOKING.explain(refused)
    named = [ROOT / path for path in re.findall(r"`([\w/]+/explanations\.py)`", page)]
    assert [path.parent.name for path in named if sentence in path.read_text()] == ["bookings"]
