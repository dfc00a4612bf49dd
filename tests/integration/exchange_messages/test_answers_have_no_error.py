"""What we return, 200 answers and reads of every message type, has no error in the published checker."""

import json
from pathlib import Path

import pytest
from django.db import transaction

from bars_portal.exchange.fhir.formats import Format
from tests.fhir_check import assert_no_errors
from tests.integration.exchange.calling import Json
from tests.integration.exchange_messages.answers import focus_of
from tests.integration.exchange_messages.stories import KEYS, adapted, before
from tests.integration.exchange_messages.world import World
from tests.integration.referrals.test_fhir_check import mended
from tests.profiles import share

pytestmark = pytest.mark.django_db
NUMBER = "https://fhir.nhs.uk/Id/nhs-number|9476719931"


def test_every_type_in_both_formats(world: World, shared_dir: Path, tmp_path: Path) -> None:
    world.prepare("")
    for number, name in enumerate(KEYS):
        for format_ in share([*Format], number, of=2):
            with transaction.atomic():
                for part, content in returned(world, shared_dir, name, format_).items():
                    path = tmp_path / f"{name} {part}.{format_.name.lower()}"
                    path.write_bytes(without_the_senders_slips(content, format_))
                transaction.set_rollback(True)
    assert_no_errors(shared_dir, tmp_path)


def returned(world: World, shared: Path, name: str, format_: Format) -> dict[str, bytes]:
    """The last answer of the story, and what can be read after it by id and by patient."""
    answers: list[Json] = []
    for each in before(name):
        answers.append(world.take(checked(adapted(shared, each, world, earlier=answers))))
    response = world.post(checked(adapted(shared, name, world, earlier=answers)), format_)
    assert response.status_code == 200, response.content
    focus = focus_of(format_.loads(response.content))
    found = {"answer": response.content}
    if "RESP" in name or focus["resourceType"] not in ("Appointment", "ServiceRequest"):
        return found
    for part, path in (("read", focus["id"]), ("search", f"?patient:identifier={NUMBER}")):
        read = world.receiver.get(f"/{focus['resourceType']}/{path}".replace("/?", "?"), Accept=format_.value)
        assert read.status_code == 200, read.content
        found[part] = read.content
    return found


def checked(message: Json) -> Json:
    """With the one sample NHS number that passes its check."""
    loaded: Json = message
    for each in loaded["entry"]:
        if each["resource"]["resourceType"] == "Patient":
            for identifier in each["resource"].get("identifier", []):
                if identifier["system"].endswith("nhs-number"):
                    identifier["value"] = NUMBER.partition("|")[2]
    return loaded


def without_the_senders_slips(content: bytes, format_: Format) -> bytes:
    return format_.dumps(mended(json.loads(Format.JSON.dumps(format_.loads(content)))))
