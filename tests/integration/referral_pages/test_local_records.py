"""What a receiver writes down for itself: where it plotted a case, and how it tried to reach the patient."""

from typing import Any

import pytest
from django.urls import reverse

from bars_portal.accounts.permissions import PolicyRefused, Role
from bars_portal.correspondence.history import NOTE_LENGTH
from bars_portal.exchange.fhir.codes import LocationType, UseCase
from referrals.cases.models import Case
from referrals.cases.settings import BreachRule
from referrals.cases.states import Category
from referrals.pages.local import map_link
from referrals.parts.places import Place, Position
from referrals.receiving.selectors import minutes_by_rule
from referrals.responding import local
from referrals.responding.forms import PharmacyCompleteForm, RejectForm
from referrals.responding.local import ContactAttempt, OwnPlace, differences, record_place
from referrals.responding.policies import Decision
from tests.factories.accounts import make_acting
from tests.factories.referrals import NOW, make_case, make_hub
from tests.integration.referral_pages.conftest import client_of, words

pytestmark = pytest.mark.django_db
_SENT = Place(uprn="000123", eastings="430000", northings="433000")


@pytest.mark.parametrize(
    ("own", "found"),
    [
        (OwnPlace(uprn="123"), 0),
        (OwnPlace(uprn="124"), 1),
        (OwnPlace(eastings="430030", northings="433040"), 0),
        (OwnPlace(eastings="430030", northings="433041"), 1),
        (OwnPlace("124", "431000", "433000"), 2),
    ],
)
def test_places_are_compared_by_uprn_and_grid(own: OwnPlace, found: int) -> None:
    """Fifty metres are the same front door."""
    assert len(differences(_SENT, own)) == found
    assert differences(None, own) == []
    assert differences(Place(postcode="LS1 4AP"), own) == []


def test_a_map_has_a_link_only_where_one_is_named(settings: Any) -> None:
    place = Place(position=Position("53.7996", "-1.54175"))  # type: ignore[arg-type]  # read as decimals
    assert map_link(place) == ""
    settings.BARS_MAP_URL = "https://maps.example/?at={latitude},{longitude}"
    assert map_link(place) == "https://maps.example/?at=53.7996,-1.54175"
    assert map_link(_SENT) == ""


@pytest.fixture
def placed() -> Case:
    url = "urn:uuid:11111111-2222-4333-8444-555555555555"
    location = {
        "resourceType": "Location",
        "type": [{"coding": [LocationType.INCIDENT.coding]}],
        "extension": [
            {
                "url": "https://fhir.nhs.uk/StructureDefinition/LocationExtension",
                "extension": [{"url": "UPRN", "valueString": "123"}],
            }
        ],
    }
    case = make_case(use_case=UseCase.A6T2.value, service=make_hub())
    case.included = [[url, location]]
    case.save(update_fields=["included"])
    return case


def test_the_difference_is_noted_on_the_case(placed: Case) -> None:
    acting = make_acting(organisation=placed.organisation)
    client, page = client_of(acting), reverse("referrals:received", args=[placed.pk])
    address = reverse("referrals:place", args=[placed.pk])
    assert address in words(client.get(page))
    assert "Enter the UPRN, or the easting and the northing" in words(client.post(address, {}))
    assert client.post(address, {"uprn": "999"})["Location"] == page
    shown = words(client.get(page))
    assert "Our own record has another place" in shown
    assert local.UPRN_DIFFERS in shown
    client.post(address, {"uprn": "0123"})
    assert "Our own record has another place" not in words(client.get(page)), "the newest counts"
    with pytest.raises(PolicyRefused):
        record_place(case=placed, own=OwnPlace("1"), acting=make_acting(), now=NOW)


@pytest.fixture
def pharmacy() -> Case:
    return make_case(use_case="a5t1", service=make_hub())


def test_three_attempts_at_most(pharmacy: Case) -> None:
    acting = make_acting(role=Role.CLERK, organisation=pharmacy.organisation)
    client, page = client_of(acting), reverse("referrals:received", args=[pharmacy.pk])
    address = reverse("referrals:attempt", args=[pharmacy.pk])
    assert "Select whether you reached the patient" in words(client.post(address, {"attempts": "0"}))
    for number in range(3):
        tried = {"attempts": str(number), "reached": "no", "text": "No answer"}
        client.post(address, tried)
        again = client.post(address, tried, follow=True)
        assert ContactAttempt.objects.count() == number + 1, "a second press is the same attempt"
        assert "Look at the case again" in words(again) or "no more are asked for" in words(again)
    shown = words(client.get(page))
    assert address not in shown
    assert "not reached in three attempts" in shown
    stranger = make_acting()
    with pytest.raises(PolicyRefused, match="another organisation"):
        local.record_attempt(case=pharmacy, seen=0, reached=True, text="", acting=stranger, now=NOW)


def test_only_pharmacies_count_attempts(placed: Case) -> None:
    acting = make_acting(organisation=placed.organisation)
    with pytest.raises(PolicyRefused, match="pharmacies only"):
        local.record_attempt(case=placed, seen=0, reached=True, text="", acting=acting, now=NOW)


def test_what_became_of_a_referral_to_a_pharmacy(pharmacy: Case) -> None:
    client = client_of(make_acting(organisation=pharmacy.organisation))
    address = reverse("referrals:complete", args=[pharmacy.pk])
    typed = {"seen": "0", "consultation": "unreached", "outcome": "escalated"}
    client.post(address, typed)
    assert "Say to whom the patient was escalated" in words(client.get(address))
    longest = {"escalated_to": "x" * 60, "words": "y" * 100}
    client.post(address, {**typed, **longest})
    told = words(client.get(f"{address}?check=1"))
    for said in ("could not be reached", "Escalated", f"To {'x' * 60}", "y" * 100):
        assert said in told
    form = PharmacyCompleteForm({**typed, **longest}, case=pharmacy, now=NOW, decision=Decision.COMPLETE)
    assert form.is_valid()
    assert len(form.said()) <= NOTE_LENGTH


@pytest.mark.parametrize("category", Category)
def test_not_reached_is_a_reason_where_somebody_was_to_call(category: Category) -> None:
    use_case = {Category.VALIDATION: "a4t1", Category.REFERRAL: "a6t2"}[category]
    case = make_case(category, use_case=use_case)
    form = RejectForm({"reason": "unreached", "words": ""}, case=case, now=NOW, decision=Decision.REJECT)
    assert form.is_valid() is (category is Category.VALIDATION)
    if form.is_valid():
        assert form.content().words == "The patient could not be reached."  # type: ignore[union-attr]  # a rejection


def test_a_rule_may_be_of_an_outcome_code() -> None:
    service = make_hub()

    def rule(minutes: int, **of: Any) -> None:
        BreachRule.objects.create(category=Category.VALIDATION, minutes=minutes, **of)

    rule(120)
    rule(60, priority="C3")
    rule(20, outcome_code="Dx333")
    rule(30, outcome_code="Dx334")
    rule(90, service=service)

    def minutes(priority: str, *codes: str, at: Any = None) -> int | None:
        return minutes_by_rule(at or make_hub(), Category.VALIDATION, priority, codes)

    assert minutes("C5") == 120
    assert minutes("C3") == 60
    assert minutes("C3", "Dx334", "Dx333") == 20, "the code counts more, and the shortest of several"
    assert minutes("C3", "Dx1") == 60
    assert minutes("C3", "Dx333", at=service) == 90, "the service counts most"
