"""Accepted messages of every type, changed at random: no 5xx, never half of one, always the bytes."""

from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.models import InboundState
from bookings.models import Booking, Slot
from referrals.cases.models import (
    CaseReply,
    CaseStatusChange,
    CaseVersion,
    Referral,
    UnmatchedReply,
    ValidationCase,
)
from tests.integration.exchange.calling import fresh
from tests.integration.exchange.mutating import as_json, mutated, mutated_xml
from tests.integration.exchange_messages.world import World, domain_rows
from tests.profiles import examples
from tests.unit.exchange_fhir.samples import SAMPLES

pytestmark = pytest.mark.django_db
FEW = settings(max_examples=examples(6, thorough=120), deadline=None, suppress_health_check=list(HealthCheck))
# Both forms meet in the same code once they are read.
FEWER = settings(FEW, max_examples=examples(3, thorough=120))
FORMATS = st.sampled_from(list(Format))


@pytest.mark.parametrize("key", SAMPLES)
def test_in_json(world: World, key: str) -> None:
    world.prepare(key)

    @FEW
    @given(bundle=mutated(fresh(SAMPLES[key]())), wanted=FORMATS)
    def check(bundle: dict[str, Any], wanted: Format) -> None:
        try_out(world, as_json(bundle), Format.JSON, wanted)

    check()


@pytest.mark.parametrize("key", SAMPLES)
def test_in_xml(world: World, key: str) -> None:
    world.prepare(key)

    @FEWER
    @given(body=mutated_xml(Format.XML.dumps(fresh(SAMPLES[key]()))), wanted=FORMATS)
    def check(body: bytes, wanted: Format) -> None:
        try_out(world, body, Format.XML, wanted)

    check()


def try_out(world: World, body: bytes, sent_as: Format, wanted: Format) -> None:
    """One changed message, undone afterwards."""
    with transaction.atomic():
        before = domain_rows()
        response = world.post(body, sent_as, wanted)
        check_answer(world, response, body, sent_as, wanted)
        if response.status_code == 200:
            check_whole()
        else:
            assert domain_rows() == before
        transaction.set_rollback(True)


def check_answer(world: World, response: HttpResponse, body: bytes, sent_as: Format, wanted: Format) -> None:
    assert response.status_code in {200, 400, 401, 404, 409, 422}, response.content
    assert response["Content-Type"] == wanted.value
    world.assert_echoed(response)
    answer, stored = wanted.loads(response.content), world.stored()
    assert bytes(stored.body) == body
    assert (stored.status_code, Format.JSON.loads(bytes(stored.reply or b""))) == (
        response.status_code,
        answer,
    )
    if response.status_code == 200:
        assert stored.state == InboundState.ACCEPTED
        assert (answer["resourceType"], answer["type"]) == ("Bundle", "message")
        assert answer["id"] == sent_as.loads(body)["id"]
    else:
        assert stored.state == InboundState.REFUSED
        assert answer["resourceType"] == "OperationOutcome"
        assert answer["issue"][0]["severity"] == "error"


def check_whole() -> None:
    """Nothing is half done: slots and bookings agree, every case has its history, every reply its step."""
    booked = Booking.objects.filter(status="booked").count()
    assert Slot.objects.filter(status="busy").count() == booked <= 1
    for model, owner in ((Referral, "referral"), (ValidationCase, "validation")):
        for case in model._default_manager.filter(direction="received"):
            assert CaseVersion.objects.filter(**{owner: case}).count() == case.version
            assert CaseStatusChange.objects.filter(**{owner: case}).count() == case.version
        for case in model._default_manager.filter(direction="sent"):
            replies = CaseReply.objects.filter(**{owner: case}).count()
            assert CaseStatusChange.objects.filter(**{owner: case}).count() == 1 + replies
    assert UnmatchedReply.objects.filter(patient=None).count() == 0
