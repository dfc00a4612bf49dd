"""One sound message of every type, of our own making and in many variants, is taken: in JSON and in XML."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.db import transaction

from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.json import parse_decimal
from bars_portal.exchange.models import InboundMessage
from bars_portal.exchange.registry import message_types
from bookings.models import Slot
from tests.integration.exchange.calling import Json, fresh
from tests.integration.exchange_messages.answers import check_taken, focus_of, of_type
from tests.integration.exchange_messages.variants import VARIANTS
from tests.integration.exchange_messages.world import World
from tests.profiles import daily, is_thorough, share
from tests.unit.exchange_fhir.factory import Change, changed
from tests.unit.exchange_fhir.samples import SAMPLES

pytestmark = pytest.mark.django_db


def exact_decimal(message: Json) -> None:
    """Something that a float would spoil."""
    score = {"url": "https://sender.example/score", "valueDecimal": parse_decimal("37.500")}
    url = message["entry"][0]["resource"]["focus"][0]["reference"]
    (focus,) = [each["resource"] for each in message["entry"] if each["fullUrl"] == url]
    focus["extension"] = [score]


def test_every_registered_type_has_a_sample() -> None:
    assert {kind.key for kind in message_types()} == set(SAMPLES)


# Reading knows nothing of writing: in turns both formats as they came, or each answered in the other.
FORMS = daily(
    product(enumerate(SAMPLES), Format, Format),
    lambda row: row[0][0] % 2 == (row[1] is row[2]),
)


@pytest.mark.parametrize(("sample", "sent_as", "wanted"), FORMS)
def test_a_sound_message_is_taken(
    world: World, sample: tuple[int, str], sent_as: Format, wanted: Format
) -> None:
    _, key = sample
    world.prepare(key)
    message = changed(fresh(SAMPLES[key]()), exact_decimal)
    answer = check_taken(world, key, message, sent_as, wanted, read_as=[wanted])
    assert InboundMessage.objects.latest("received_at").warnings == []
    assert Slot.objects.filter(status="busy").exists() is (key == "booking-new")
    if key in ("referral-new", "validation-new"):
        theirs, ours = of_type(answer, "Encounter")
        # Every coding that we write has its display.
        assert (ours["status"], ours["class"]) == ("planned", {**theirs["class"], "display": "emergency"})
        assert (ours["subject"], ours["episodeOfCare"]) == (theirs["subject"], theirs["episodeOfCare"])
    assert focus_of(answer)["extension"][0]["valueDecimal"] == parse_decimal("37.500")


def variants() -> Iterator[Any]:
    for number, (name, key, changes) in enumerate(VARIANTS):
        yield pytest.param(number, key, changes, id=f"{key}: {name}")


FIRST = {key: changes for _, key, changes in reversed(VARIANTS)}


@pytest.mark.parametrize(("number", "key", "changes"), share(list(variants()), 0, of=2))
def test_a_variant_is_taken(world: World, number: int, key: str, changes: tuple[Change, ...]) -> None:
    """In XML too where it is the first of its type: once a message is read, the same code takes it.

    And read back in turns: what is kept is one and the same.
    """
    world.prepare(key)
    for sent_as in Format if is_thorough() or changes == FIRST[key] else [Format.JSON]:
        with transaction.atomic():
            message = changed(fresh(SAMPLES[key]()), *changes)
            check_taken(world, key, message, sent_as, read_as=share([*Format], number // 2, of=2))
            transaction.set_rollback(True)
