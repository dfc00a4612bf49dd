"""Several names, numbers, ways and addresses on the page of a message: the one that counts comes first."""

from typing import Any

import pytest

from bars_portal.exchange.fhir.profiles import EXTENSION_NHS_NUMBER_STATUS
from tests.unit.exchange_fhir.samples import SAMPLES
from tests.unit.referrals.message_pages import clinical_text_of, missing_from, text_of, view_of

NHS = "https://fhir.nhs.uk/Id/nhs-number"
RANK = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-ContactRank"
ENDED = {"end": "2020-05-01"}


def verified(number: str, **more: Any) -> dict[str, Any]:
    coding = {"code": "number-present-and-verified"}
    status = {"url": EXTENSION_NHS_NUMBER_STATUS, "valueCodeableConcept": {"coding": [coding]}}
    return {"system": NHS, "value": number, "extension": [status], **more}


def told(**changes: Any) -> dict[str, Any]:
    """A request whose Patient says more than one thing."""
    raw = SAMPLES["referral-new"]()
    patient = next(each["resource"] for each in raw["entry"] if each["resource"]["resourceType"] == "Patient")
    patient |= changes
    return raw


@pytest.fixture
def raw() -> dict[str, Any]:
    return told(
        name=[
            {"use": "maiden", "family": "Before", "given": ["Ada"]},
            {"use": "official", "family": "Ended", "given": ["Ada"], "period": ENDED},
            {"use": "usual", "family": "Quill", "given": ["Ada"]},
        ],
        address=[
            {"use": "old", "line": ["1 Gone"]},
            {"use": "temp", "line": ["3 Hotel"]},
            {"use": "home", "line": ["2 Here"], "postalCode": "ZZ99 3VZ"},
        ],
        identifier=[
            verified("9476719931", use="old"),
            {"system": NHS, "value": "9434765919"},
            verified("9449306621"),
        ],
        birthDate="1984-07",
        deceasedBoolean=True,
        contact=[
            {
                "extension": [{"url": RANK, "valuePositiveInt": 1}],
                "relationship": [{"coding": [{"code": "ONESELF"}]}],
                "telecom": [
                    {"system": "phone", "value": "0113 496 0001", "rank": 1, "period": ENDED},
                    {"system": "email", "value": "ada@example.org", "rank": 2},
                    {"system": "phone", "value": "0113 496 0002", "rank": 3},
                ],
            }
        ],
    )


def test_the_one_that_counts_comes_first(raw: dict[str, Any]) -> None:
    page = clinical_text_of(raw)
    for first, *others in (
        ("ada quill", "ada before (maiden name)", "ada ended (not in use any more, until 1 may 2020)"),
        ("2 here", "3 hotel (temporary)", "1 gone (not in use any more)"),
        ("944 930 6621", "943 476 5919", "947 671 9931"),
    ):
        places = [page.index(each) for each in (first, *others)]
        assert places == sorted(places)
    assert "superseded" in page[page.index("947 671 9931") :][:80]
    assert not missing_from(text_of(raw), raw)


def test_who_is_called_back_and_on_what(raw: dict[str, Any]) -> None:
    facts = {each.label: each.lines for each in view_of(raw).facts}
    assert facts["Call-back number"] == ("0113 496 0002 (phone)",)
    assert facts["Contact to call back"][0].startswith("Ada Quill")
    page = clinical_text_of(raw)
    assert "0113 496 0002, choice 3 (call back)" in page
    assert "old phone (not in use)" in page
    assert page.count("(call back)") == 1


def test_death_and_a_birth_in_part_are_said(raw: dict[str, Any]) -> None:
    page = clinical_text_of(raw)
    assert "patient (has died)" in page
    assert "july 1984" in page


STREET = {"line": ["1 Sample Row"], "city": "Leeds", "postalCode": "LS1 4AP", "country": "GBR"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1 Sample Row, Leeds, LS1 4AP", ["1 sample row, leeds, ls1 4ap, gbr"]),
        ("1 Sample Row, Leeds, LS1 4AP, GBR", ["1 sample row, leeds, ls1 4ap, gbr"]),
        ("Leeds, LS1 4AP", ["1 sample row, leeds, ls1 4ap, gbr"]),
        ("Flat 2, 1 Sample Row, Leeds, LS1 4AP", ["flat 2, 1 sample row, leeds, ls1 4ap, gbr"]),
        ("The mill house, Leeds", ["1 sample row, leeds, ls1 4ap, gbr", "the mill house, leeds"]),
    ],
)
def test_an_address_is_said_once(text: str, shown: list[str]) -> None:
    """Its text only where it says more than its parts."""
    page = clinical_text_of(told(address=[{**STREET, "text": text}]))
    assert all(each in page for each in shown)
    assert page.count("leeds") == len(shown)
