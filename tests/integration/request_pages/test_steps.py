"""Each step on its own: errors in plain words, everything typed kept, lists that grow and shrink."""

from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from bars_portal.exchange.fhir.codes import UseCase
from referrals.forms.base import FormContext
from referrals.forms.steps import BY_SLUG, STEPS, read_step, steps_of, typed_of_post
from referrals.sending.models import RequestDraft
from tests.integration.booking_pages.hostile import HOSTILE, JARGON, SCRIPT
from tests.integration.booking_pages.test_patient_form import errors_in
from tests.integration.request_pages.conftest import PATIENT, Desk
from tests.profiles import daily, share

# One step each: a use case that has it, what is typed, and the sentence that says what is wrong.
WRONG: dict[str, tuple[str, str, dict[str, str], str]] = {
    "nothing assessed": ("a1t1", "assessment", {"case_number": "N1"}, "Enter clinical narrative"),
    "no narrative": ("a5t1", "assessment", {"case_number": "N1"}, "Enter clinical narrative"),
    "no code": ("a1t1", "assessment", {"narrative": "x", "row-0-what": "Sore"}, "outcome with its code"),
    "no priority": (
        "a4t1",
        "assessment",
        {"narrative": "x", "row-0-what": "Dx0122"},
        "ambulance response priority",
    ),
    "no stage": ("a6t1", "assessment", {"narrative": "Fell"}, "Select how far the call is"),
    "no clock": ("a1t1", "assessment", {"narrative": "x", "started": "25:00"}, "enter a real time"),
    "kind without outcome": (
        "a1t1",
        "assessment",
        {"narrative": "x", "row-0-kind": "dx"},
        "Enter the triage outcome",
    ),
    "no breach time": ("a4t1", "times", {"end_time": "14:30"}, "Enter the day of the breach time"),
    "no such time": (
        "a4t1",
        "times",
        {"end-day": "1", "end-month": "1", "end-year": "2099", "end_time": "9"},
        "time",
    ),
    "breached before it began": (
        "a4t1",
        "times",
        {"end-day": "1", "end-month": "1", "end-year": "2001", "end_time": "10:00"},
        "The end must be later than the start",
    ),
    "no complaint": ("a5t1", "complaint", {}, "Enter the presenting complaint"),
    "no task": ("a5t1", "task", {"description": "Please"}, "Enter what is asked of the service"),
    "task in words": (
        "a5t1",
        "task",
        {"what": "Advice on medicines"},
        "Choose what is asked from the list",
    ),
    "no help asked for": ("a6t3", "task", {"description": "Please"}, "Enter the help you ask for"),
    "a code that means nothing": (
        "a1t1",
        "flags",
        {"row-0-kind": "IR", "row-0-what": "[SNOMED 271594007]"},
        "Put what the code means before it",
    ),
    "nobody asked about the scene": ("a3t1", "flags", {}, "Select whether the scene is safe"),
    "unsafe without words": ("a4t1", "flags", {"scene": "U"}, "Enter why the scene is unsafe"),
    "address without postcode": (
        "a4t1",
        "places",
        {"row-0-address": "20 The Headrow", "row-0-town": "Leeds"},
        "Enter the postcode of the address",
    ),
    "warning in no words": ("a1t1", "flags", {"row-0-kind": "IR"}, "Enter what the warning is about"),
    "words of no warning": ("a1t1", "flags", {"row-0-words": "A dog"}, "Select the warning"),
    "nowhere": ("a4t1", "places", {"row-0-directions": "Near the bridge"}, "Enter an address, UPRN"),
    "two places in one": (
        "a4t1",
        "places",
        {"row-0-postcode": "LS1 6PT", "row-0-what3words": "filled.count.soap"},
        "Say where it is in one way only",
    ),
    "half a grid": ("a4t1", "places", {"row-0-eastings": "430123"}, "Northing in metres is missing"),
    "no what3words": ("a4t1", "places", {"row-0-what3words": "two.words"}, "what3words cannot be used"),
    "no degrees": (
        "a4t1",
        "places",
        {"row-0-latitude": "91", "row-0-longitude": "1"},
        "Latitude in degrees must be a number",
    ),
    "two incidents": (
        "a6t1",
        "places",
        {"rows": "2", "row-0-postcode": "LS1 6PT", "row-1-postcode": "LS1 4AP"},
        "Only one place can be the incident",
    ),
    "breathing not asked": (
        "a6t1",
        "questions",
        {"conscious": "yes"},
        "Select whether the patient is breathing",
    ),
    "none known, and one": (
        "a1t1",
        "medication",
        {"known": "none-known", "row-0-what": "Aspirin"},
        "Remove each medicine from the list",
    ),
    "some known, and none": ("a1t1", "allergies", {"known": "listed"}, "Add the first allergy"),
    "no age": ("a1t1", "observations", {"age": "old"}, "Estimated age must be a number"),
    "no reason": ("a1t1", "rejected-services", {"row-0-name": "Elsewhere"}, "Select why the service"),
    "no ground": ("a1t1", "consent", {}, "Select on what ground"),
}


OPENED = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
# The first of each step is enough to show what its page does with what the form says.
FIRST = {slug: name for name, (_, slug, _, _) in reversed(WRONG.items())}


@pytest.mark.parametrize("name", WRONG)
def test_the_form_says_what_is_wrong(name: str) -> None:
    use_case, slug, typed, sentence = WRONG[name]
    asked, step = FormContext(UseCase(use_case), OPENED), BY_SLUG[slug]
    told = [item.text for item in read_step(step, typed_of_post(step, typed, asked), asked).problems]
    assert [each for each in told if sentence in each]
    assert not [each for each in told if any(word in each for word in JARGON)]


@pytest.mark.parametrize("name", daily(WRONG, lambda name: name in FIRST.values()))
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(desk: Desk, name: str) -> None:
    use_case, slug, typed, sentence = WRONG[name]
    draft = desk.begin(use_case)
    response = desk.fill(draft, slug, typed)
    assert response["Location"] == desk.step(draft, slug)
    page = unescape(desk.client.get(response["Location"]).content.decode())
    assert "Error:" in page
    assert sentence in errors_in(page)
    assert not any(word in errors_in(page) for word in JARGON)
    draft.refresh_from_db()
    assert typed.items() <= draft.typed[slug].items()
    again = unescape(desk.client.get(desk.step(draft, slug)).content.decode())
    for text in (text for field, text in typed.items() if "kind" not in field and "known" not in field):
        assert text in again
    tasks = desk.client.get(reverse("referrals:request", args=[draft.pk])).content.decode()
    assert "There is a problem" in tasks


@pytest.mark.parametrize(
    "use_case",
    daily(["a1t1", "a4t1", "a5t1", "a6t1"], lambda name: name == "a5t1", others=pytest.mark.further),
)
def test_any_value_in_any_field(desk: Desk, use_case: str) -> None:
    """A whole step of nothing but nonsense is kept, told, and breaks nothing."""
    draft = desk.begin(use_case)
    for number, step in enumerate(
        steps_of(FormContext(UseCase(use_case), draft.created_at)), int(use_case[1])
    ):
        names = every_field(step.slug, use_case, draft)
        for kind, value in share([*HOSTILE.items()], number, of=8):
            response = desk.fill(draft, step.slug, {**dict.fromkeys(names, value), "rows": "1"})
            assert response.status_code in (200, 302), (step.slug, kind)
            assert SCRIPT not in response.content, (step.slug, kind)
        assert desk.client.get(desk.step(draft, step.slug)).status_code == 200
    checked = desk.client.get(reverse("referrals:request-check", args=[draft.pk]))
    assert SCRIPT not in checked.content
    assert "There is a problem" in checked.content.decode()


def every_field(slug: str, use_case: str, draft: RequestDraft) -> list[str]:
    class Everything(dict[str, str]):
        def __contains__(self, name: object) -> bool:
            return name != "rows"

        def __missing__(self, name: str) -> str:
            return ""

    step = next(each for each in STEPS if each.slug == slug)
    return list(typed_of_post(step, Everything(), FormContext(UseCase(use_case), draft.created_at)))


@pytest.mark.parametrize(
    "rows", ["", "-1", "0", "99999", "1e3", "x" * 5000], ids=lambda each: each[:5] or "empty"
)
def test_a_number_of_rows_that_is_none(desk: Desk, rows: str) -> None:
    draft = desk.begin()
    assert desk.fill(draft, "flags", {"rows": rows}).status_code == 302
    assert desk.client.get(desk.step(draft, "flags")).status_code == 200


def test_a_list_grows_and_shrinks_without_losing_anything(desk: Desk) -> None:
    draft = desk.begin()
    one = {"known": "listed", "rows": "1", "row-0-what": "Aspirin", "row-0-dosage": "One a day", "add": "1"}
    response = desk.fill(draft, "medication", one)
    assert response["Location"] == desk.step(draft, "medication") + "#row-2"
    page = desk.client.get(desk.step(draft, "medication")).content.decode()
    assert "There is a problem" not in page
    assert 'name="row-1-what"' in page
    two = {**one, "rows": "2", "row-1-what": "Statin", "row-1-dosage": "At night"}
    desk.fill(
        draft, "medication", {name: text for name, text in two.items() if name != "add"} | {"remove": "0"}
    )
    draft.refresh_from_db()
    kept = draft.typed["medication"]
    assert (kept["rows"], kept["row-0-what"], kept["row-0-dosage"]) == ("1", "Statin", "At night")
    assert kept["known"] == "listed"
    assert "row-1-what" not in kept


def test_only_answers_of_the_step_are_kept(desk: Desk) -> None:
    draft = desk.begin()
    desk.fill(draft, "consent", {"consent": "OPTIN", "unknown": "x", "csrfmiddlewaretoken": "y"})
    draft.refresh_from_db()
    assert draft.typed["consent"] == {"consent": "OPTIN", "done": "1"}


def test_forty_fields_survive_an_error_and_another_window(desk: Desk) -> None:
    """Nothing of any step is lost when one step is wrong, and when two are open at once."""
    draft = desk.begin("a6t1")
    desk.fill(draft, "patient", {**PATIENT, "phone": ""})
    long = {f"row-0-{name}": f"Text of {name}" for name in ("name", "address", "town", "directions")}
    desk.fill(draft, "places", {**long, "row-0-uprn": "no digits"})
    desk.fill(draft, "assessment", {"narrative": "Line one\nLine two"})
    draft.refresh_from_db()
    assert draft.typed["patient"]["family_name"] == PATIENT["family_name"]
    assert draft.typed["patient"]["phone"] == ""
    assert long.items() <= draft.typed["places"].items()
    assert draft.typed["assessment"]["narrative"] == "Line one\nLine two"


def test_a_step_that_the_use_case_has_not(desk: Desk) -> None:
    draft = desk.begin("a1t1")
    for slug in ("task", "questions", "nothing"):
        assert desk.client.get(desk.step(draft, slug)).status_code == 404


@pytest.mark.parametrize("page", ["request", "request-check", "request-patient"])
def test_a_draft_is_its_authors_alone(desk: Desk, sign_in: Any, page: str) -> None:
    address = reverse(f"referrals:{page}", args=[desk.begin().pk])
    assert sign_in(desk.acting.organisation).get(address).status_code == 404
    assert sign_in(None).get(address).status_code == 404
