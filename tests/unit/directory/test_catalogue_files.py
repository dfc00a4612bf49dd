"""Catalogues as files: what they say, and every way in which one is refused whole."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.catalogue.entries import MOST_SHOWN, AddressRules, BadCatalogue, Catalogue
from directory.catalogue.local_list import TYPES, read_local_list
from directory.catalogue.routes import read_routes
from directory.models import ServiceType
from directory.services.catalogue import READERS

ANY = AddressRules()
SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"
URL = "https://receiver.example.nhs.uk/FHIR/R4"


def routes(entries: Any, system: str = SYSTEM) -> bytes:
    return json.dumps({"NHSD-Target-Identifier": {system: entries}}, indent=1).encode()


def table(*lines: str, header: str = "service_id,name,provider_ods") -> bytes:
    return "\r\n".join([header, *lines]).encode()


def faults_of(content: bytes, read: Any = read_routes) -> list[str]:
    with pytest.raises(BadCatalogue) as refused:
        read(content, addresses=ANY)
    return [str(fault) for fault in refused.value.faults]


def test_routes_say_where_messages_go() -> None:
    content = json.dumps(
        {
            "NHSD-Target-Identifier": {
                SYSTEM.replace("https", "http"): {"2000099001": f"{URL}/"},
                "tests": {"NHS0001": "x"},
            }
        }
    )

    read = read_routes(content.encode(), addresses=ANY)

    assert [entry.service_id for entry in read.services] == ["2000099001"]
    assert read.endpoints[0].said["address"] == URL
    assert len(read.endpoints) == 1


@pytest.mark.parametrize(
    ("content", "where", "reason"),
    [
        (b"", "File", "empty"),
        (b"\xff\xfe{\x00}\x00", "Line 1", "UTF-16"),
        (b'{\n"a": "\xe9"}', "Line 2", "not UTF-8"),
        (b'{\n\n"a\x00": 1}', "Line 3", "zero byte"),
        (b'{"a": 1,\n "b" 2}', "Line 2, column 6", "no JSON"),
        (b"[" * 100_000, "File", "too deeply"),
        (b"9" * 5_000, "File", "too long"),
        (b"[]", "Line 1", "must hold an object"),
        (b"{}", "NHSD-Target-Identifier", "must be there once"),
        (b'{"NHSD-Target-Identifier": {}, "NHSD-Target-Identifier": {}}', "NHSD-Target-Identifier", "once"),
        (b'{"NHSD-Target-Identifier": {"tests": {}}}', "NHSD-Target-Identifier", "there is no service"),
        (routes([]), f"NHSD-Target-Identifier.{SYSTEM}", "must hold an object"),
        (routes({"20-1": URL}), f"Line 4, NHSD-Target-Identifier.{SYSTEM}.20-1", "no DoS service id"),
        (routes({"1": ""}), f"Line 4, NHSD-Target-Identifier.{SYSTEM}.1", "missing"),
        (routes({"1": None}), "Line 4", "missing"),
        (routes({"1": "http://receiver.example"}), "Line 4", "https://"),
        (routes({"1": "https://"}), "Line 4", "no host"),
        (routes({"1": "https://user@receiver.example"}), "Line 4", "no user name"),
        (routes({"1": "https://receiver.example/?a"}), "Line 4", "no ?"),
        (routes({"1": "https://[::1"}), "Line 4", "no address"),
        (routes({"1": "https://receiver.example:x"}), "Line 4", "no address"),
        (routes({"1": f"{URL}\n"}), "Line 4", "no blanks"),
        (routes({"1": "https://receiver.example/a b"}), "Line 4", "no blanks"),
        (routes({"1": "https://r.example/" + "x" * 300}), "Line 4", "300 characters"),
        (routes({"1": "simulator:tkw"}), "Line 4", "https://"),
        (
            routes({"1": "https://int.api.service.nhs.uk/booking-and-referral/FHIR/R4"}),
            "Line 4",
            "round in a circle",
        ),
    ],
)  # fmt: skip
def test_a_bad_catalogue_is_refused_with_place_and_reason(content: bytes, where: str, reason: str) -> None:
    (fault,) = faults_of(content)
    assert fault.startswith(f"{where}")
    assert reason in fault


def test_a_duplicate_names_its_second_line() -> None:
    twice = f'{{"NHSD-Target-Identifier": {{"{SYSTEM}": {{\n"1": "{URL}",\n"2": "{URL}",\n"1": "{URL}"}}}}}}'
    assert faults_of(twice.encode())[0].startswith("Line 4, ")
    assert faults_of(twice.replace('"2"', f'"3": "{URL}"}}, "{SYSTEM.upper()}": {{"2"').encode())[0].endswith(
        "this system is there twice"
    )


def test_our_own_proxy_is_a_circle_too_and_only_the_simulator_is_played() -> None:
    rules = AddressRules(proxies=("http://127.0.0.1:8010/x", "https://proxy.example/api/"), played=True)

    assert rules.read("simulator:tkw") == "simulator:tkw"
    with pytest.raises(ValueError, match="circle"):
        rules.read("https://proxy.example/api/FHIR")
    assert rules.read("https://proxy.example/apis") == "https://proxy.example/apis"


def test_a_hundred_thousand_faults_are_counted_and_the_first_are_shown() -> None:
    with pytest.raises(BadCatalogue) as refused:
        read_routes(routes({f"x{number}": URL for number in range(100_000)}), addresses=ANY)
    assert (len(refused.value.faults), refused.value.count) == (MOST_SHOWN, 100_000)


def test_a_file_that_is_too_large_is_not_even_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("directory.catalogue.entries.MOST_BYTES", 10)
    assert faults_of(b"\xff" * 11) == ["File: it is larger than 0 MB"]


@pytest.mark.parametrize("read", [read_routes, read_local_list])
def test_too_many_services_are_refused(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("routes", "local_list"):
        monkeypatch.setattr(f"directory.catalogue.{module}.MOST_SERVICES", 2)
    content = (
        routes(dict.fromkeys("123", URL))
        if read is read_routes
        else table("1,a,RIV01", "2,b,RIV01", "3,c,RIV01")
    )
    assert "more than 2 services" in faults_of(content, read)[0]


FULL = (
    '2000099001,"Riverside, Leeds",riv01,Riverside Health,UTC,yes,4 Way; Leeds,ls14ap,0113 496 0000,'
    "a1t2;A1T4,yes,no,no,rx1;RX2,Mon 8:00-20:00; Sun closed,10:00-16:00,GP;NHS 111,12.5,https://r.example.nhs.uk/,suspended"
)
HEADER = (
    "service_id,name,provider_ods,provider_name,service_type,active,address_lines,postcode,phone,accepted_use_cases,"
    "takes_bookings,takes_referrals,requires_booking,allowed_callers,opening_hours,bank_holiday_hours,"
    "referral_roles,catchment_miles,endpoint_address,endpoint_status"
)


def test_a_list_may_say_everything_about_a_service() -> None:
    read = read_local_list(b"\xef\xbb\xbf" + table(FULL, "", header=HEADER), addresses=ANY)

    (service,), (endpoint,) = read.services, read.endpoints
    assert (service.service_id, service.provider, service.provider_name) == (
        "2000099001",
        "RIV01",
        "Riverside Health",
    )
    assert service.said == {
        "name": "Riverside, Leeds",
        "service_type": "utc",
        "active": True,
        "address_lines": ["4 Way", "Leeds"],
        "postcode": "LS1 4AP",
        "phone": "0113 496 0000",
        "accepted_use_cases": ["a1t2", "a1t4"],
        "takes_bookings": True,
        "takes_referrals": False,
        "requires_booking": False,
        "allowed_callers": ["RX1", "RX2"],
        "opening_hours": {"mon": [["08:00", "20:00"]], "sun": []},
        "bank_holiday_hours": [["10:00", "16:00"]],
        "referral_roles": ["GP", "NHS 111"],
        "catchment_miles": 12.5,
    }  # fmt: skip
    assert endpoint.said == {"address": "https://r.example.nhs.uk", "private": False, "status": "suspended"}


def test_an_empty_cell_says_nothing_and_a_hyphen_empties() -> None:
    header = "service_id,name,provider_ods,postcode,opening_hours,bank_holiday_hours,catchment_miles,phone"
    read = read_local_list(table("1,a,RIV01,,,,,", "2,b,RIV01,-,-,-,-,-", header=header), addresses=ANY)

    assert set(read.services[0].said) == {"name"}
    assert read.services[1].said == {
        "name": "b",
        "postcode": "",
        "opening_hours": {},
        "bank_holiday_hours": None,
        "catchment_miles": None,
        "phone": "",
    }


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (table("1,a,RIV01", header="service_id,name"), "Line 1: the column provider_ods is missing"),
        (table("1,a,RIV01,x", header="service_id,name,provider_ods,colour"), 'Line 1: there is no column'),
        (table("1,a,RIV01,b", header="service_id,name,provider_ods,name"), "Line 1: the column name is th"),
        (table(), "Line 2: there is no service"),
        (table("1,a"), "Line 2: there are 2 cells for 3 columns"),
        (table('1,"a\nb",RIV01', "2,b"), "Line 2, column name: 1 to 200 characters on one line"),
        (table('1,"a,RIV01'), "Line 2: this is no CSV"),
        (table("1," + "a" * 200_000 + ",RIV01"), "Line 2: this is no CSV"),
        (table("one,a,RIV01"), "Line 2, column service_id: a service id has digits only"),
        (table("2.0001E+09,a,RIV01"), "Line 2, column service_id: a service id has digits only, and"),
        (table("1,a,RIV-01"), "Line 2, column provider_ods: an ODS code has"),
        (table("1,,RIV01"), "Line 2, column name: 1 to 200"),
        (table("1,a,RIV01", "2,b,RIV01", " 1,c,RIV01"), "Line 4, column service_id: this service is on"),
    ],
    ids=lambda each: each[:40] if isinstance(each, str) else "",
)  # fmt: skip
def test_a_bad_list_is_refused_with_line_and_reason(content: bytes, fault: str) -> None:
    assert faults_of(content, read_local_list)[0].startswith(fault)


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("service_type", "dentist", "one of ed"),
        ("active", "maybe", "yes or no"),
        ("postcode", "LS1", "full UK postcode"),
        ("phone", "0" * 41, "40 characters"),
        ("phone", "1.13E+09", "a spreadsheet shortened the number"),
        ("phone", "1134960000", "must begin with 0"),
        ("phone", "call the desk", "this is not a phone number"),
        ("postcode", "4.00E+03", "full UK postcode"),
        ("accepted_use_cases", "a9t9", 'no use case "a9t9"'),
        ("allowed_callers", "R", "3 to 12"),
        ("opening_hours", "Mon 25:00-26:00", "times like"),
        ("bank_holiday_hours", "10-16", "times like"),
        ("catchment_miles", "-1", "number of miles"),
        ("catchment_miles", "1001", "number of miles"),
        ("address_lines", "x" * 101, "100 characters"),
        ("endpoint_address", "ftp://x", "https://"),
        ("endpoint_status", "off", "no endpoint_address"),
        ("endpoint_status", "broken", "one of active"),
    ],
)
def test_a_bad_cell_names_its_column(column: str, cell: str, reason: str) -> None:
    header = f"service_id,name,provider_ods,{column}"
    found = faults_of(table(f"1,a,RIV01,{cell}", header=header), read_local_list)
    assert found[0].startswith(f"Line 2, column {column}: ")
    assert reason in found[0]


def test_a_booking_cannot_be_required_where_none_is_taken() -> None:
    header = "service_id,name,provider_ods,takes_bookings,requires_booking"
    assert faults_of(table("1,a,RIV01,no,yes", header=header), read_local_list) == [
        "Line 2: a service that requires a booking must take bookings"
    ]


def test_the_types_are_those_of_the_directory() -> None:
    assert set(TYPES) == set(ServiceType.values)


@given(
    st.dictionaries(
        st.from_regex(r"[0-9]{1,20}", fullmatch=True),
        st.from_regex(r"https://[a-z]{1,20}\.example(/[a-z]{1,9}){0,3}", fullmatch=True),
        min_size=1,
    )
)
def test_what_is_well_written_is_read_whole(entries: dict[str, str]) -> None:
    read = read_routes(routes(entries), addresses=ANY)
    assert {each.service_id: each.said["address"] for each in read.endpoints} == entries


@given(st.sampled_from(["routes", "csv"]), st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_comes_is_read_or_refused(source: str, content: bytes) -> None:
    read_or_refuse(source, content)


@given(st.lists(st.text(alphabet='0123456789abRIV",;-\n \u00e9', max_size=30), max_size=6))
def test_rows_of_anything_are_read_or_refused(lines: list[str]) -> None:
    read_or_refuse("csv", table(*lines))


def read_or_refuse(source: str, content: bytes) -> None:
    try:
        assert isinstance(READERS[source](content, addresses=ANY), Catalogue)
    except BadCatalogue as refusal:
        assert refusal.faults
