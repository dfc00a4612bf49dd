"""The message log over many messages: what a page of it reads does not grow with the table."""

from collections.abc import Callable
from functools import partial
from time import monotonic

import pytest
from django.db import connection

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
from tests.factories.messages import NOW, inbound, outbound
from tests.plans import multiply, plans, read_whole

pytestmark = pytest.mark.django_db

QUESTIONS = [
    Wanted(),
    Wanted(partner="2000070007"),
    Wanted(kind="booking-new"),
    Wanted(state="accepted"),
    Wanted(partner="2000070007", state="refused"),
    Wanted(waits=Waits.PERSON),
]
# Nothing fits, so all is read to its end: of a large table that was vacuumed, the index alone.
IN_VAIN = [Wanted(kind="validation-new"), Wanted(waits=Waits.ON_ITS_WAY)]


@pytest.fixture
def ours() -> Organisation:
    return make_organisation()


def fill(organisation: Organisation, messages: int) -> None:
    """Half of them sent, half received; three or two a conversation, with forty partners."""
    service = make_service(provider=organisation)
    shared = {
        "id": "gen_random_uuid()",
        "request_id": "gen_random_uuid()",
        "bundle_id": "gen_random_uuid()",
        "body": "''",
        # As wide as real ones.
        "headers": "jsonb_build_object('X', repeat(md5(n::text), 20))",
    }
    multiply(
        outbound(organisation),
        messages // 2,
        **shared,
        correlation_id="md5('c' || n / 3)::uuid",
        service_id="2000070000 + n % 40",
        created_at="kept.created_at - n * interval '1 second'",
    )
    multiply(
        inbound(service.service_id),
        messages // 2,
        **shared,
        correlation_id="md5('c' || n / 2)::uuid",
        source_service_id="2000070000 + n % 40",
        received_at="kept.received_at - n * interval '1 second'",
    )


def questions(organisation: Organisation, wanted: list[Wanted]) -> list[tuple[str, Callable[[], object]]]:
    known = OutboundMessage.objects.values_list("request_id", flat=True)[0]
    bundle = OutboundMessage.objects.values_list("bundle_id", flat=True)[0]
    listed = [(str(each), partial(list_conversations, organisation.pk, each, now=NOW)) for each in wanted]
    return [
        *listed,
        ("by request id", partial(conversation_called, organisation.pk, known)),
        ("by Bundle.id", partial(conversation_called, organisation.pk, bundle)),
    ]


def test_no_question_reads_a_table_whole(ours: Organisation) -> None:
    fill(ours, 5_000)
    for question, ask in questions(ours, QUESTIONS):
        for _, plan in plans(ask):
            assert not read_whole(plan), (question, plan)


@pytest.mark.thorough
def test_a_million_messages(ours: Organisation, capsys: pytest.CaptureFixture[str]) -> None:
    fill(ours, 1_000_000)
    began = monotonic()
    assert len(partners_of(ours.pk)) == 41
    took = {"partners": (monotonic() - began) * 1000}
    for question, ask in questions(ours, [*QUESTIONS, *IN_VAIN]):
        took[question] = sum(milliseconds for milliseconds, _ in plans(ask))
    with capsys.disabled():
        for question, milliseconds in took.items():
            print(f"{milliseconds:9.1f} ms  {question}")  # noqa: T201 - figures for who asks
    assert max(took.values()) < 1000
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM exchange_outboundmessage")
        assert cursor.fetchone()[0] == 500_001
