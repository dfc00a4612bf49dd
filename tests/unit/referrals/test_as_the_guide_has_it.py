"""What the guide asks beyond the published definitions: ids, codes of warnings, questionnaires, reasons."""

from dataclasses import replace
from uuid import UUID

import pytest

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import FlagCategory, LocationType, UseCase
from bars_portal.exchange.fhir.json import as_text, codings
from referrals.cases.codes import Concept
from referrals.parts.base import Frame
from referrals.parts.flags import Flag, carried_flags
from referrals.parts.people import Requester
from referrals.parts.places import Place
from referrals.parts.request import request_entries
from tests.factories.contents import make_content
from tests.factories.patients import DETAILS
from tests.factories.referrals import NOW
from tests.factories.whole_messages import whole_messages
from tests.unit.referrals import built


@pytest.mark.parametrize("application", "123456")
def test_an_encounter_has_an_id_where_its_case_began(application: str) -> None:
    """In Applications 3, 4 and 6; elsewhere it is the receiver's to give."""
    name = "validation-new" if application == "4" else "referral-new"
    bundle = MessageBundle(whole_messages()[application, name])
    (encounter,) = bundle.of_type("Encounter")
    assert ("id" in encounter) is (application in "346")
    if "id" in encounter:
        assert UUID(encounter["id"]) and not bundle.full_url_of(encounter).endswith(encounter["id"])


def code_of(flag: Resource) -> tuple[str, str]:
    (found,) = codings(flag["code"])
    return found["system"].rpartition("/")[2], found["code"]


def test_a_warning_in_words_has_a_code_of_its_category() -> None:
    """And comes back as the words that it was."""
    said = tuple(
        Flag(category, Concept(text=f"About {category}"))
        for category in FlagCategory
        if category not in (FlagCategory.REJECTED_SERVICES, FlagCategory.SCENE_SAFETY)
    )
    bundle = MessageBundle(built.message(make_content(UseCase.A1T1, flags=said)))
    codes = {code_of(flag) for flag in bundle.of_type("Flag")}
    assert ("safeguarding-codes-bars", "U") in codes
    assert ("flag-categories-bars", "IR") in codes
    # Of rejected services: the reason of the first.
    assert ("dos-rejected-reasons-bars", "26") in codes
    came = {each.category: each.concept for each in carried_flags(bundle)}
    del came[FlagCategory.SAFEGUARDING]
    assert came == {each.category: each.concept for each in said if each.category in came}


def test_answers_travel_with_their_questions() -> None:
    bundle = MessageBundle(built.message(make_content(UseCase.A6T2)))
    asked = {each["url"]: each["item"] for each in bundle.of_type("Questionnaire")}
    answered = [each for each in bundle.of_type("QuestionnaireResponse") if "questionnaire" in each]
    assert len(asked) == len(answered) == 2
    for response in answered:
        questions = {each["linkId"]: each for each in asked[response["questionnaire"]]}
        for item in response["item"]:
            question = questions[item["linkId"]]
            assert question["text"] == item["text"]
            assert item["answer"][0] in question["answerOption"]


def test_who_did_not_attend_is_told_why_that_matters() -> None:
    """The Encounter names the safeguarding reason, in a resource that FHIR allows there."""
    bundle = MessageBundle(whole_messages()["1", "referral-did-not-attend"])
    (reason,) = bundle.of_type("Encounter")[0]["reasonReference"]
    observation = bundle.resolve(reason)
    assert observation is not None and observation["resourceType"] == "Observation"
    assert as_text(observation["valueString"]) == "Small children"
    assert reason["display"] == "Child is cause for safeguarding concern (finding)"


def test_a_place_of_another_kind_has_words_and_a_country_only_with_its_postcode() -> None:
    content = make_content(UseCase.A6T1)
    others = (
        Place(type=LocationType.OTHER, name="Second gate", postcode="LS1 6PT"),
        Place(type=LocationType.CALLER, town="Calais", postcode="62100"),
    )
    bundle = MessageBundle(built.message(replace(content, places=(*content.places, *others))))
    gate, away = bundle.of_type("Location")[-2:]
    assert (gate["type"][0]["text"], gate["address"]["country"]) == ("Second gate", "UK")
    assert "text" not in away["type"][0] and "country" not in away["address"]


@pytest.mark.parametrize("key", [key for key in whole_messages() if key[1].endswith("-new")], ids=str)
def test_a_new_message_is_of_one_moment(key: tuple[str, str]) -> None:
    stamps = {each["resource"]["meta"]["lastUpdated"] for each in whole_messages()[key]["entry"]}
    assert len(stamps) == 1


def test_who_has_no_role_profile_id_has_ours() -> None:
    nameless = Requester("Linnell", staff_id="42")
    _, entries = request_entries(
        Frame(built.CASE, built.JOURNEY, NOW),
        make_content(),
        patient=DETAILS,
        requester=nameless,
        parties=built.PARTIES,
    )
    found = [each for _, each in entries if each["resourceType"] == "Practitioner"]
    assert found[0]["identifier"] == [{"system": "https://bars-portal.local/Id/staff", "value": "42"}]
