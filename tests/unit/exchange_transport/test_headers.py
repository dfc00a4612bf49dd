"""Encoding and lenient decoding of the BaRS request headers."""

import base64
import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.identifiers import ServiceID, UnknownTarget
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError
from bars_portal.exchange.transport.headers import (
    OutgoingContext,
    Party,
    Practitioner,
    Software,
    decode_headers,
    echo_headers,
    encode_headers,
    storable_headers,
)

IDS = {"X-Request-ID": str(uuid4()), "X-Correlation-ID": str(uuid4())}
NHSD = (
    "NHSD-Target-Identifier",
    "NHSD-End-User-Organisation",
    "NHSD-Requesting-Practitioner",
    "NHSD-Requesting-Software",
)
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"

plain = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), max_size=30).map(str.strip)
contexts = st.builds(
    OutgoingContext,
    request_id=st.uuids(),
    correlation_id=st.uuids(),
    target=st.from_regex(r"[0-9]{1,20}", fullmatch=True).map(ServiceID.parse),
    organisation=st.builds(Party, st.from_regex(r"[A-Z0-9]{3,12}", fullmatch=True), plain),
    software=st.builds(Software, plain, plain, plain),
    practitioner=st.none() | st.builds(Practitioner, plain, plain.filter(bool), plain),
    use_context=st.none() | st.just("a1t1|booking|booking-request|new"),
)


def encoded(value: object, *, indent: int | None = None) -> str:
    return base64.b64encode(json.dumps(value, indent=indent).encode()).decode()


@given(contexts)
def test_what_we_encode_reads_back_the_same(context: OutgoingContext) -> None:
    read = decode_headers(encode_headers(context))
    assert (read.request_id, read.correlation_id) == (context.request_id, context.correlation_id)
    assert (read.target, read.organisation) == (context.target, context.organisation)
    assert (read.software, read.practitioner) == (context.software, context.practitioner)
    assert read.use_context == context.use_context


def test_the_shapes_are_those_of_the_api_specification() -> None:
    headers = encode_headers(
        OutgoingContext(
            request_id=UUID(int=1),
            correlation_id=UUID(int=2),
            target=ServiceID.parse("2000011147"),
            organisation=Party("A1001", "Riverside"),
            software=Software("SUPP-APP-1", "Portal", "1.0.0"),
            practitioner=Practitioner("100334993514", "62247001", "General practitioner"),
            use_context="a4t2|validation|servicerequest-response|new",
        )
    )
    assert headers["X-Request-ID"] == "00000000-0000-0000-0000-000000000001"
    assert headers["use-context"] == "a4t2|validation|servicerequest-response|new"
    decoded = [json.loads(base64.b64decode(headers[name], validate=True)) for name in NHSD]
    assert decoded == [
        {"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "2000011147"},
        {
            "resourceType": "Organization",
            "identifier": [{"system": ODS, "value": "A1001"}],
            "name": "Riverside",
        },
        {
            "resourceType": "PractitionerRole",
            "identifier": [{"system": "https://fhir.nhs.uk/Id/sds-role-profile-id", "value": "100334993514"}],
            "code": [
                {
                    "coding": [
                        {
                            "system": "http://snomed.info/sct",
                            "code": "62247001",
                            "display": "General practitioner",
                        }
                    ]
                }
            ],
        },
        {
            "resourceType": "Device",
            "identifier": [
                {"system": "https://consumersupplier.com/Id/device-identifier", "value": "SUPP-APP-1"}
            ],
            "deviceName": {"name": "Portal", "type": "manufacturer-name"},
            "version": {"value": "1.0.0"},
        },
    ]


def test_no_practitioner_and_no_use_context_send_no_header() -> None:
    context = OutgoingContext(
        uuid4(), uuid4(), ServiceID.parse("1"), Party("A1001", ""), Software("i", "n", "v")
    )
    assert not {"NHSD-Requesting-Practitioner", "use-context"} & encode_headers(context).keys()


ORGANISATION = {
    "resourceType": "Organization",
    "identifier": [{"value": "wasp", "system": ODS}],
    "name": "Riverside ",
}


@pytest.mark.parametrize(
    "header",
    [
        encoded(ORGANISATION),
        encoded(ORGANISATION, indent=2),
        encoded(ORGANISATION) + "\n",
        encoded(ORGANISATION).rstrip("="),
        "\r\n ".join(encoded(ORGANISATION)[i : i + 60] for i in range(0, 200, 60)),
        base64.b64encode(json.dumps(ORGANISATION).encode() + b"\n").decode(),
        base64.b64encode(b"\xef\xbb\xbf" + json.dumps(ORGANISATION).encode()).decode(),
        encoded({**ORGANISATION, "telecom": [{"system": "phone"}], "extra": None}),
        encoded({**ORGANISATION, "identifier": {"system": ODS.replace("/Id/", "/id/"), "value": "WASP"}}),
        encoded(
            {**ORGANISATION, "identifier": [{"system": "urn:x", "value": "no"}, *ORGANISATION["identifier"]]}
        ),
        encoded({**ORGANISATION, "identifier": [{"value": "WASP"}]}),
    ],
)
def test_organisation_is_read_leniently(header: str) -> None:
    read = decode_headers({**IDS, "nhsd-end-user-organisation": header})
    assert read.organisation == Party("WASP", "Riverside")


@pytest.mark.parametrize("name", ["R", "Ri", "Riv"])
def test_padding_may_be_missing(name: str) -> None:
    header = encoded({**ORGANISATION, "name": name}).rstrip("=")
    organisation = decode_headers({**IDS, "NHSD-End-User-Organisation": header}).organisation
    assert organisation == Party("WASP", name)


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ({"deviceName": {"name": "P"}, "version": {"value": "1"}}, Software("", "P", "1")),
        ({"deviceName": [{"name": "P"}], "version": [{"value": "1"}]}, Software("", "P", "1")),
        ({"identifier": [{"value": "X"}], "deviceName": [], "version": "1"}, Software("X", "", "")),
        ({}, Software("", "", "")),
    ],
)
def test_software_in_both_shapes(device: object, expected: Software) -> None:
    read = decode_headers({**IDS, "NHSD-Requesting-Software": encoded(device)})
    assert read.software == expected


def test_the_specifications_own_practitioner_example_is_accepted() -> None:
    words = {"resourceType": "string", "identifier": [{"system": "string", "value": "string"}]}
    read = decode_headers({**IDS, "NHSD-Requesting-Practitioner": encoded(words)})
    assert read.practitioner == Practitioner("string")


@pytest.mark.parametrize("blank", ["", "   "])
def test_absent_and_blank_headers_are_none(blank: str) -> None:
    read = decode_headers({**IDS, **dict.fromkeys(NHSD, blank), "use-context": blank, "Accept": blank})
    assert (read.target, read.organisation, read.practitioner, read.software) == (None,) * 4
    assert (read.use_context, read.accept) == (None, None)


@pytest.mark.parametrize(
    ("headers", "codes"),
    [
        ({}, ["REQUIRED", "REQUIRED"]),
        ({"X-Request-ID": IDS["X-Request-ID"]}, ["REQUIRED"]),
        ({**IDS, "X-Correlation-ID": " "}, ["REQUIRED"]),
        ({**IDS, "X-Request-ID": "12"}, ["VALUE"]),
        ({**IDS, "X-Request-ID": "{" + IDS["X-Request-ID"] + "}"}, ["VALUE"]),
        ({**IDS, "X-Request-ID": IDS["X-Request-ID"].replace("-", "")}, ["VALUE"]),
        ({**IDS, "X-Request-ID": "urn:uuid:" + IDS["X-Request-ID"]}, ["VALUE"]),
        ({"X-Request-ID": "nonsense"}, ["REQUIRED", "VALUE"]),
    ],
)
def test_ids_are_required_and_uuids(headers: dict[str, str], codes: list[str]) -> None:
    with pytest.raises(OutcomeError) as raised:
        decode_headers(headers)
    assert [issue.code.name for issue in raised.value.issues] == codes


def test_names_and_ids_in_any_case() -> None:
    sent = {"x-request-id": IDS["X-Request-ID"].upper(), "X-CORRELATION-ID": IDS["X-Correlation-ID"]}
    assert str(decode_headers(sent).request_id) == IDS["X-Request-ID"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NHSD-Target-Identifier", "not base64!"),
        ("NHSD-Target-Identifier", "e30"),
        ("NHSD-Target-Identifier", encoded([])),
        ("NHSD-Target-Identifier", encoded({"system": "https://fhir.nhs.uk/Id/dos-service-id"})),
        ("NHSD-Target-Identifier", encoded({"system": "tests", "value": " "})),
        ("NHSD-Target-Identifier", encoded({"system": "", "value": "NHS0001"})),
        ("NHSD-Target-Identifier", encoded({"value": "2000099001"})),
        (
            "NHSD-Target-Identifier",
            encoded({"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": 2000}),
        ),
        ("NHSD-End-User-Organisation", encoded({"name": "No code"})),
        ("NHSD-End-User-Organisation", encoded({**ORGANISATION, "name": "a\x00b"})),
        ("NHSD-End-User-Organisation", encoded({**ORGANISATION, "name": {"text": "x"}})),
        (
            "NHSD-End-User-Organisation",
            encoded({**ORGANISATION, "identifier": [{"system": ODS, "value": "A' OR"}]}),
        ),
        ("NHSD-Requesting-Practitioner", "bnVsbA=="),
        ("NHSD-Requesting-Software", base64.b64encode(b'{"version": {"value": "\xff"}}').decode()),
        ("NHSD-Requesting-Software", base64.b64encode(b"[" * 3000).decode()),
        ("NHSD-Requesting-Software", "caf\u00e9"),
    ],
)
def test_what_does_not_decode_is_a_value_fault_that_names_the_header(name: str, value: str) -> None:
    with pytest.raises(OutcomeError) as raised:
        decode_headers({**IDS, name: value})
    (issue,) = raised.value.issues
    assert issue.code is OutcomeCode.VALUE
    assert name in issue.diagnostics
    assert raised.value.__suppress_context__, "the cause holds the header's content"


@pytest.mark.parametrize(
    "target",
    [
        {"system": "tests", "value": "NHS0001"},
        {"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "Ottershaw"},
        {"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "2" * 500},
        {"system": "urn:x", "value": "2000099001"},
    ],
)
def test_a_target_that_is_no_service_is_well_formed(target: object) -> None:
    """Whatever system and value (standard section 12); it is not the same as no target."""
    assert decode_headers({**IDS, "NHSD-Target-Identifier": encoded(target)}).target == UnknownTarget()


@pytest.mark.parametrize(
    ("name", "written", "place"),
    [
        ("NHSD-Target-Identifier", '{"system": "a", "value": "SECRET", "value": "2"}', "value"),
        (
            "NHSD-End-User-Organisation",
            '{"identifier": [{"value": "A1", "value": "SECRET"}]}',
            "identifier[0].value",
        ),
        (
            "NHSD-Requesting-Software",
            '{"resourceType": "Device", "version": {"value": "1", "value": "2"}}',
            "Device.version.value",
        ),
        ("NHSD-Requesting-Practitioner", '{"SECRET": 1, "SECRET": 1}', "An object"),
    ],
)
def test_a_name_that_comes_twice_is_told_with_its_place(name: str, written: str, place: str) -> None:
    with pytest.raises(OutcomeError) as raised:
        decode_headers({**IDS, name: base64.b64encode(written.encode()).decode()})
    (issue,) = raised.value.issues
    assert (issue.code, issue.expression) == (OutcomeCode.INVALID, (f"http.{name}",))
    assert issue.diagnostics.startswith(f"The header {name}: {place} has the same name twice")
    assert "SECRET" not in issue.diagnostics


@pytest.mark.parametrize("name", NHSD)
def test_where_the_path_is_wrong_what_does_not_decode_counts_as_not_sent(name: str) -> None:
    read = decode_headers(
        {**IDS, "NHSD-End-User-Organisation": encoded(ORGANISATION), name: "SECRET"}, judge_nhsd=False
    )
    assert (read.organisation is None) is (name == "NHSD-End-User-Organisation")
    with pytest.raises(OutcomeError):
        decode_headers({**IDS, "X-Request-ID": ""}, judge_nhsd=False)


@pytest.mark.parametrize(
    ("use_context", "code"),
    [
        ("a4t1|validation|servicerequest-request|new", OutcomeCode.INVARIANT),
        (" a4t1 | Validation |servicerequest-response|new", OutcomeCode.INVARIANT),
        ("a1t1|referral|servicerequest-request|new", OutcomeCode.VALUE),
        ("validation|a1t1|servicerequest-request|new", OutcomeCode.VALUE),
        ("a4t1|", OutcomeCode.VALUE),
        ("validation", OutcomeCode.VALUE),
        ("", OutcomeCode.VALUE),
    ],
)
def test_a_request_id_of_a_validation_that_is_no_uuid(use_context: str, code: OutcomeCode) -> None:
    sent = {**IDS, "use-context": use_context}
    for name, expected in (("X-Request-ID", code), ("X-Correlation-ID", OutcomeCode.VALUE)):
        with pytest.raises(OutcomeError) as raised:
            decode_headers({**sent, name: "nonsense"})
        assert [issue.code for issue in raised.value.issues] == [expected]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
members = st.dictionaries(
    st.sampled_from(["system", "value", "identifier", "name", "code", "deviceName", "version"]), json_values
)


@given(
    name=st.sampled_from(NHSD),
    value=st.text() | members.map(encoded) | st.binary().map(base64.b64encode).map(bytes.decode),
)
def test_garbage_raises_nothing_but_an_outcome_without_the_value(name: str, value: str) -> None:
    try:
        decode_headers({**IDS, name: value})
    except OutcomeError as error:
        texts = " ".join(issue.diagnostics for issue in error.issues)
        assert texts == f"The header {name} is not the base64 of the JSON object that is expected there."


@given(st.dictionaries(st.sampled_from([*IDS, "accept", "use-context"]), st.text()))
def test_garbage_ids_raise_nothing_but_an_outcome(headers: dict[str, str]) -> None:
    try:
        decode_headers(headers)
    except OutcomeError as error:
        assert all(issue.code.status == 400 for issue in error.issues)


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ({}, {}),
        ({"x-request-id": "NoT a UUID "}, {"X-Request-ID": "NoT a UUID "}),
        ({"X-CORRELATION-ID": "c", "x-Request-Id": ""}, {"X-Request-ID": "", "X-Correlation-ID": "c"}),
        ({"X-Request-ID": "a\r\nSet-Cookie: b"}, {}),
    ],
)
def test_echo_is_exactly_what_was_sent(sent: dict[str, str], echoed: dict[str, str]) -> None:
    assert echo_headers(sent) == echoed


def test_credentials_are_never_stored() -> None:
    secrets = {"AUTHORIZATION": "Bearer x", "cookie": "y", "Proxy-Authorization": "z", "Set-Cookie": "w"}
    assert storable_headers({**IDS, **secrets}) == IDS


def test_the_published_example_of_the_testing_guide_decodes(shared_dir: Path) -> None:
    guide = (shared_dir / "seeds" / "testing-and-environments-v1.8.1.txt").read_text()
    found = dict(
        line.strip().removeprefix("--header '").rstrip("' \\").split(": ", 1)
        for line in guide.splitlines()
        if line.strip().startswith("--header '") and ": " in line
    )
    read = decode_headers(found)
    assert str(read.target) == "2000072489"
    assert read.organisation == Party("WASP", "My service provider name")
