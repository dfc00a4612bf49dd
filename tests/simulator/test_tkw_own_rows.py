"""What the tables' rows leave to the simulator: checks, ids that are kept, who plays a service."""

import json
from typing import Any

import pytest

from bars_portal.simulator.config import Config
from bars_portal.simulator.fhir import FHIR_JSON, FHIR_XML, decoded, is_usable_id, to_xml
from tests.simulator import messages
from tests.simulator.conftest import CallProxy, World
from tests.simulator.messages import Resource, of_type
from tests.simulator.seed_rows import BOOKED, REFERRED, REVOKED, SLOW_READ, VALIDATED
from tests.simulator.support import SYSTEM

OUT_OF_AREA = "2000159910"
PLACEHOLDER = {"Authorization": "Bearer yourBearerToken"}


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 200),
        ({"use_case": "a6t2"}, 200),
        ({"use_case": "a6t3", "encounter": "in-progress"}, 200),
        ({"encounter": "triaged"}, 200),
        ({"use_case": "a1t1"}, 400),
        ({"plan": "completed"}, 400),
        ({"encounter": "planned"}, 400),
        ({"kind": "AMB"}, 400),
    ],
)
def test_an_out_of_area_referral_is_held_to_application_6(
    world: World, changed: dict[str, Any], status: int
) -> None:
    bundle = messages.referral(**{"use_case": "a6t1", "plan": "active"} | changed)

    assert world.sender.post(bundle, service=OUT_OF_AREA).status_code == status
    assert world.sender.post(bundle, service="2000159909").status_code == 200


@pytest.mark.parametrize(
    ("bundle", "identity"),
    [
        (messages.referral(status="revoked", reason="update", id=REFERRED), REFERRED),
        (messages.referral(status="revoked", reason="update", id=REVOKED[:-1] + "0"), REVOKED),
        (messages.referral(status="entered-in-error", reason="delete"), REVOKED),
        (messages.referral(reason="update"), REFERRED),
        (messages.validation(reason="update", id=SLOW_READ), SLOW_READ),
        (messages.validation(reason="update", status="on-hold"), VALIDATED),
        (messages.validation("9658499104"), VALIDATED),
        (messages.referral("9658499104"), REFERRED),
    ],
)
def test_which_id_a_message_is_answered_with(world: World, bundle: Resource, identity: str) -> None:
    answer = world.sender.post(bundle)

    assert (answer.status_code, of_type(answer.json(), "ServiceRequest")[0]["id"]) == (200, identity)


@pytest.mark.parametrize(
    ("bundle", "status"),
    [
        (messages.validation("9658499023"), 409),
        (messages.validation("9658499031"), 422),
        (messages.response("9658499139", category="validation"), 401),
        (messages.response("9658499139", category="referral"), 401),
    ],
)
def test_the_newer_test_numbers(world: World, bundle: Resource, status: int) -> None:
    assert world.sender.post(bundle).status_code == status


EXTENSION = "https://fhir.nhs.uk/StructureDefinition/LocationExtension"
WORDS = {"extension": [{"url": EXTENSION, "extension": [{"url": "what3words", "valueString": "a.b.c"}]}]}
NUMBER = {"extension": [{"url": EXTENSION, "extension": [{"url": "UPRN", "valueString": "1"}]}]}


@pytest.mark.parametrize(("place", "status"), [({}, 200), (NUMBER, 200), (WORDS, 400)])
@pytest.mark.parametrize("reason", ["new", "update"])
def test_a_validation_says_where_in_one_way(world: World, reason: str, place: Resource, status: int) -> None:
    """Its Location has an address."""
    bundle = messages.validation(reason=reason)
    of_type(bundle, "Location")[0].update(place)

    assert world.sender.post(bundle).status_code == status


@pytest.mark.parametrize(
    ("actor", "status"),
    [({"reference": f"urn:uuid:{BOOKED}"}, 422), ({"reference": "Patient/1"}, 422), ({"display": "A"}, 200)],
)
def test_a_cancel_is_of_the_patient_in_it(world: World, actor: Resource, status: int) -> None:
    bundle = messages.booking(status="cancelled")
    of_type(bundle, "Appointment")[0]["participant"] = [{"actor": actor, "status": "accepted"}]

    assert world.sender.post(bundle).status_code == status


@pytest.mark.parametrize("media", [FHIR_JSON, FHIR_XML])
def test_ids_of_any_form_are_no_fault(world: World, media: str) -> None:
    """The Bundle's comes back as it was, resources get TKW's."""
    odd = 'no "id" <of> FHIR & co'
    bundle = {**messages.validation(), "id": odd}
    for each in bundle["entry"]:
        each["resource"]["id"] = odd
    body = to_xml(bundle) if media == FHIR_XML else json.dumps(bundle).encode()
    # Nor is an id element where an attribute belongs.
    body = body.replace(b"<contact>", b'<contact><id value="x"/>')
    answer = world.sender.call("POST", "/$process-message", body=body, media=media)

    assert (answer.status_code, answer.headers["content-type"]) == (200, media)
    read = decoded(answer.content, media)
    assert read["id"] == odd
    assert all(is_usable_id(each["resource"]["id"]) for each in read["entry"])


@pytest.mark.parametrize(
    ("nhs_number", "status"), [("9675199962", 405), ("9657562376", 429), ("9999960529", 503)]
)
def test_the_newer_referrals_cannot_be_read(world: World, nhs_number: str, status: int) -> None:
    answer = world.sender.post(messages.referral(nhs_number))
    identity = of_type(answer.json(), "ServiceRequest")[0]["id"]

    assert answer.status_code == 200
    assert world.sender.call("GET", f"/ServiceRequest/{identity}").status_code == status


@pytest.mark.parametrize(
    ("bundle", "encounters"),
    [
        (messages.referral("9658499058"), ["finished", "planned"]),
        (messages.validation("9658499082"), ["triaged", "planned"]),
        (messages.validation(reason="update"), ["triaged"]),
    ],
)
def test_a_new_request_gets_an_encounter_with_a_reference(
    world: World, bundle: Resource, encounters: list[str]
) -> None:
    answer = world.sender.post(bundle).json()

    found = of_type(answer, "Encounter")
    assert [each["status"] for each in found] == encounters
    assert answer["id"] == bundle["id"]
    if len(found) == 2:
        assert found[1]["identifier"][0]["value"].startswith("TKW-")
        assert found[1]["episodeOfCare"] == found[0]["episodeOfCare"]


@pytest.mark.parametrize("status", ["draft", "completed", ""])
def test_other_workflows_are_refused(world: World, status: str) -> None:
    for bundle in (messages.referral(status=status), messages.booking(status=status or "pending")):
        issue = world.sender.post(bundle).json()["issue"][0]
        assert issue["code"] == "invariant"


def test_a_response_must_say_what_it_answers(world: World) -> None:
    bundle = messages.response(category="validation")
    del of_type(bundle, "MessageHeader")[0]["response"]

    assert world.sender.post(bundle).json()["issue"][0]["code"] == "invariant"


def test_searches_find_what_everyone_has(world: World) -> None:
    for kind, identity in (("Appointment", BOOKED), ("ServiceRequest", REFERRED)):
        found = world.sender.call("GET", f"/{kind}?patient:identifier=x|9658499007").json()
        assert [each["resource"]["id"] for each in found["entry"]] == [identity]


def test_a_cancelled_referral_reads_as_revoked(world: World) -> None:
    assert world.sender.call("GET", f"/ServiceRequest/{REVOKED}").json()["status"] == "revoked"


def test_the_scenarios_are_told_as_json(world: World) -> None:
    told = world.sender.http.get("/simulator/scenarios").json()

    assert {"name": "New booking refused: HTTP 404", "value": "9658499015"}.items() <= next(
        each for each in told if each["value"] == "9658499015"
    ).items()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/Metadata"),
        ("GET", "/messageDefinition?context=2000072489"),
        ("POST", "/$Process-Message"),
        ("GET", "/slot"),
        ("GET", f"/appointment/{BOOKED}"),
        ("GET", f"/servicerequest/{REFERRED}"),
    ],
)
def test_paths_are_case_sensitive(world: World, method: str, path: str) -> None:
    assert world.sender.call(method, path).status_code == 404


def test_services_of_the_test_world_need_no_catalogue(proxy: CallProxy, config: Config) -> None:
    config.catalogue_file.unlink()

    assert proxy("GET", "/metadata", service="2000081825").status == 200
    assert proxy("GET", "/metadata", service="2000081826").status == 500


def test_the_catalogue_has_the_first_word(proxy: CallProxy, config: Config) -> None:
    routes = {"2000081825": "https://elsewhere.test/"}
    config.catalogue_file.write_text(json.dumps({"NHSD-Target-Identifier": {SYSTEM: routes}}))

    # The recording receiver answers with an empty object, TKW with a CapabilityStatement.
    assert proxy("GET", "/metadata", service="2000081825").json == {}


def test_the_examples_placeholder_token_is_good_for_tkw_alone(proxy: CallProxy) -> None:
    headers: dict[str, str | None] = dict(PLACEHOLDER)

    assert proxy("GET", "/metadata", service="2000072489", headers=headers).status == 200
    refused = proxy("GET", "/metadata", service="2000099001", headers=headers)
    assert refused.outcome == (401, "SEND_UNAUTHORIZED", "security")
