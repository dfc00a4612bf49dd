"""Every time of a story is told in its own place, and read back as what it was."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.timestamps import parse_instant
from bars_portal.nhsuk.dates import format_datetime, in_london
from referrals.cases.codes import Concept
from referrals.forms.base import FormContext
from referrals.forms.steps import content_of, read_step, steps_of, typed_of
from referrals.parts.assessment import HISTORY, CallTimes, clock_start
from referrals.parts.content import RequestContent, content_from_json, content_to_json
from referrals.parts.problems import Note, Procedure
from referrals.parts.request import carried_content
from referrals.sending.presenters import summary_rows
from tests.factories.contents import make_content
from tests.unit.referrals.built import message
from tests.unit.referrals.message_pages import text_of

BEGAN = datetime(2026, 7, 1, 22, 50, 1, tzinfo=UTC)
# In London after midnight: some of the story is of another day.
MINUTES = [BEGAN + timedelta(minutes=3 * number, seconds=number) for number in range(8)]
BT_START, T0, T1, TRIAGE, CPR, NOTE, T2, T5 = MINUTES
OPENED = BEGAN + timedelta(minutes=30)


def story(use_case: UseCase = UseCase.A6T1) -> RequestContent:
    """All times apart."""
    content = make_content(use_case)
    is_ambulance = use_case is UseCase.A6T1
    call = CallTimes(BT_START if is_ambulance else None, T0, T1)
    return replace(
        content,
        assessment=replace(content.assessment, started_at=TRIAGE, disposition_at=T5),
        call=call if content.call.is_stated else CallTimes(),
        places=tuple(replace(each, confirmed_at=T2 if is_ambulance else None) for each in content.places[:1]),
        procedures=tuple(Procedure(Concept(text="CPR"), CPR) for _ in content.procedures),
        notes=tuple(Note("A knife was seen", NOTE) for _ in content.notes[:1]),
    )


def told(content: RequestContent) -> MessageBundle:
    return MessageBundle(json.loads(json.dumps(message(content))))


def at(element: Any) -> datetime:
    return parse_instant(element["start"])


def test_each_time_of_an_ambulance_call_is_in_its_place() -> None:
    bundle = told(story())
    (encounter,), (plan,) = bundle.of_type("Encounter"), bundle.of_type("CarePlan")
    history = {each["status"]: at(each["period"]) for each in encounter["statusHistory"]}
    assert history == {"planned": BT_START, "arrived": T0, "in-progress": T1}
    assert (at(encounter["period"]), at(plan["period"])) == (T0, T5)
    (place,) = encounter["location"]
    assert (place["status"], at(place["period"])) == ("active", T2)
    (procedure,), (note,) = bundle.of_type("Procedure"), bundle.of_type("Communication")
    assert (at(procedure["performedPeriod"]), parse_instant(note["sent"])) == (CPR, NOTE)
    assert {at(each["period"]) for each in bundle.of_type("Flag")} == {TRIAGE}


def call_times_of(encounter: dict[str, Any]) -> CallTimes:
    """As the other ambulance control reads them."""
    history = {each["status"]: at(each["period"]) for each in encounter["statusHistory"]}
    return CallTimes(**{name: history.get(status.value) for status, name in HISTORY.items()})


def test_each_time_is_read_back_and_shown_as_what_it_is() -> None:
    bundle = told(story())
    assert call_times_of(bundle.of_type("Encounter")[0]) == CallTimes(BT_START, T0, T1)
    assert clock_start(bundle) == T5
    onward = carried_content(bundle, UseCase.A6T1)
    assert [each.confirmed_at for each in onward.places] == [T2]
    assert ([each.began_at for each in onward.procedures], [each.made_at for each in onward.notes]) == (
        [CPR],
        [NOTE],
    )
    page = " ".join(text_of(bundle.raw).split())
    shown = {
        "Call reached the network (BTStartTime)": BT_START,
        "Call connected (T0)": T0,
        "Call answered (T1)": T1,
        "Call connected, or contact made": T0,
        "Disposition reached (clock start)": T5,
        "Where (confirmed)": T2,
        "Begun": CPR,
        "Written down": NOTE,
    }
    for label, moment in shown.items():
        after = page.split(f"{label.lower()} ", 1)[1][:150]
        assert f"{in_london(moment):%H:%M}" in after, label


@pytest.mark.parametrize(
    ("use_case", "contact"),
    [(UseCase.A1T1, TRIAGE), (UseCase.A3T1, T0), (UseCase.A4T1, T0), (UseCase.A5T1, TRIAGE)],
    ids=str,
)
def test_contact_and_disposition_elsewhere(use_case: UseCase, contact: datetime) -> None:
    """T0, else T1, of a call; else when the patient was spoken to."""
    bundle = told(story(use_case))
    (encounter,), (plan,) = bundle.of_type("Encounter"), bundle.of_type("CarePlan")
    assert (at(encounter["period"]), at(plan["period"])) == (contact, T5)
    assert "statusHistory" not in encounter


def test_a_call_that_was_only_answered_began_then() -> None:
    bundle = told(replace(story(UseCase.A3T1), call=CallTimes(answered_at=T1)))
    assert at(bundle.of_type("Encounter")[0]["period"]) == T1


def test_a_provisional_place_has_no_status_and_a_percentage_no_metres() -> None:
    content = story()
    provisional = replace(content, places=tuple(replace(each, confirmed_at=None) for each in content.places))
    bundle = told(provisional)
    (row,) = bundle.of_type("Encounter")[0]["location"]
    assert row.keys() == {"location"}
    (place,) = bundle.of_type("Location")
    parts = {each["url"]: each["valueString"] for each in place["extension"][0]["extension"]}
    assert parts["accuracy"] == "80"
    assert carried_content(bundle, UseCase.A6T1).places == provisional.places
    next(each for each in place["extension"][0]["extension"] if each["url"] == "accuracy")["valueString"] = (
        "250"
    )
    assert carried_content(bundle, UseCase.A6T1).places[0].accuracy_percent == ""


def test_what_was_typed_keeps_its_time_to_the_second() -> None:
    content = story()
    asked = FormContext(UseCase.A6T1, OPENED)
    typed = typed_of(content, asked)
    steps = [read_step(step, typed.get(step.slug), asked) for step in steps_of(asked)]
    read = content_of(UseCase.A6T1, steps)
    assert (read.call, read.procedures, read.notes) == (content.call, content.procedures, content.notes)
    assert read.assessment == content.assessment
    assert read.places == content.places


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("23:58", datetime(2026, 7, 1, 22, 58, tzinfo=UTC)),
        ("00:12", datetime(2026, 7, 1, 23, 12, tzinfo=UTC)),
        ("1/7/2026 09:05", datetime(2026, 7, 1, 8, 5, tzinfo=UTC)),
    ],
)
def test_a_time_of_day_is_the_nearest(typed: str, moment: datetime) -> None:
    asked = FormContext(UseCase.A1T1, OPENED)
    (step,) = (each for each in steps_of(asked) if each.slug == "assessment")
    read = read_step(
        step, {"narrative": "Chest pain", "disposition": typed, "rows": "1", "row-0-what": "Dx0122"}, asked
    )
    assert read.stated["assessment"].disposition_at == moment
    assert format_datetime(moment) in dict(summary_rows(read)).values(), "the day is read before it is sent"
    assert read.stated["assessment"].started_at == OPENED, "when the form was begun, if nothing is given"


def test_times_out_of_order_are_said_to_be() -> None:
    asked = FormContext(UseCase.A6T1, OPENED)
    (step,) = (each for each in steps_of(asked) if each.slug == "assessment")
    typed = {"stage": "triaged", "connected": "23:40", "answered": "23:30", "rows": "1"}
    read = read_step(step, typed, asked)
    assert [each.text for each in read.problems] == [
        "Call answered (T1) cannot be before: call connected (T0)"
    ]


def test_a_case_that_was_stored_before_is_still_read() -> None:
    """Its procedures and notes had no times, and its accuracy was in metres."""
    content = story()
    stored = content_to_json(content)
    stored["procedures"] = [each["concept"] for each in stored["procedures"]]
    stored["notes"] = [each["words"] for each in stored["notes"]]
    for place in stored["places"]:
        del place["accuracy_percent"], place["confirmed_at"]
        place["accuracy"] = "250"
    del stored["call"], stored["assessment"]["disposition_at"]
    read = content_from_json(stored)
    assert [each.words for each in read.notes] == ["A knife was seen"]
    assert [each.concept for each in read.procedures] == [each.concept for each in content.procedures]
    assert read.places[0].accuracy_percent == ""
