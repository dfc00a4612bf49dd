"""The token endpoint: secrets, signed assertions, and guesses."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.test import Client
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from bars_portal.api.models import ApiToken, Application
from bars_portal.api.operations import Scope
from bars_portal.api.services import create_secret, revoke_application
from bars_portal.audit.models import AuditEvent
from tests.factories.api import SETUP, make_application

pytestmark = pytest.mark.django_db
URL = "/api/oauth2/token/"
SCOPES = "services:read slots:read"
FORM = "application/x-www-form-urlencoded"
AUDIENCE = f"https://testserver{URL}"
KEY = ECKey.generate_key("P-256", {"kid": "k1"})
NOW = datetime.now(UTC)


@pytest.fixture
def application() -> Application:
    keys = {"keys": [KEY.as_dict(private=False)]}
    return make_application(scopes=[Scope.SERVICES_READ, Scope.SLOTS_READ], public_keys=keys)


def ask(client: Client, *, basic: tuple[str, str] | None = None, **form: str) -> Any:
    headers = {}
    if basic is not None:
        headers["Authorization"] = "Basic " + b64encode(":".join(basic).encode()).decode()
    body = urlencode({"grant_type": "client_credentials", **form})
    return client.post(URL, body, content_type=FORM, headers=headers, secure=True)


def signed(application: Application, key: Any = KEY, **claims: Any) -> str:
    now = int(datetime.now(UTC).timestamp())
    usual = {
        "iss": application.client_id,
        "sub": application.client_id,
        "aud": AUDIENCE,
        "exp": now + 60,
        "jti": str(uuid4()),
    }
    told = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    algorithm = "ES256" if isinstance(key, ECKey) else "RS512"
    return jwt.encode({"alg": algorithm, "kid": "of their own"}, told, key, algorithms=[algorithm])


def by_assertion(client: Client, assertion: str) -> Any:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    return ask(client, client_assertion_type=kind, client_assertion=assertion)


@pytest.mark.parametrize("way", ["basic", "post"])
def test_a_secret_gets_a_token_that_works(client: Client, application: Application, way: str) -> None:
    secret = create_secret(application=application, actor=SETUP, now=NOW)
    proof: dict[str, Any] = (
        {"basic": (application.client_id, secret)}
        if way == "basic"
        else {"client_id": application.client_id, "client_secret": secret}
    )
    answer = ask(client, **proof)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["token_type"], told["expires_in"], told["scope"]) == (
        "Bearer",
        600,
        "services:read slots:read",
    )
    assert answer["Cache-Control"] == "no-store"
    me = client.get("/api/v1/applications/me", headers={"Authorization": f"Bearer {told['access_token']}"})
    assert me.json()["scopes"] == ["services:read", "slots:read"]
    assert not ApiToken.objects.filter(digest=told["access_token"]).exists(), "only its digest is kept"
    event = AuditEvent.objects.get(action="api.issue_token")
    assert event.actor_label == f"{application.name} (application)"


def test_fewer_scopes_may_be_asked_for_and_no_others(client: Client, application: Application) -> None:
    secret = create_secret(application=application, actor=SETUP, now=NOW)
    basic = (application.client_id, secret)
    assert ask(client, basic=basic, scope="slots:read").json()["scope"] == "slots:read"
    refused = ask(client, basic=basic, scope="slots:read bookings:write")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")


def test_guesses_are_counted_and_locked(client: Client, application: Application) -> None:
    secret = create_secret(application=application, actor=SETUP, now=NOW)
    for _ in range(4):
        wrong = ask(client, basic=(application.client_id, "guess"))
        assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    locked = ask(client, basic=(application.client_id, "guess"))
    assert (locked.status_code, locked["Content-Type"]) == (429, "application/json")
    assert int(locked["Retry-After"]) > 0
    assert ask(client, basic=(application.client_id, secret)).status_code == 429
    outcomes = list(AuditEvent.objects.filter(action="api.issue_token").values_list("outcome", flat=True))
    assert sorted(set(outcomes)) == ["failed", "locked"]


def test_a_signed_assertion_gets_one_token(client: Client, application: Application) -> None:
    assertion = signed(application)
    assert by_assertion(client, assertion).status_code == 200
    again = by_assertion(client, assertion)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.example/token"},
        {"exp": 1},
        {"exp": int(NOW.timestamp()) + 3600},
        {"jti": None},
        {"jti": 7},
        {"iss": "somebody"},
        {"sub": ["x"]},
        {"sub": "nobody\x00"},
    ],
)
def test_an_assertion_that_says_otherwise_gets_none(
    client: Client, application: Application, claims: dict[str, Any]
) -> None:
    answer = by_assertion(client, signed(application, **claims))
    assert answer.status_code in (400, 401), answer.content
    assert answer.json()["error"] == "invalid_client"


def test_another_key_signs_nothing(client: Client, application: Application) -> None:
    for key in (ECKey.generate_key("P-256"), RSAKey.generate_key(2048)):
        assert by_assertion(client, signed(application, key)).status_code == 401


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", FORM),
        (b"grant_type=password", FORM),
        (b"grant_type=client_credentials", FORM),
        (b"{}", "application/json"),
        (b"grant_type=client_credentials&client_id=%00&client_secret=%ff", FORM),
        (b"grant_type=client_credentials&client_assertion=x&client_assertion_type=y", FORM),
        (b"x" * 30_000, FORM),
    ],
)
def test_nonsense_is_refused_as_oauth_says(client: Client, body: bytes, content_type: str) -> None:
    answer = client.post(
        URL, body, content_type=content_type, headers={"Authorization": "Basic ///"}, secure=True
    )
    assert answer.status_code in (400, 401, 413), answer.content
    assert answer.json()["error"]
    assert client.get(URL).status_code == 405


def test_no_token_goes_over_plain_http(client: Client) -> None:
    answer = client.post(URL, "grant_type=client_credentials", content_type=FORM)
    assert (answer.status_code, answer.json()["error"]) == (400, "insecure_transport")


def test_what_is_revoked_gets_no_token(client: Client, application: Application) -> None:
    secret = create_secret(application=application, actor=SETUP, now=NOW)
    revoke_application(application=application, actor=SETUP, now=NOW)
    assert ask(client, basic=(application.client_id, secret)).status_code == 401
    assert by_assertion(client, signed(application)).json()["error"] == "invalid_client"
