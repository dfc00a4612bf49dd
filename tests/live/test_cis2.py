"""Signing in with NHS CIS2 over real HTTP, with the simulator's issuer program on the other side."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.live.conftest import Query
from tests.live.people import Person, heading
from tests.stack import Stack

SIGN_IN, START = "/accounts/sign-in/", "/accounts/cis2/"
CLINICIAN, STRANGER, UNSURE = "Chris Linnell", "Sam Stranger", "Pat Password"
ROLE = f"{CLINICIAN}: Clinical Practitioner Access Role at"
OURS, NOT_OURS = f"{ROLE} Y00111", f"{ROLE} Z9999"


@pytest.fixture
def person(stack: Stack) -> Iterator[Person]:
    with httpx.Client(base_url=stack.portal, trust_env=False, follow_redirects=True, timeout=60) as http:
        yield Person(http)


def choose(person: Person, page: httpx.Response, words: str, *, follow: bool = True) -> httpx.Response:
    """Press the button of the issuer's page that begins with these words."""
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))
    chosen = re.search(rf'<button name="chosen" value="([^"]+)">{re.escape(words)}', page.text)
    assert chosen, page.text
    form = {name: unescape(value) for name, value in hidden.items()} | {"chosen": unescape(chosen[1])}
    return person.http.post(str(page.url).partition("?")[0], data=form, follow_redirects=follow)


def sign_in(person: Person, words: str = OURS) -> httpx.Response:
    return choose(person, person.get(START), words)


def is_signed_in(person: Person) -> bool:
    return person.get("/").url.path == "/"


def test_in_and_out(person: Person, stack: Stack, query: Query) -> None:
    assert "Sign in with NHS CIS2" in person.get(SIGN_IN).text
    issuers = person.get(f"{START}?next=/bookings/")
    assert str(issuers.url).startswith(f"{stack.simulator}/cis2/authorize?")
    asked = parse_qs(urlsplit(str(issuers.url)).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert "code_verifier" not in asked

    landed = choose(person, issuers, OURS)

    assert landed.url.path == "/bookings/"
    assert is_signed_in(person)
    ((detail,),) = query(
        "SELECT detail FROM audit_auditevent WHERE action = 'accounts.sign_in' ORDER BY id DESC LIMIT 1"
    )
    assert detail == {"way": "cis2"}
    out = person.submit(person.get("/"), {}, to="/accounts/sign-out/")
    assert out.url.path == SIGN_IN, "by way of the issuer's own logout"
    assert any(str(each.url).startswith(f"{stack.simulator}/cis2/logout") for each in out.history)
    assert not is_signed_in(person)


def test_who_is_in_confirms_who_they_are_by_signing_in_there_again(person: Person, query: Query) -> None:
    sign_in(person)
    again = f"{START}?again=1&next=/bookings/"
    issuers = person.get(again)
    asked = parse_qs(urlsplit(str(issuers.url)).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    assert choose(person, issuers, OURS).url.path == "/bookings/"
    ((detail,),) = query(
        "SELECT detail FROM audit_auditevent WHERE action = 'accounts.confirm' ORDER BY id DESC LIMIT 1"
    )
    assert detail == {"way": "cis2"}
    refused = choose(person, person.get(again), "Kit Lerke")
    assert (refused.status_code, heading(refused)) == (403, "You are not confirmed")
    assert is_signed_in(person)


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (STRANGER, "you have no account here yet"),
        (UNSURE, "not safe enough for this portal"),
        (
            NOT_OURS,
            "an organisation that you do not act for",
        ),
    ],
    ids=["unknown-person", "by-password-alone", "another-organisation"],
)
def test_who_is_not_let_in(person: Person, who: str, words: str) -> None:
    refused = sign_in(person, who)
    assert (refused.status_code, heading(refused)) == (403, "You are not signed in")
    assert words in refused.text
    assert not is_signed_in(person)


def test_an_answer_counts_once_and_only_in_the_browser_that_asked(person: Person, stack: Stack) -> None:
    answer = choose(person, person.get(START), OURS, follow=False)
    back = answer.headers["Location"]
    with httpx.Client(trust_env=False) as stranger:
        assert stranger.get(back).status_code == 403, "the code of somebody else, in another browser"
    assert person.get(back).url.path == "/"
    assert person.http.get(back).status_code == 403
    person.get(START)
    assert person.http.get(f"{back}x").status_code == 403, "another state"


@pytest.mark.parametrize("query_text", ["error=access_denied", "code="])
def test_the_issuer_did_not_sign_them_in(person: Person, query_text: str) -> None:
    state = parse_qs(urlsplit(str(person.get(START).url)).query)["state"][0]
    refused = person.http.get(f"/accounts/cis2/callback/?state={state}&{query_text}")
    assert refused.status_code == 403
    assert "NHS CIS2 did not sign you in" in refused.text


def test_a_logout_at_the_issuer_ends_the_session_here(person: Person, stack: Stack) -> None:
    sign_in(person)
    assert is_signed_in(person)
    listed = httpx.get(f"{stack.simulator}/cis2/sessions", trust_env=False)
    newest = re.search(rf'name="sid" value="([^"]+)">End the session of {CLINICIAN}', listed.text)
    assert newest
    told = httpx.post(f"{stack.simulator}/cis2/sessions", data={"sid": newest[1]}, trust_env=False)
    assert "The application answered: 200" in told.text
    assert not is_signed_in(person)


@pytest.mark.parametrize("token", ["", "not a token", "e30.e30."])
def test_a_logout_that_nobody_signed(person: Person, token: str) -> None:
    sign_in(person)
    answer = httpx.post(
        str(person.http.base_url.join("/accounts/cis2/logout/")),
        data={"logout_token": token},
        trust_env=False,
    )
    assert answer.status_code == 400
    assert is_signed_in(person)
