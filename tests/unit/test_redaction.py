"""What has the shape of a secret, or stands beside a name that announces one, never comes out of redact()."""

import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.logging import redact

FINGERPRINT = "7009de39209636630f3576a1b8c66e8d145b736208730c39f221879ee676c44f"
UUID = "20260111-8d3e-4123-9012-345678901234"
_LETTERS = st.characters(whitelist_categories=("Lu", "Ll"))
WORDS = st.text(_LETTERS, min_size=6, max_size=20).map(lambda word: f"Zq{word}")
GAPS = st.sampled_from(["", " ", "-", "\u00a0", "\u2011", "\u2013", "%20", "+", "_"])
LABELS = st.sampled_from(
    [
        "family_name",
        "given",
        "address_line_1",
        "postcode",
        "birthDate",
        "password",
        "access_token",
        "nhs_number",
    ]
)


@st.composite
def grouped(draw: st.DrawFn) -> tuple[str, str]:
    """Ten to fifteen digits, and one of the ways that people write them."""
    digits = draw(st.text("0123456789", min_size=10, max_size=15))
    return digits, digits[0] + "".join(draw(GAPS) + each for each in digits[1:])


@given(grouped(), st.sampled_from(["", "nr ", "number|", "x", "/Patient/", "("]))
def test_no_number_comes_through_however_it_is_written(number: tuple[str, str], before: str) -> None:
    digits, written = number
    left = redact(f"{before}{written} and more")
    assert sum(map(str.isdigit, left.replace("%20", ""))) == 0, left
    assert digits not in left
    assert left.endswith(" and more")


@given(LABELS, WORDS, WORDS)
def test_nothing_beside_a_telling_name_comes_through(label: str, first: str, second: str) -> None:
    value = f"{first} O'{second}, {second}"
    for text in (
        json.dumps({"n": 1, label: value}),
        json.dumps({label: [{"family": first, "given": [second]}]}),
        repr({label: value}),
        f"<QueryDict: { ({label: [value]})!r}>",
        f"/page?{urlencode({label: value})}",
        f"form {label}={value}",
        f"{label}: {value}",
        quote(f"{label}={first}"),
        f"DETAIL:  Key ({label})=({value}) already exists.",
        f"DETAIL:  Failing row contains (1, {value}, null).",
    ):
        left = redact(text)
        assert first not in left, left
        assert second not in left, left


@pytest.mark.parametrize(
    "secret",
    [
        "1944-02-29",
        "29/02/1944",
        "29.2.1944",
        "29 February 1944",
        "29th Feb 1944",
        "February 29, 1944",
        "19440229",
        "ZE3 9JW",
        "ze39jw",
        "ZE3%209JW",
        "M1 1AE",
        "EC1A 1BB",
        "xanthippe@quetzalberg.example",
        "07700 900987",
        "+44 7700 900987",
        # pragma: allowlist nextline secret - signed by nobody
        "eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
        "Bearer qX7-secret.token",
        "Basic cG9ydGFsOnNlY3JldA==",
        "Authorization: Bearer qX7secret",
        "redis://:qX7secret@broker:6379/0",
        # pragma: allowlist nextline secret - no key
        "-----BEGIN PRIVATE KEY-----\nMIIEqX7\n-----END PRIVATE KEY-----",
    ],
)
def test_a_shape_that_tells_is_gone(secret: str) -> None:
    for text in (secret, f"before {secret} after", f"({secret})"):
        left = redact(text)
        for part in (secret, "1944", "qX7", "9JW", "9jw", "quetzalberg", "900987", "1AE", "1BB", "cG9y"):
            assert part not in left, left


@pytest.mark.parametrize(
    "text",
    [
        "POST /FHIR/R4/$process-message 200 12 ms",
        f"BaRS GET /Appointment/{{id}}: 200 in 35 ms, request {UUID}",
        f"/bookings/{UUID}/cancel/ 302",
        f"refused: the address is not allowed, certificate {FINGERPRINT}",
        "Listening at: https://127.0.0.1:8443 (1234)",
        "Task bars_portal.audit.tasks.seal succeeded in 0.012s: None",
        "TLS handshake with 10.1.2.3 refused: certificate not accepted, unable to get issuer certificate",
        "postroom: the database does not answer",
    ],
)
def test_what_names_nobody_stays(text: str) -> None:
    assert redact(text) == text
