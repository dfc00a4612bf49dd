"""The page of a received message: what comes first, what is said of silence, whose words are shown."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import UseCase
from referrals.message_page.page import present_message
from referrals.message_page.reader import Item, MessageView
from referrals.message_page.words import date_words, sentence, system_name
from referrals.parts.medication import Allergies, Medications, Stated
from referrals.responding.envelope import CAD_SYSTEM
from tests.factories.contents import make_content
from tests.unit.exchange_fhir.factory import contact, phone
from tests.unit.exchange_fhir.samples import nth
from tests.unit.referrals import built
from tests.unit.referrals.message_pages import (
    NOW,
    markup_of,
    own_messages,
    published_messages,
    text_of,
    view_of,
)

OWN = own_messages()
CODES = "https://fhir.nhs.uk/CodeSystem/"
TOP = "app-message__top"
Json = dict[str, Any]


def flag(category: str, system: str, code: str, status: str = "active") -> Json:
    return {
        "resourceType": "Flag",
        "status": status,
        "category": [{"coding": [{"system": f"{CODES}flag-categories-bars", "code": category}]}],
        "code": {"coding": [{"system": f"{CODES}{system}", "code": code}]},
    }


def with_flags(*flags: Json) -> Json:
    raw = deepcopy(OWN["referral-new"])
    raw["entry"] += [{"fullUrl": f"urn:flag:{place}", "resource": each} for place, each in enumerate(flags)]
    return raw


def facts(view: MessageView) -> dict[str, tuple[str, ...]]:
    return {each.label: each.lines for each in view.facts}


def rows(item: Item) -> dict[str, tuple[str, ...]]:
    return {each.label: each.lines for each in item.rows}


def group(view: MessageView, key: str) -> Any:
    return next(each for each in view.groups if each.key == key)


ADJUSTMENT = flag("RA", "reasonable-adjustment-codes-bars", "adjustforneedlephobia")
UNSAFE = flag("SS", "scene-safety-codes-bars", "U")
CONCERN = flag("SG", "safeguarding-codes-bars", "836881000000105")


def test_safeguarding_comes_first_then_the_scene() -> None:
    view = view_of(with_flags(ADJUSTMENT, UNSAFE, CONCERN))
    titles = [(each.item.title, each.is_alarm) for each in view.warnings]
    assert titles == [
        ("Safeguarding Concern", True),
        ("Scene Safety", True),
        ("Reasonable Adjustment", False),
    ]
    assert view.warnings[1].says == ("The Scene is unsafe",)


@pytest.mark.parametrize(
    ("sent", "alarm"),
    [
        (flag("SS", "scene-safety-codes-bars", "S"), False),
        (flag("SS", "scene-safety-codes-bars", "UNK"), True),
        (flag("SG", "safeguarding-codes-bars", "861931000000100"), False),
        (flag("SG", "safeguarding-codes-bars", "836881000000105", "inactive"), False),
    ],
    ids=["safe", "unknown", "no-concern", "over"],
)
def test_a_warning_that_says_all_is_well_is_no_alarm(sent: Json, alarm: bool) -> None:
    assert [each.is_alarm for each in view_of(with_flags(sent)).warnings] == [alarm]


def test_every_safeguarding_and_scene_flag_of_an_example_is_in_the_top_part(shared_dir: Path) -> None:
    found = 0
    for raw in published_messages(shared_dir).values():
        top = text_of(raw, TOP)
        for each in (entry["resource"] for entry in raw["entry"]):
            code = each["category"][0]["coding"][0]["code"] if each["resourceType"] == "Flag" else ""
            if code in ("SG", "SS"):
                found += 1
                assert {"SG": "safeguarding", "SS": "scene safety"}[code] in top
    assert found >= 8


def test_the_facts_of_a_request() -> None:
    known = facts(view_of(OWN["validation-new"]))
    assert known["Call-back number"] == ("07700 900123 (phone)",)
    assert known["What is asked"][0] == "New validation"
    # The sample's own end of occurrencePeriod, in London, together with how far it is.
    assert known["Due by"] == ("in 1326 days (Friday 1 March 2030 at 09:20)",)


def test_nothing_is_due_of_a_request_that_is_over() -> None:
    """Whether the message says so, or its case has ended since."""
    taken_back = deepcopy(OWN["validation-new"])
    nth(taken_back, "ServiceRequest")["status"] = "revoked"
    since = present_message(MessageBundle(OWN["validation-new"]), NOW, is_over=True)
    for view in (view_of(taken_back), since):
        known = facts(view)
        assert known["Was due by"] == ("Friday 1 March 2030 at 09:20",)
        assert "Due by" not in known


def test_the_number_to_call_back_is_that_of_rank_1_wherever_it_stands() -> None:
    raw = deepcopy(OWN["validation-new"])
    first = nth(raw, "Patient")["contact"]
    nth(raw, "Patient")["contact"] = [contact(2, phone("02079460000")), *first, contact(None)]
    assert facts(view_of(raw))["Call-back number"] == ("07700 900123 (phone)",)


def test_silence_is_named_where_it_matters() -> None:
    view = view_of(OWN["referral-new"])
    assert [facts(view)[name] for name in ("Priority", "Safeguarding", "Scene safety")] == [(), (), ()]
    assert "Scene safety" not in facts(view_of(with_flags(UNSAFE)))
    assert not group(view, "medication").items
    assert "nor said that none are known" in group(view, "allergies").silence
    assert "not stated" in text_of(OWN["referral-new"], TOP)


AMPDS, PATHWAYS = f"{CODES}ampds-dispatch-codes", f"{CODES}pathways-sd-codes"


def assessed(*outcomes: Json) -> MessageView:
    raw = deepcopy(OWN["validation-new"])
    nth(raw, "CarePlan")["activity"] = [{"outcomeCodeableConcept": list(outcomes)}]
    return view_of(raw)


def test_the_complaint_of_an_assessment_is_shown_as_the_complaint() -> None:
    """Our own request: two outcomes with their kinds, and the narrative."""
    view = view_of(OWN["sent-a1t1"])
    assert facts(view)["Chief concern or presenting complaint"] == ("Chest pain",)
    (item,) = [each for each in group(view, "assessment").items if each.title.startswith("Outcome")]
    shown = rows(item)
    assert shown["Presenting complaint"] == ("Chest pain",)
    assert shown["Disposition"] == ("Emergency Ambulance Response (Category 3)",)
    assert shown["Assessment narrative"][0].startswith("Chest pain since")


def test_the_kind_of_an_outcome_and_its_words_are_both_shown() -> None:
    coding = {"system": "http://snomed.info/sct", "code": "29857009", "display": "Chest pain"}
    view = assessed({"coding": [coding], "text": "Presenting complaint: Since this morning"})
    (item,) = [each for each in group(view, "assessment").items if each.title.startswith("Outcome")]
    assert rows(item) == {"Presenting complaint": ("Chest pain", "Since this morning")}
    assert facts(view)["Chief concern or presenting complaint"] == ("Chest pain", "Since this morning")


def test_a_dispatch_code_names_the_concern_where_nothing_else_does() -> None:
    coding = {"system": AMPDS, "code": "10A01", "display": "Chest pain, breathing normally"}
    view = assessed({"coding": [coding]})
    assert facts(view)["Chief concern or presenting complaint"] == ("Chest pain, breathing normally",)
    (item,) = [each for each in group(view, "assessment").items if each.title.startswith("Outcome")]
    assert rows(item) == {"Chief concern (AMPDS)": ("Chest pain, breathing normally",)}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Pathways Assessment SD Code", "Symptom discriminator"),
        ("What the caller fears most", "What the caller fears most"),
        ("", "Symptom discriminator"),
    ],
    ids=["names-the-code", "says-something", "silent"],
)
def test_a_label_that_only_names_a_code_is_said_in_plain_words(text: str, label: str) -> None:
    coding = {"system": PATHWAYS, "code": "4389", "display": "Bleeding"}
    view = assessed({"coding": [coding], **({"text": text} if text else {})})
    (item,) = [each for each in group(view, "assessment").items if each.title.startswith("Outcome")]
    assert rows(item) == {label: ("Bleeding",)}
    codes = {each.code for part in view.groups for thing in part.items for each in thing.codes}
    assert not text or text in {label} | codes


@pytest.mark.parametrize("end", ["/n", "\\n", "\\n\\n", " /n "])
def test_written_line_ends_are_line_ends(end: str) -> None:
    view = assessed({"text": f"Sore throat{end} No fever{end}"})
    (item,) = [each for each in group(view, "assessment").items if each.title.startswith("Outcome")]
    (line,) = rows(item)["Assessment narrative"]
    assert line.split() == ["Sore", "throat", "No", "fever"]
    assert line.startswith("Sore throat\n")


def test_an_answer_is_not_asked_for_what_it_need_not_hold() -> None:
    view = view_of(OWN["validation-rejected"])
    assert "Priority" not in facts(view)
    assert "Case of the responder: Cancelled" in facts(view)["Answer"]
    assert "medication" not in {each.key for each in view.groups}


def test_none_known_is_not_silence() -> None:
    nothing = {"medications": Medications(Stated.NONE_KNOWN), "allergies": Allergies(Stated.NONE_KNOWN)}
    view = view_of(built.message(make_content(UseCase.A1T1, **nothing)))
    assert [each.title for each in group(view, "allergies").items] == ["No known allergy"]
    assert [each.title for each in group(view, "medication").items] == ["No current medication"]


def test_a_display_that_says_something_else_than_its_code_is_pointed_out() -> None:
    lying = deepcopy(UNSAFE)
    lying["code"]["coding"][0]["display"] = "All fine here"
    warning = view_of(with_flags(lying)).warnings[0]
    assert warning.says == ("All fine here", "Our code list says: The Scene is unsafe")
    assert warning.is_alarm


@pytest.mark.parametrize("h", ["", "h:"])
def test_a_narrative_is_shown_as_words_and_only_for_what_it_adds(h: str) -> None:
    raw = deepcopy(OWN["validation-new"])
    place = nth(raw, "Location")
    words = f"<{h}b>By the</{h}b> bridge<{h}script>alert(1)</{h}script>"
    place["text"] = {"status": "generated", "div": f"<{h}div>{words}</{h}div>"}
    item = group(view_of(raw), "places").items[0]
    assert rows(item)["In the sender's words"] == ("By the bridge",)
    assert "<script>" not in markup_of(raw)
    place["name"] = "Under the bridge"
    place["text"]["div"] = "<div>under the <p>bridge</p></div>"
    assert "In the sender's words" not in rows(group(view_of(raw), "places").items[0])


def test_markup_that_was_sent_stays_text() -> None:
    raw = deepcopy(OWN["referral-new"])
    nth(raw, "Patient")["name"][0]["family"] = "<img src=x onerror=alert(1)>"
    assert "&lt;img src=x" in markup_of(raw)
    assert "<img" not in markup_of(raw)


def test_home_and_work_phones_are_told_apart_and_the_call_back_is_marked() -> None:
    raw = deepcopy(OWN["referral-new"])
    contact = nth(raw, "Patient")["contact"][0]
    contact["telecom"] = [
        {"system": "phone", "use": "home", "value": "02079460000", "rank": 2},
        {"system": "phone", "use": "work", "value": "0205663859", "rank": 1},
    ]
    contacts = group(view_of(raw), "people").items[0].parts
    assert contacts[0].title == "Contact to call back"
    assert rows(contacts[0])["Home phone"] == ("020 7946 0000, choice 2",)
    assert rows(contacts[0])["Work phone"] == ("0205663859, choice 1 (call back)",)


def test_a_patient_without_a_name_is_said_to_have_none() -> None:
    raw = deepcopy(OWN["referral-new"])
    patient = nth(raw, "Patient")
    for name in ("name", "birthDate", "identifier"):
        del patient[name]
    known = rows(group(view_of(raw), "people").items[0])
    assert (known["Name"], known["Date of birth"], known["Number"]) == ((), (), ())


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2021-10-13T16:20:27+07:00", "Wednesday 13 October 2021 at 10:20"),
        ("2021-10-13", "13 October 2021"),
        ("2021-10", "October 2021"),
        ("2021", "2021"),
        ("2021-02-30", "2021-02-30"),
        ("soon", "soon"),
    ],
)
def test_dates_in_words(sent: str, shown: str) -> None:
    assert date_words(sent) == shown


@pytest.mark.parametrize(
    ("name", "words"),
    [("rejectionComment", "Rejection comment"), ("SPNTitle", "SPN title"), ("case-number", "Case number")],
)
def test_names_in_words(name: str, words: str) -> None:
    assert sentence(name) == words


def test_a_system_without_a_name_keeps_its_address() -> None:
    assert system_name("http://SNOMED.info/sct") == "SNOMED CT"
    assert system_name("urn:oid:1.2.3") == "urn:oid:1.2.3"
    assert system_name(CAD_SYSTEM) == "Ambulance case number"
