"""GET /Slot: each fault has its own answer, and no answer repeats the value."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.codes import SlotStatus
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError
from bars_portal.exchange.fhir.queries.services import SlotInclude, SlotQuery

Pairs = list[tuple[str, str]]
SERVICE = ("Schedule.actor:HealthcareService", "2000099001")
STATUS = ("status", "free")
START = ("start", "ge2030-03-01T00:00:00+00:00")
END = ("start", "le2030-03-02T00:00:00+00:00")
INCLUDES = [
    ("_include", "Slot:schedule"),
    ("_include", "Schedule:actor:Practitioner"),
    ("_include", "Schedule:actor:HealthcareService"),
]
GOOD: Pairs = [SERVICE, STATUS, START, END, *INCLUDES]


def without(*left_out: tuple[str, str]) -> Pairs:
    return [pair for pair in GOOD if pair not in left_out]


def swapped(old: tuple[str, str], *new: str) -> Pairs:
    return [*without(old), *((old[0], value) for value in new)]


def test_a_complete_search_is_understood() -> None:
    query = SlotQuery.parse(GOOD)
    assert query.service_id == ServiceID("2000099001")
    assert query.statuses == {SlotStatus.FREE}
    assert (query.start, query.end) == (datetime(2030, 3, 1, tzinfo=UTC), datetime(2030, 3, 2, tzinfo=UTC))
    assert query.includes == {
        "Slot:schedule",
        "Schedule:actor:Practitioner",
        "Schedule:actor:HealthcareService",
    }


@pytest.mark.parametrize(
    ("params", "code"),
    [
        (without(SERVICE), OutcomeCode.REQUIRED),
        (without(STATUS), OutcomeCode.REQUIRED),
        (without(START), OutcomeCode.REQUIRED),
        (without(END), OutcomeCode.REQUIRED),
        (without(START, END), OutcomeCode.REQUIRED),
        ([*GOOD, START], OutcomeCode.REQUIRED),
        ([*without(END), START], OutcomeCode.REQUIRED),
        *((without(include), OutcomeCode.REQUIRED) for include in INCLUDES),
        (without(*INCLUDES), OutcomeCode.REQUIRED),
        (swapped(INCLUDES[0], ""), OutcomeCode.REQUIRED),
        (swapped(SERVICE, ""), OutcomeCode.VALUE),
        (swapped(SERVICE, "SECRET"), OutcomeCode.VALUE),
        (swapped(SERVICE, "urn:SECRET|2000099001"), OutcomeCode.VALUE),
        (swapped(SERVICE, "2000099001", "2000099002"), OutcomeCode.VALUE),
        (swapped(STATUS, ""), OutcomeCode.VALUE),
        (swapped(STATUS, "SECRET"), OutcomeCode.VALUE),
        (swapped(STATUS, "free,"), OutcomeCode.VALUE),
        (swapped(STATUS, "free,SECRET"), OutcomeCode.VALUE),
        (swapped(STATUS, "busy-tentative"), OutcomeCode.VALUE),
        (swapped(START, ""), OutcomeCode.VALUE),
        (swapped(START, "ge"), OutcomeCode.VALUE),
        (swapped(START, "geSECRET"), OutcomeCode.VALUE),
        (swapped(START, "ge2030-03-01"), OutcomeCode.VALUE),
        (swapped(START, "ge2030-03-01T00:00:00"), OutcomeCode.VALUE),
        (swapped(START, "gt2030-03-01T00:00:00Z"), OutcomeCode.VALUE),
        (swapped(START, "2030-03-01T00:00:00Z"), OutcomeCode.VALUE),
        (swapped(START, "ge2030-03-03T00:00:00Z"), OutcomeCode.VALUE),
        (swapped(START, "ge0001-01-01T00:00:00+14:00"), OutcomeCode.VALUE),
        ([*GOOD, ("_include", "SECRET'; --")], OutcomeCode.VALUE),
        (swapped(STATUS, "free\x00"), OutcomeCode.VALUE),
        (swapped(SERVICE, "2" * 100_000), OutcomeCode.VALUE),
        ([*GOOD, ("SECRET", "x")], OutcomeCode.INVALID),
        ([("SECRET", "x"), *without(STATUS)], OutcomeCode.REQUIRED),
        ([("SECRET", "x"), *swapped(STATUS, "SECRET")], OutcomeCode.VALUE),
        ([("SECRET", "x"), *swapped(END, "le2030-04-01T00:00:01Z")], OutcomeCode.INVALID),
        ([*swapped(STATUS, "SECRET"), ("start", "le2030-03-03T00:00:00Z")], OutcomeCode.REQUIRED),
        ([*GOOD, ("end", "le2030-03-02T00:00:00+00")], OutcomeCode.INVALID),
        (swapped(END, "le2030-04-01T00:00:01Z"), OutcomeCode.TOO_COSTLY),
    ],
)
def test_each_fault_has_its_own_answer(params: Pairs, code: OutcomeCode) -> None:
    with pytest.raises(OutcomeError) as caught:
        SlotQuery.parse(params)
    assert caught.value.issues[0].code is code
    assert "SECRET" not in str(caught.value.issues)


@pytest.mark.parametrize(
    "params",
    [
        swapped(START, ""),
        swapped(START, "gt2030-03-01T00:00:00Z"),
        swapped(START, "ge2030-03-01T00:00:00Z\x00"),
        swapped(END, "le" + "2" * 3000),
        swapped(START, "geSECRET"),
        swapped(STATUS, "SECRET"),
        swapped(SERVICE, "SECRET"),
        swapped(INCLUDES[0], "SECRET'; --"),
        swapped(INCLUDES[0], "Slot:schedule\x00"),
    ],
)
def test_what_cannot_be_read_is_not_called_missing(params: Pairs) -> None:
    with pytest.raises(OutcomeError) as caught:
        SlotQuery.parse(params)
    assert {issue.code for issue in caught.value.issues} == {OutcomeCode.VALUE}


@pytest.mark.parametrize(
    ("params", "meant"),
    [
        ([*without(SERVICE), ("schedule.actor:HealthcareService", "1")], SERVICE[0]),
        ([*without(SERVICE), ("Schedule:actor:healthcareservice", "1")], SERVICE[0]),
        ([*without(SERVICE), ("schedule.actor:", "1")], SERVICE[0]),
        ([*without(STATUS), ("Status", "free")], "status"),
        ([*without(START), ("start:above", "ge2030-03-01T00:00:00Z")], "start"),
        ([*without(INCLUDES[1]), ("_include:iterate", INCLUDES[1][1])], "_include"),
        ([*without(INCLUDES[1]), ("_include:recurse", INCLUDES[1][1])], "_include"),
        (swapped(INCLUDES[0], "slot:schedule"), "Slot:schedule"),
        (swapped(INCLUDES[1], "schedule.actor:practitioner"), INCLUDES[1][1]),
    ],
)
def test_what_is_spelt_otherwise_is_refused_with_the_right_spelling(params: Pairs, meant: str) -> None:
    with pytest.raises(OutcomeError) as caught:
        SlotQuery.parse(params)
    unknown = [name for name, _ in params if name not in dict(GOOD)]
    wanted = [OutcomeCode.REQUIRED, *([OutcomeCode.INVALID] if unknown else [])]
    assert [issue.code for issue in caught.value.issues] == wanted
    assert all(f"write {meant} in these very letters" in each.diagnostics for each in caught.value.issues)


def test_a_modifier_on_what_is_there_already_is_refused_with_the_right_spelling() -> None:
    with pytest.raises(OutcomeError) as caught:
        SlotQuery.parse([*GOOD, ("_include:iterate", "Schedule:actor:Location")])
    (issue,) = caught.value.issues
    assert issue.code is OutcomeCode.INVALID
    assert "write _include in these very letters" in issue.diagnostics


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("ge2030-03-01T00:00:00 00:00", 0),
        ("ge2030-03-01T00:00:00+00", 0),
        ("ge2030-03-01T00:00:00Z", 0),
        ("ge2030-03-01T01:00:00+01:00", 60),
        ("ge2030-02-28T19:00:00-05", -300),
    ],
)
def test_any_offset_is_understood(text: str, offset: int) -> None:
    start = SlotQuery.parse(swapped(START, text)).start
    assert start == datetime(2030, 3, 1, tzinfo=UTC)
    assert start.tzinfo == timezone(timedelta(minutes=offset))


@pytest.mark.parametrize("values", [["free,busy"], ["busy,free"], ["free", "busy"], ["free, busy"]])
def test_both_statuses_may_be_asked_for(values: list[str]) -> None:
    assert SlotQuery.parse(swapped(STATUS, *values)).statuses == {SlotStatus.FREE, SlotStatus.BUSY}


@pytest.mark.parametrize("include", list(SlotInclude))
def test_every_include_is_known(include: SlotInclude) -> None:
    assert include in SlotQuery.parse([*GOOD, ("_include", include)]).includes


def test_the_old_spelling_is_known_and_foreign_includes_are_left_out() -> None:
    extra = [("_include", "HealthcareService.providedBy"), ("_include", "Slot:appointment")]
    assert SlotQuery.parse([*GOOD, *extra]).includes - SlotQuery.parse(GOOD).includes == {
        "HealthcareService:providedBy"
    }


ACTORS = {
    "Schedule:actor:Practitioner",
    "Schedule:actor:PractitionerRole",
    "Schedule:actor:HealthcareService",
    "Schedule:actor:Location",
}


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("Slot:*", {"Slot:schedule"}),
        ("Schedule:*", ACTORS),
        ("Schedule:actor", ACTORS),
        ("HealthcareService:*", {"HealthcareService:providedBy", "HealthcareService:location"}),
    ],
)
def test_an_include_that_stands_for_several(asked: str, meant: set[str]) -> None:
    spared = [pair for pair in GOOD if pair[1] not in meant]
    assert SlotQuery.parse([*spared, ("_include", asked)]).includes == {
        asked,
        *meant,
        *(value for _, value in INCLUDES),
    }


def test_the_widest_range_is_31_days_unless_said_otherwise() -> None:
    params = swapped(END, "le2030-04-01T00:00:00Z")
    assert SlotQuery.parse(params).end - SlotQuery.parse(params).start == timedelta(days=31)
    with pytest.raises(OutcomeError) as caught:
        SlotQuery.parse(params, max_range=timedelta(days=7))
    assert caught.value.status == 422


def test_the_format_parameter_is_no_search_parameter() -> None:
    assert SlotQuery.parse([*GOOD, ("_format", "json")]) == SlotQuery.parse(GOOD)


def test_every_fault_is_listed() -> None:
    with pytest.raises(OutcomeError) as caught:
        SlotQuery.parse([])
    assert len(caught.value.issues) == 6


names = st.sampled_from([name for name, _ in GOOD]) | st.text(max_size=5)
texts = st.sampled_from([value for _, value in GOOD]) | st.text(max_size=30)


@given(st.lists(st.tuples(names, texts), max_size=9))
def test_no_query_does_anything_but_parse_or_be_refused(params: Pairs) -> None:
    try:
        assert SlotQuery.parse(params).statuses
    except OutcomeError as error:
        assert error.status in (400, 422)
