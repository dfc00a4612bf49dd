"""The published examples and the checker of the published profiles; skipped when they are not here."""

import json
import re
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bars_portal.exchange.fhir import json as fhir_json
from bars_portal.exchange.fhir.bundle import (
    HeaderFacts,
    MessageBundle,
    new_message,
    reply,
    searchset,
    triage_tool,
)
from bars_portal.exchange.fhir.capability import capability_statement, message_definitions
from bars_portal.exchange.fhir.codes import KNOWN_CODES, MessageEvent, MessageReason, UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, operation_outcome, read_outcome
from bars_portal.exchange.fhir.profiles import Definition
from bars_portal.exchange.fhir.replies import shortfall
from bars_portal.exchange.fhir.rules import HostedService, Verdict, judge, table
from bars_portal.exchange.fhir.structure import check_structure
from bars_portal.simulator.tkw.messages import acknowledge, understand
from tests.contract.published import PUBLISHED, UNPUBLISHED, Change, Json, example
from tests.fhir_check import assert_no_errors

NOW = datetime(2030, 2, 1, 10, tzinfo=UTC)
SERVICE = HostedService(ServiceID("2000099001"), "RR8", frozenset({"a1t1"}))
HUB = HostedService(SERVICE.service_id, "RR8", frozenset(UseCase))
NEW, CANCEL = table.BOOKING_NEW, table.BOOKING_CANCELLED
ROWS = (NEW, CANCEL)
# The standard asks for these; the package's list of error codes is older and does not have them.
NEWER_CODES = {"REC_NOT_ACCEPTABLE", "REC_TOO_EARLY", "REC_TOO_MANY_REQUESTS", "REC_SERVICE_UNAVAILABLE"}


def for_our_service(raw: dict[str, Any]) -> dict[str, Any]:
    """The example with the one change that its tests are allowed: the service it is for."""
    raw["entry"][0]["resource"]["destination"][0]["endpoint"] = SERVICE.service_id.token
    return raw


def check(shared_dir: Path, folder: Path, *resources: dict[str, Any]) -> None:
    """Run the published checker; fail with its errors."""
    for number, each in enumerate(resources):
        (folder / f"{number}.json").write_bytes(fhir_json.dumps(each))
    assert_no_errors(shared_dir, folder)


def verdict_on(raw: Json) -> Verdict:
    hosted = {HUB.service_id: HUB}
    assert check_structure(raw) == ()
    return judge(MessageBundle(raw), find_service=hosted.get, workflows=table.ROWS)


@pytest.mark.parametrize(("start", "expected"), PUBLISHED.items())
def test_an_official_message_is_taken(
    shared_dir: Path, start: str, expected: tuple[str, tuple[str, ...]]
) -> None:
    key, lapses = expected
    verdict = verdict_on(for_our_service(example(shared_dir, start)))
    assert (verdict.issues, verdict.row, verdict.service) == ((), table.row(key), HUB)
    assert set(lapses) <= {issue.rule for issue in verdict.warnings}


def test_every_published_message_is_tried(shared_dir: Path) -> None:
    for path in sorted((shared_dir / "fhir" / "examples").glob("*.json")):
        if fhir_json.loads(path.read_bytes()).get("type") == "message":
            assert [start for start in PUBLISHED if path.name.startswith(start)], path.name


@pytest.mark.parametrize(
    ("like", "key", "changes"), [pytest.param(*row[1:], id=row[0]) for row in UNPUBLISHED]
)
def test_a_described_message_is_taken(
    shared_dir: Path, like: str, key: str, changes: tuple[Change, ...]
) -> None:
    raw = for_our_service(example(shared_dir, like))
    for change in changes:
        change(raw)
    verdict = verdict_on(raw)
    assert (verdict.issues, verdict.row) == ((), table.row(key))


def test_every_official_message_passes_the_structural_gate(shared_dir: Path) -> None:
    for path in sorted((shared_dir / "fhir" / "examples").glob("*.json")):
        raw = fhir_json.loads(path.read_bytes())
        if raw["resourceType"] == "Bundle":
            assert check_structure(raw) == (), path.name
            assert MessageBundle(raw).entries, path.name
        else:
            assert read_outcome(path.read_bytes())[0].code, path.name


def test_an_official_referral_is_no_message_that_bookings_take(shared_dir: Path) -> None:
    raw = for_our_service(example(shared_dir, "REFREQ01"))
    hosted = {SERVICE.service_id: SERVICE}
    (issue, *_) = judge(MessageBundle(raw), find_service=hosted.get, workflows=ROWS).issues
    assert (issue.rule, issue.code) == ("workflow", OutcomeCode.INVARIANT)


def test_the_answer_to_an_official_booking_has_no_error(shared_dir: Path, tmp_path: Path) -> None:
    request = MessageBundle(example(shared_dir, "BOOKREQ01"))
    assert request.focus is not None
    (slot,) = request.of_type("Slot")
    focus = {**request.focus, "id": "9f41ba91-d69a-4269-a558-54a20b79c4f2"}
    check(
        shared_dir,
        tmp_path,
        reply(request, now=NOW, focus=focus, included=[(request.full_url_of(slot), slot)]),
    )


def test_a_message_of_ours_has_no_error(shared_dir: Path, tmp_path: Path) -> None:
    official = MessageBundle(example(shared_dir, "BOOKREQ01"))
    receiver, sender = official.of_type("Organization")[1:]
    message = new_message(
        bundle_id="aaaaaaaa-0000-4000-8000-00000000000a",
        now=NOW,
        event=MessageEvent.BOOKING_REQUEST,
        reason=MessageReason.NEW,
        definition=Definition.BOOKING_REQUEST,
        facts=HeaderFacts(
            SERVICE.service_id,
            ServiceID("2000088001"),
            source_name="Sender",
            software="Portal",
            version="0.1.0",
            contact="0113 496 0000",
            triage_tools=triage_tool("Requester", "Pathways", "30.2.0"),
        ),
        receiver_url=official.full_url_of(receiver),
        sender_url=official.full_url_of(sender),
        focus_url=official.focus_url,
        entries=official.entries[1:],
    )
    check(shared_dir, tmp_path, message)


def test_what_the_receiver_says_of_itself_has_no_error(shared_dir: Path, tmp_path: Path) -> None:
    outcome_id = "6f1c0d0e-0000-4000-8000-000000000001"
    outcomes = [
        operation_outcome([Issue(code, "Words", ("Bundle.id",))], outcome_id=outcome_id)
        for code in OutcomeCode
        if code.code not in NEWER_CODES
    ]
    statement = capability_statement(software="Portal", version="0.1.0", now=NOW, rows=ROWS)
    nothing = searchset(bundle_id=outcome_id, now=NOW, self_link="Slot", matches=[])
    check(shared_dir, tmp_path, statement, message_definitions(SERVICE, ROWS, NOW), nothing, *outcomes)


@pytest.mark.parametrize("system", KNOWN_CODES)
def test_our_codes_are_the_published_ones(shared_dir: Path, system: str) -> None:
    text = (shared_dir / "fhir" / "messages.md").read_text()
    listed = text.partition(f"- `{system}` v")[2].partition("\n- ")[0].partition(" (the examples")[0]
    published = dict(re.findall(r"`([^`]+)` (.+?)(?:;|\n|$)", listed))
    assert {code: display.strip() for code, display in published.items()} == KNOWN_CODES[system]


@pytest.mark.parametrize("url", [Definition.BOOKING_REQUEST, Definition.BOOKING_REQUEST_CANCELLED])
def test_our_definitions_are_the_published_ones(shared_dir: Path, url: Definition) -> None:
    published = published_definition(shared_dir, url)
    (ours,) = [
        entry["resource"]
        for entry in message_definitions(SERVICE, ROWS, NOW)["entry"]
        if entry["resource"]["url"] == url
    ]
    assert ours["focus"] == published["focus"]
    assert ours["version"] == published["version"]


def published_definition(shared_dir: Path, url: str) -> dict[str, Any]:
    (package,) = (shared_dir / "fhir" / "packages").glob("*bars*snapshots.tgz")
    with tarfile.open(package) as archive:
        for member in archive:
            stream = archive.extractfile(member) if "MessageDefinition" in member.name else None
            found: dict[str, Any] = json.load(stream) if stream else {}
            if found.get("url") == url:
                return found
    raise AssertionError("The package has no such definition")


def test_the_published_acknowledgement_counts_as_one(shared_dir: Path) -> None:
    """It lacks the ids that the standard promises; its own planned Encounter is there."""
    asked, answer = (MessageBundle(example(shared_dir, each)) for each in ("VALREQ01", "VALRESP01 "))
    assert shortfall(asked, answer) == ""


@pytest.mark.parametrize("start", [name for name in PUBLISHED if name != "VALRESP01 "])
def test_the_test_services_answers_count(shared_dir: Path, start: str) -> None:
    """As the simulated national test service acknowledges every published message."""
    message = understand(example(shared_dir, start))
    answer = acknowledge(message, gives=str(message.focus.get("id") or uuid4()), now=NOW)
    asked = MessageBundle(example(shared_dir, start))
    assert shortfall(asked, MessageBundle(answer)) == ""
