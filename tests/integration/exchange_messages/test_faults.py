"""Every rule broken over HTTP; the full product of rules, types and both formats in `make thorough`.

Without HTTP every rule is broken for every type every day (tests/unit/exchange_fhir/test_rules_by_type.py).
"""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import NamedTuple

import pytest
from django.db import transaction

from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.outcomes import ERROR_CODE_SYSTEM, OutcomeCode
from bars_portal.exchange.fhir.rules import all_rules
from bars_portal.exchange.fhir.structure import RULE_ID as GATE
from bars_portal.exchange.models import InboundState
from tests.integration.exchange.calling import Json, fresh
from tests.integration.exchange_messages.world import World, domain_rows
from tests.profiles import is_thorough
from tests.unit.exchange_fhir.breaches import BREACHES, MISSHAPEN
from tests.unit.exchange_fhir.breaches_states import CATEGORY_BREACHES, STATE_BREACHES
from tests.unit.exchange_fhir.changes import paths_in
from tests.unit.exchange_fhir.factory import changed
from tests.unit.exchange_fhir.lapses import LAPSES
from tests.unit.exchange_fhir.samples import SAMPLES
from tests.unit.exchange_fhir.test_rules_by_type import counted

pytestmark = pytest.mark.django_db

TABLE = [*BREACHES, *STATE_BREACHES, *CATEGORY_BREACHES]


class Row(NamedTuple):
    """One way to break a message, and what its sender must be told."""

    name: str
    rule: str
    message: Json
    code: OutcomeCode
    path: str


def broken(key: str, *, every: bool = True) -> Iterator[Row]:
    """The rows of the tables that are about this type of message; not `every`: each row for one type only."""
    for number, (rule, keys, change, code, path) in enumerate(TABLE):
        if key in keys if every else key == turn(number, keys):
            raw = changed(fresh(SAMPLES[key]()), change)
            yield Row(f"{rule} ({number})", rule, raw, code, paths_in(raw, path))
    for number, ((rule, keys, change, *_), code, path) in enumerate(MISSHAPEN):
        if key in keys if every else key == turn(number, keys):
            yield Row(f"{rule}, by its shape", GATE, changed(fresh(SAMPLES[key]()), change), code, path)
    known: set[tuple[str, int]] = set()
    for kind_key, kind, number, alter in counted():
        if kind_key == key and (every or (kind, number) not in known):
            raw, path = fresh(SAMPLES[key]()), f"Bundle.entry.resource.ofType({kind})"
            alter(raw, kind, number)
            yield Row(f"{kind} {number}", "counts", raw, OutcomeCode.INVARIANT, path)
        known.add((kind, number))


def turn(number: int, keys: Collection[str]) -> str:
    """The type of message that shows the row."""
    return sorted(keys)[number % len(keys)]


def today(key: str, sent_as: Format) -> Iterator[Row]:
    """Each row in JSON, and one of each type in XML: once a message is read, the same code judges it."""
    if is_thorough():
        return broken(key)
    return broken(key, every=False) if sent_as is Format.JSON else islice(broken(key), 1)


@pytest.mark.parametrize("sent_as", Format)
@pytest.mark.parametrize("key", SAMPLES)
def test_what_breaks_a_rule_is_refused_whole(world: World, key: str, sent_as: Format) -> None:
    world.prepare(key)
    before = domain_rows()
    wrong = [
        f"{row.name}: {fault}"
        for row in today(key, sent_as)
        for fault in faults_of(world, row, sent_as, before)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("sent_as", Format)
@pytest.mark.parametrize("key", SAMPLES)
def test_a_lapse_is_taken_and_kept_with_the_message(world: World, key: str, sent_as: Format) -> None:
    mine = [(number, row) for number, row in enumerate(LAPSES) if key in row[1]]
    if not is_thorough():
        of_json = [(number, row) for number, row in mine if key == turn(number, row[1])]
        mine = of_json if sent_as is Format.JSON else mine[:1]
    for _, (rule, _, change, path) in mine:
        with transaction.atomic():
            # Without a reply address, or with another number, it would be about something else.
            world.prepare(key, *((change,) if rule in ("source-service", "nhs-number") else ()))
            raw = changed(fresh(SAMPLES[key]()), change)
            response = world.post(raw, sent_as)
            assert response.status_code == 200, (rule, response.content)
            found = [(each["rule"], each["expression"]) for each in world.stored().warnings]
            assert (rule, [paths_in(raw, path)]) in found
            transaction.set_rollback(True)


def test_every_rule_is_broken_by_a_row() -> None:
    """A new rule must come with a row; and each is broken for some message of every kind that it is about."""
    rows = [*TABLE, *LAPSES]
    assert {rule.id for rule in all_rules()} == {rule for rule, *_ in rows}
    for key in SAMPLES:
        assert len({row.rule for row in broken(key)}) >= 15, key


def faults_of(world: World, row: Row, sent_as: Format, before: object) -> Iterator[str]:
    """What is not as it should be about the refusal of one broken message."""
    body = sent_as.dumps(row.message)
    response = world.post(body, sent_as)
    world.assert_echoed(response)
    told = sent_as.loads(response.content)
    issue = told.get("issue", [{}])[0]
    coding = (issue.get("details") or {}).get("coding", [{}])[0]
    expected = {
        "status": row.code.status,
        "issue": row.code.issue,
        "severity": "error",
        "coding": {
            "system": ERROR_CODE_SYSTEM,
            "code": row.code.code,
            "display": f"{row.code.status} - {row.code.code}",
        },
        "expression": row.path,
        "rule": row.rule,
    }
    event = AuditEvent.objects.get(detail__request_id=world.receiver.sent["X-Request-ID"])
    got = {
        "status": response.status_code,
        "issue": issue.get("code"),
        "severity": issue.get("severity"),
        "coding": coding,
        "expression": issue.get("expression", [""])[0],
        "rule": event.detail["rule"],
    }
    if got != expected:
        yield f"{got}"
    if b"SECRET" in response.content:
        yield "the answer quotes the sender"
    stored = world.stored()
    if (bytes(stored.body), stored.state) != (body, InboundState.REFUSED):
        yield "the bytes are not kept"
    if domain_rows() != before:
        yield "something was written"
