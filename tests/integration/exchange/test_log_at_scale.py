"""The message log over many messages: what a page of it reads does not grow with the table."""

import json
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bars_portal.accounts.models import Organisation
from bars_portal.exchange.message_log.conversations import (
    Waits,
    Wanted,
    conversation_called,
    list_conversations,
    partners_of,
)
from bars_portal.exchange.models import OutboundMessage
from tests.factories.accounts import make_organisation
from tests.factories.directory import make_service
from tests.factories.messages import NOW

pytestmark = pytest.mark.django_db

_SENT = """
    INSERT INTO exchange_outboundmessage (id, message_type, subject_type, subject_id,
        organisation_id, actor_label, request_id, correlation_id, bundle_id, service_id, headers, body,
        state, reason, created_at, settled_at, repeats)
    SELECT gen_random_uuid(), 'booking-new', 'bookings.booking', n, %s, 'Chris', gen_random_uuid(),
        md5('c' || n / 3)::uuid, gen_random_uuid(), 2000070000 + n %% 40, '{}', '', 'accepted', '',
        %s::timestamptz - n * interval '1 second', %s::timestamptz - n * interval '1 second', 0
    FROM generate_series(1, %s) AS n
"""
_RECEIVED = """
    INSERT INTO exchange_inboundmessage (id, request_id, correlation_id, bundle_id, message_type,
        service_id, source_service_id, sender_ods_code, peer, headers, body, received_at, state, completed_at,
        status_code, warnings, starts_conversation)
    SELECT gen_random_uuid(), gen_random_uuid(), md5('c' || n / 2)::uuid, '', 'booking-new',
        (%s::text[])[1 + n %% 2], 2000070000 + n %% 40, 'RX111', 'proxy', '{}', '',
        %s::timestamptz - n * interval '1 second', 'accepted', %s, 200, '[]', false
    FROM generate_series(1, %s) AS n
"""


def fill(organisation: Organisation, services: list[str], messages: int) -> None:
    """Half of them sent, half received; three or two a conversation."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(_SENT, [organisation.pk, NOW, NOW, messages // 2])
        cursor.execute(_RECEIVED, [services, NOW, NOW, messages // 2])
        cursor.execute("ANALYZE exchange_outboundmessage, exchange_inboundmessage")


QUESTIONS = [
    Wanted(),
    Wanted(partner="2000070007"),
    Wanted(kind="booking-new"),
    Wanted(state="accepted"),
    # Nothing fits: the index alone is read to its end, never the table.
    Wanted(kind="validation-new"),
    Wanted(partner="2000070007", state="refused"),
    Wanted(waits=Waits.PERSON),
    Wanted(waits=Waits.ON_ITS_WAY),
]


def plans(organisation: Organisation) -> Iterator[tuple[object, float, Any]]:
    """(question, milliseconds, plan) of each statement behind it."""
    known = OutboundMessage.objects.values_list("request_id", flat=True)[0]
    asked: list[tuple[object, Any]] = [
        *((each, lambda each=each: list_conversations(organisation.pk, each, now=NOW)) for each in QUESTIONS),
        ("by request id", lambda: conversation_called(organisation.pk, known)),
    ]
    for question, ask in asked:
        with CaptureQueriesContext(connection) as captured:
            ask()
        for statement in [each["sql"] for each in captured.captured_queries]:
            if "exchange_" in statement:
                with connection.cursor() as cursor:
                    cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement.replace("%", "%%"), [])
                    plan = cursor.fetchone()[0]
                found = (json.loads(plan) if isinstance(plan, str) else plan)[0]
                yield question, found["Execution Time"], found["Plan"]


def nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


@pytest.fixture
def ours() -> Organisation:
    return make_organisation()


def prepared(ours: Organisation, messages: int) -> None:
    services = [make_service(provider=ours).service_id for _ in range(2)]
    fill(ours, services, messages)


def test_no_question_reads_a_table_whole(ours: Organisation) -> None:
    prepared(ours, 20_000)
    seen = 0
    for question, _, plan in plans(ours):
        seen += 1
        for node in nodes(plan):
            big = node["Node Type"] == "Seq Scan" and node.get("Relation Name", "").startswith("exchange_")
            assert not (big and node["Actual Rows"] > 1000), (question, plan)
            assert node["Node Type"] != "Hash Join" or node["Actual Rows"] < 1000, (question, plan)
    assert seen > len(QUESTIONS)


@pytest.mark.thorough
def test_a_million_messages(ours: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
    prepared(ours, 1_000_000)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")
    slowest: dict[object, float] = {}
    began = monotonic()
    assert len(partners_of(ours.pk)) == 40
    slowest["partners"] = (monotonic() - began) * 1000
    for question, took, _ in plans(ours):
        slowest[question] = max(took, slowest.get(question, 0))
    with capsys.disabled():
        for question, took in slowest.items():
            print(f"{took:9.1f} ms  {question}")  # noqa: T201 - figures for who asks
    assert max(slowest.values()) < 2000
