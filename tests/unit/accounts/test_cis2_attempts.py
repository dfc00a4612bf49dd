"""A sign-in under way: its answer counts once, in the browser that asked, and for ten minutes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bars_portal.accounts.cis2.issuer import Reason, SignInRefused
from bars_portal.accounts.cis2.sign_in import (
    LIFE,
    Person,
    begin,
    check_signed_in_anew,
    read_person,
    take,
)

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def refused(session: dict[str, Any], state: str, now: datetime = NOW) -> Reason:
    with pytest.raises(SignInRefused) as found:
        take(session, state=state, now=now)
    return found.value.reason


def test_it_counts_once() -> None:
    session: dict[str, Any] = {}
    begun = begin(session, next_page="/bookings/", now=NOW)
    assert take(session, state=begun.state, now=NOW) == begun
    assert refused(session, begun.state) is Reason.STALE


def test_another_state_uses_it_up() -> None:
    session: dict[str, Any] = {}
    begun = begin(session, next_page="", now=NOW)
    assert refused(session, "another") is Reason.STALE
    assert refused(session, begun.state) is Reason.STALE


def test_it_grows_old_and_another_browser_has_none() -> None:
    session: dict[str, Any] = {}
    begun = begin(session, next_page="", now=NOW)
    assert refused({}, begun.state) is Reason.STALE
    assert refused(session, begun.state, NOW + LIFE) is Reason.STALE


def test_secrets_are_new_each_time() -> None:
    first, second = (begin({}, next_page="", now=NOW) for _ in range(2))
    made = {first.state, first.nonce, first.verifier, second.state, second.nonce, second.verifier}
    assert len(made) == 6
    assert all(len(each) >= 43 for each in made)
    assert timedelta(minutes=1) < LIFE <= timedelta(minutes=15)


@pytest.mark.parametrize(
    ("claims", "again_for", "is_enough"),
    [
        ({}, None, True),
        ({"auth_time": int(NOW.timestamp())}, 1, True),
        ({"auth_time": int(NOW.timestamp()) - 60}, 1, False),
        ({"auth_time": str(int(NOW.timestamp()))}, 1, False),
        ({}, 1, False),
    ],
    ids=["somebody comes in", "anew", "an older session there", "no number", "not said"],
)
def test_who_confirms_has_signed_in_there_since(
    claims: dict[str, Any], again_for: int | None, is_enough: bool
) -> None:
    attempt = begin({}, next_page="", now=NOW, again_for=again_for)
    if is_enough:
        check_signed_in_anew(claims, attempt)
        return
    with pytest.raises(SignInRefused) as found:
        check_signed_in_anew(claims, attempt)
    assert found.value.reason is Reason.NOT_AGAIN


ROLES = [
    {"person_roleid": "1", "org_code": "y00111", "role_name": "Clinician"},
    {"person_roleid": "2", "org_code": "RIV01", "role_name": "Clinician"},
]


@pytest.mark.parametrize(
    ("claims", "codes"),
    [
        ({"nhsid_nrbac_roles": ROLES}, {"Y00111", "RIV01"}),
        ({"nhsid_nrbac_roles": ROLES, "selected_roleid": "2"}, {"RIV01"}),
        ({"nhsid_nrbac_roles": ROLES, "selected_roleid": "3"}, set()),
        ({"nhsid_nrbac_roles": [{"person_roleid": "1"}, "text", {"org_code": 7}]}, set()),
        ({"nhsid_nrbac_roles": "text"}, set()),
        ({}, set()),
    ],
    ids=["all", "selected", "none-selected", "odd-entries", "text", "nothing"],
)
def test_the_organisations_that_the_claims_name(claims: dict[str, Any], codes: set[str]) -> None:
    person = read_person({"sub": "555", **claims})
    assert (person.subject, person.ods_codes) == ("555", frozenset(codes))


@pytest.mark.parametrize("claims", [{}, {"sub": None}, {"sub": 7}, {"sub": " "}])
def test_nobody(claims: dict[str, Any]) -> None:
    assert read_person(claims) == Person("", ())
