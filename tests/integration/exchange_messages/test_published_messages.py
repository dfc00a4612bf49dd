"""Every published message, and those only described, get the answer of the standard, in JSON and in XML."""

from pathlib import Path

import pytest
from django.db import transaction

from bars_portal.exchange.fhir import json as fhir_json
from bars_portal.exchange.fhir.formats import Format
from bookings.models import Booking, Slot
from referrals.cases.models import CaseReply, UnmatchedReply
from tests.contract.published import PUBLISHED
from tests.integration.exchange.calling import Json, issue_of
from tests.integration.exchange_messages.answers import check_taken, of_type
from tests.integration.exchange_messages.stories import KEYS, adapted, before
from tests.integration.exchange_messages.world import World, domain_rows, new_id
from tests.unit.exchange_fhir.samples import SAMPLES

pytestmark = pytest.mark.django_db


def test_every_type_is_told() -> None:
    assert set(KEYS.values()) == set(SAMPLES)


@pytest.mark.parametrize("name", KEYS)
def test_it_is_taken(world: World, shared_dir: Path, name: str) -> None:
    world.prepare("")
    for format_ in Format:
        with transaction.atomic():
            answers: list[Json] = []
            for each in before(name):
                answers.append(world.take(adapted(shared_dir, each, world, earlier=answers), format_))
            sent = adapted(shared_dir, name, world, earlier=answers)
            answer = check_taken(world, KEYS[name], sent, format_)
            check_meaning(name, sent, answer)
            transaction.set_rollback(True)


def check_meaning(name: str, sent: Json, answer: Json) -> None:
    key = KEYS[name]
    if key == "booking-new":
        assert Slot.objects.get().status == "busy"
    elif key.startswith("booking"):
        assert Slot.objects.get().status == "free"
    elif key in ("referral-new", "validation-new") and name != "VALRESP01":
        theirs, ours = of_type(answer, "Encounter")
        assert (ours["status"], ours["class"]) == ("planned", theirs["class"])
    elif "response" in sent["entry"][0]["resource"]:
        assert CaseReply.objects.filter(bundle_id=sent["id"]).count() == 1, "it answers a request of ours"


def expected_alone(name: str) -> tuple[int, str]:
    """An update or a cancel of nothing is refused; so is a validation's reply, but a referral's is kept."""
    if KEYS[name] in ("validation-interim", "validation-rejected", "validation-full"):
        return 400, "invariant"
    return (404, "not-found") if before(name) else (200, "")


@pytest.mark.parametrize("name", KEYS)
def test_what_it_is_about_is_not_known(world: World, shared_dir: Path, name: str) -> None:
    untouched = domain_rows()
    response = world.post(adapted(shared_dir, name, world, earlier=[]))
    status, code = expected_alone(name)
    assert response.status_code == status
    if code:
        assert issue_of(response)["code"] == code
        assert domain_rows() == untouched
    elif "RESP" in name and name != "VALRESP01":
        assert UnmatchedReply.objects.count() == 1


def test_all_of_them_fit_into_one_database(world: World, shared_dir: Path) -> None:
    """In the order of the files, each story in a conversation of its own, all of one journey."""
    for name in KEYS:
        answers: list[Json] = []
        world.conversation, world.our_request = new_id(), new_id()
        world.prepare("")
        for each in (*before(name), name):
            answers.append(world.take(adapted(shared_dir, each, world, earlier=answers)))
        Booking.objects.update(status="cancelled")
        Slot.objects.update(status="free")


def test_what_is_no_message_is_refused(world: World, shared_dir: Path) -> None:
    names = {name.strip() for name in PUBLISHED}
    for path in sorted((shared_dir / "fhir" / "examples").glob("*.json")):
        if path.name.split(" ")[0].rstrip("-") not in names:
            resource = fhir_json.loads(path.read_bytes())
            for format_ in Format:
                response = world.post(resource, format_)
                assert response.status_code == 400, path.name
