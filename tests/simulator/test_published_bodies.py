"""The rows that name a published message, driven with exactly that body and only the sentinel put in."""

import json
from pathlib import Path

import pytest

from tests.live.xml import XML, kind, values
from tests.simulator.conftest import World
from tests.simulator.messages import Resource, of_type
from tests.simulator.program import FHIR_JSON
from tests.simulator.seed_rows import NEW, ROWS, Row

# Request of a row -> the example that the tables tell to use.
BODIES = {
    "new booking": "BOOKREQ01",
    "cancel booking": "BOOKREQ02",
    "new referral": "REFREQ01",
    "out-of-area referral": "REFREQ04",
    "cancel referral": "SERVREQ01",
    "new validation": "VALREQ03",
    "update validation": "VALREQ02",
}
PUBLISHED = [row for row in ROWS if row.edition == NEW and row.request in BODIES]


def body(shared: Path, row: Row) -> Resource:
    (path,) = (shared / "fhir" / "examples").glob(f"{BODIES[row.request]} *.json")
    bundle: Resource = json.loads(path.read_text())
    (person,) = of_type(bundle, "Patient")
    if row.request.startswith("new"):
        # A number to replace, or the whole identifier to leave out.
        person["identifier"] = [person["identifier"][0] | {"value": row.sentinel}] if row.sentinel else []
    return bundle


def test_every_row_with_a_body_is_here() -> None:
    assert len(PUBLISHED) == 24


@pytest.mark.parametrize("media", [FHIR_JSON, XML], ids=["json", "xml"])
@pytest.mark.parametrize("row", PUBLISHED, ids=str)
def test_a_published_body(world: World, shared_dir: Path, row: Row, media: str) -> None:
    service = row.sentinel if row.request.startswith("out") else "2000072489"

    answer = world.sender.post(body(shared_dir, row), service=service, media=media)

    assert answer.status_code == row.status, answer.text
    if row.gives.count("-") == 4:
        focus = "Appointment" if "booking" in row.request else "ServiceRequest"
        assert _ids(answer.content, focus) == [row.gives]


def _ids(content: bytes, focus: str) -> list[str]:
    if content.startswith(b"<"):
        assert kind(content) == "Bundle"
        return values(content, f"entry/resource/{focus}/id")
    return [str(each["id"]) for each in of_type(json.loads(content), focus)]
