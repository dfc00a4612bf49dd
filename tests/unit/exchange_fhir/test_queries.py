"""GET /Appointment and GET /MessageDefinition: what is asked for, or why not."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import NHSNumber, ServiceID
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError
from bars_portal.exchange.fhir.queries.patients import (
    AppointmentQuery,
    Demographics,
    RequestIdentifier,
    ServiceRequestQuery,
)
from bars_portal.exchange.fhir.queries.services import DefinitionQuery

Pairs = list[tuple[str, str]]
NHS = "https://fhir.nhs.uk/Id/nhs-number"
DOS = "https://fhir.nhs.uk/Id/dos-service-id"
CASES = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"
NAME, BORN, HOME = (
    ("patient:name", "Quin"),
    ("patient:birthdate", "1981-07-14"),
    ("patient:address-postalcode", "LS1 4AP"),
)


def by_number(text: str) -> Pairs:
    return [("patient:identifier", text)]


@pytest.mark.parametrize(
    "text", ["9990548609", f"{NHS}|9990548609", "http://fhir.nhs.uk/id/nhs-number|999 054 8609"]
)
def test_a_patient_is_asked_for_by_number(text: str) -> None:
    assert AppointmentQuery.parse(by_number(text)) == AppointmentQuery(NHSNumber("9990548609"), None)


@pytest.mark.parametrize("text", ["9990548608", f"{NHS}|999 054 8608"])
def test_a_number_with_a_wrong_check_digit_is_well_formed_in_a_search(text: str) -> None:
    query = AppointmentQuery.parse(by_number(text))
    assert query.identifier is not None
    assert query.identifier.value == "9990548608"


@pytest.mark.parametrize(
    "pair", [("", f"{NHS}|9990548609"), (f"{NHS}|9990548609", ""), (" ", f"{NHS}|9990548609")]
)
@pytest.mark.parametrize("system", [NHS, "http://fhir.nhs.uk/id/nhs-number"])
def test_a_number_without_a_parameter_name_is_the_identifier(pair: tuple[str, str], system: str) -> None:
    name, value = (text.replace(NHS, system) for text in pair)
    assert AppointmentQuery.parse([(name, value)]) == AppointmentQuery(NHSNumber("9990548609"), None)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    ("token", "code"),
    [
        (f"{NHS}|", OutcomeCode.REQUIRED),
        (f"{NHS}| ", OutcomeCode.REQUIRED),
        (f"{NHS}|SECRET", OutcomeCode.VALUE),
        (f"{NHS}|999054860", OutcomeCode.VALUE),
        ("https://example.org/SECRET|9990548609", OutcomeCode.REQUIRED),
        ("9990548609", OutcomeCode.REQUIRED),
    ],
)
def test_what_stands_without_a_parameter_name_has_its_answer(
    place: int, token: str, code: OutcomeCode
) -> None:
    for parse in (AppointmentQuery.parse, ServiceRequestQuery.parse):
        with pytest.raises(OutcomeError) as caught:
            parse([("", token) if place else (token, "")])
        assert caught.value.issues[0].code is code
        assert not {"SECRET", "9990548609"} & set(str(caught.value.issues).split())


def test_an_empty_number_beside_another_search_is_still_a_fault() -> None:
    with pytest.raises(OutcomeError) as caught:
        ServiceRequestQuery.parse([("ServiceRequest.identifier", "R1"), ("", f"{NHS}|")])
    assert [issue.code for issue in caught.value.issues] == [OutcomeCode.REQUIRED]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("patient.identifier", "patient:identifier"),
        ("Patient:Identifier", "patient:identifier"),
        ("patient:birthDate", "patient:birthdate"),
        ("patient:name:exact", "patient:name"),
        ("patient", None),
        ("SECRET", None),
    ],
)
def test_what_is_spelt_otherwise_is_refused_with_the_right_spelling(name: str, meant: str | None) -> None:
    with pytest.raises(OutcomeError) as caught:
        AppointmentQuery.parse([(name, "9990548609")])
    assert [issue.code for issue in caught.value.issues] == [OutcomeCode.REQUIRED, OutcomeCode.INVALID]
    for issue in caught.value.issues:
        assert (f"write {meant} in these very letters" in issue.diagnostics) is (meant is not None)
        assert "SECRET" not in issue.diagnostics


@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize(
    ("params", "codes"),
    [
        ([], [OutcomeCode.REQUIRED, OutcomeCode.INVALID]),
        (by_number("SECRET"), [OutcomeCode.VALUE, OutcomeCode.INVALID]),
        ([*by_number("SECRET"), NAME], [OutcomeCode.REQUIRED, OutcomeCode.VALUE, OutcomeCode.INVALID]),
    ],
)
def test_what_is_missing_or_wrong_is_told_before_an_unknown_parameter(
    params: Pairs, codes: list[OutcomeCode], last: bool
) -> None:
    unknown = [("SECRET", "1")]
    with pytest.raises(OutcomeError) as caught:
        AppointmentQuery.parse([*params, *unknown] if last else [*unknown, *params])
    assert [issue.code for issue in caught.value.issues] == codes


@pytest.mark.parametrize("born", ["1981-07-14", "eq1981-07-14", "eq14/07/1981", "14/07/1981"])
@pytest.mark.parametrize("home", ["LS1 4AP", "ls14ap", " LS1  4AP "])
def test_a_patient_is_asked_for_by_name_birth_date_and_postcode(born: str, home: str) -> None:
    query = AppointmentQuery.parse([NAME, (BORN[0], born), (HOME[0], home)])
    assert query == AppointmentQuery(None, Demographics("Quin", "1981-07-14", "LS1 4AP"))


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ([], OutcomeCode.REQUIRED),
        ([NAME, BORN], OutcomeCode.REQUIRED),
        ([NAME, HOME], OutcomeCode.REQUIRED),
        ([BORN, HOME], OutcomeCode.REQUIRED),
        (by_number(""), OutcomeCode.VALUE),
        (by_number("SECRET"), OutcomeCode.VALUE),
        (by_number(f"{NHS}|"), OutcomeCode.VALUE),
        (by_number(f"{NHS}|SECRET"), OutcomeCode.VALUE),
        (by_number(f"{NHS}|999054860"), OutcomeCode.VALUE),
        (by_number(f"{NHS}|99905486090"), OutcomeCode.VALUE),
        (by_number(f"{NHS}|999054860X"), OutcomeCode.VALUE),
        (by_number("https://example.org/SECRET|9990548609"), OutcomeCode.VALUE),
        (by_number("|9990548609"), OutcomeCode.VALUE),
        ([*by_number("9990548609"), *by_number("9990548609")], OutcomeCode.VALUE),
        ([NAME, (BORN[0], "SECRET"), HOME], OutcomeCode.VALUE),
        ([NAME, (BORN[0], "1981-02-30"), HOME], OutcomeCode.VALUE),
        ([NAME, (BORN[0], "ge1981-07-14"), HOME], OutcomeCode.VALUE),
        ([NAME, BORN, (HOME[0], "SECRET")], OutcomeCode.VALUE),
        ([("patient:name", " "), BORN, HOME], OutcomeCode.VALUE),
        ([("patient:name", "a\x00"), BORN, HOME], OutcomeCode.VALUE),
        ([*by_number("9990548609"), ("SECRET", "1")], OutcomeCode.INVALID),
    ],
)
def test_each_fault_of_a_patient_search_has_its_answer(params: Pairs, code: OutcomeCode) -> None:
    with pytest.raises(OutcomeError) as caught:
        AppointmentQuery.parse(params)
    assert caught.value.issues[0].code is code
    assert not [value for _, value in params if len(value) > 3 and value in str(caught.value.issues)]


@pytest.mark.parametrize(
    ("text", "system", "value"),
    [
        ("https://x.example/r|R 1", "https://x.example/r", "R 1"),
        (" R1 ", "", "R1"),
        ("a|b|c", "a|b", "c"),
    ],
)
def test_a_request_is_asked_for_by_an_identifier(text: str, system: str, value: str) -> None:
    query = ServiceRequestQuery.parse([("ServiceRequest.identifier", text)])
    nobody = AppointmentQuery(None, None)
    assert query == ServiceRequestQuery(RequestIdentifier(system, value), nobody)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ([], OutcomeCode.REQUIRED),
        ([("ServiceRequest.identifier", " ")], OutcomeCode.VALUE),
        ([("ServiceRequest.identifier", "https://x.example/ref|")], OutcomeCode.VALUE),
        ([("ServiceRequest.identifier", "|R1")], OutcomeCode.VALUE),
        ([("ServiceRequest.identifier", "R1"), ("ServiceRequest.identifier", "R2")], OutcomeCode.VALUE),
        ([("ServiceRequest.identifier", "R1"), NAME, BORN], OutcomeCode.REQUIRED),
        ([("ServiceRequest.identifier", "R1"), ("identifier", "R1")], OutcomeCode.INVALID),
    ],
)
def test_each_fault_of_a_request_search_has_its_answer(params: Pairs, code: OutcomeCode) -> None:
    with pytest.raises(OutcomeError) as caught:
        ServiceRequestQuery.parse(params)
    assert caught.value.issues[0].code is code


def contexts(*values: str) -> Pairs:
    return [("context", value) for value in values]


@pytest.mark.parametrize(
    ("params", "use_cases"),
    [
        (contexts(f"{DOS}|2000099001"), []),
        (contexts("http://fhir.nhs.uk/Id/dos-service-id|2000099001"), []),
        (contexts("2000099001"), []),
        (contexts(f"{DOS}|2000099001", f"{CASES}|a1t1"), [UseCase.A1T1]),
        (contexts("2000099001", "a1t1", "a1t2"), [UseCase.A1T1, UseCase.A1T2]),
        (contexts(f"{DOS}|2000099001&context={CASES}|a1t1"), [UseCase.A1T1]),
        (contexts(quote(f"{DOS}|2000099001&context={CASES}|a1t1", safe="")), [UseCase.A1T1]),
    ],
)
def test_a_context_names_service_and_use_cases(params: Pairs, use_cases: list[UseCase]) -> None:
    query = DefinitionQuery.parse(params)
    assert query == DefinitionQuery(ServiceID("2000099001"), frozenset(use_cases))


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ([], OutcomeCode.REQUIRED),
        (contexts(f"{CASES}|a1t1"), OutcomeCode.REQUIRED),
        ([("SECRET", "1")], OutcomeCode.REQUIRED),
        ([("SECRET", "1"), *contexts(f"{CASES}|a1t1")], OutcomeCode.REQUIRED),
        ([("SECRET", "1"), *contexts("SECRET")], OutcomeCode.VALUE),
        (contexts(""), OutcomeCode.VALUE),
        (contexts("SECRET"), OutcomeCode.VALUE),
        (contexts(f"{DOS}|"), OutcomeCode.VALUE),
        (contexts(f"{DOS}|SECRET"), OutcomeCode.VALUE),
        (contexts("https://example.org/SECRET|2000099001"), OutcomeCode.VALUE),
        (contexts("2000099001", f"{CASES}|SECRET"), OutcomeCode.NOT_FOUND),
        (contexts("2000099001", f"{CASES}|"), OutcomeCode.VALUE),
        (contexts("2000099001", "2000099002"), OutcomeCode.VALUE),
        ([*contexts("2000099001"), ("SECRET", "1")], OutcomeCode.INVALID),
    ],
)
def test_each_fault_of_a_context_has_its_answer(params: Pairs, code: OutcomeCode) -> None:
    with pytest.raises(OutcomeError) as caught:
        DefinitionQuery.parse(params)
    assert caught.value.issues[0].code is code
    assert "SECRET" not in str(caught.value.issues)


@given(
    st.lists(
        st.tuples(st.sampled_from(["context", NAME[0], BORN[0], HOME[0], "patient:identifier"]), st.text())
    )
)
def test_no_query_does_anything_but_parse_or_be_refused(params: Pairs) -> None:
    for parse in (AppointmentQuery.parse, DefinitionQuery.parse):
        try:
            assert parse(params)
        except OutcomeError as error:
            assert error.status == 400
