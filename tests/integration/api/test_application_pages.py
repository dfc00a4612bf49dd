"""Applications in the administration: what managers and engineers do there, and what is shown once."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.exceptions import ValidationError
from django.test import Client
from joserfc.jwk import ECKey, OctKey, RSAKey
from lxml import html

from bars_portal.accounts.permissions import Role
from bars_portal.api.admin import PublicKeysField, ServiceIdsField
from bars_portal.api.models import Application
from bars_portal.api.oauth import Secret, SecretBackend
from bars_portal.audit.models import AuditEvent
from tests.factories.accounts import confirm, make_organisation, make_user
from tests.factories.api import make_application
from tests.integration.staff.acting import carry_out

pytestmark = pytest.mark.django_db
LIST = "/admin/api/application/"


@pytest.fixture(params=[Role.MANAGER, Role.ENGINEER])
def staff(request: pytest.FixtureRequest, client: Client) -> Client:
    person = make_user(role=request.param)
    client.force_login(person)
    confirm(client)
    client.person = person  # type: ignore[attr-defined]  # for the tests below
    return client


def typed(person: Any, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Ward system",
        "owner": person.pk,
        "scopes": ["services:read", "bookings:write"],
        "roles": ["clinician"],
        "service_ids": "2000099001, 2000099002",
        "requests_a_minute": "60",
        **changes,
    }


def shown_secret(answer: Any) -> str:
    secret = str(answer.context["secret"])
    assert secret in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    return secret


def proves(application: Application, secret: str) -> bool:
    return SecretBackend().authenticate(None, application.client_id, Secret(secret)) is not None


def test_made_given_secrets_and_revoked(staff: Client) -> None:
    person = staff.person  # type: ignore[attr-defined]  # of the fixture
    first = shown_secret(staff.post(f"{LIST}add/", typed(person)))
    application = Application.objects.get()
    assert application.organisation == person.memberships.get().organisation
    assert application.service_ids == ["2000099001", "2000099002"]
    page = staff.get(f"{LIST}{application.pk}/change/").content.decode()
    assert f"...{first[-4:]}" in page
    assert first not in page
    chosen = [application.pk]
    second = shown_secret(carry_out(staff, LIST, "new_secret", chosen))
    assert proves(application, first)
    assert proves(application, second)
    refused = carry_out(staff, LIST, "new_secret", chosen)
    assert b"two secrets already" in refused.content
    carry_out(staff, LIST, "drop_secret", chosen)
    assert not proves(application, first)
    carry_out(staff, LIST, "revoke", chosen)
    assert not proves(application, second)
    actions = AuditEvent.objects.filter(subject_id=application.pk, action__startswith="api.")
    assert list(actions.exclude(action__contains="view").order_by("id").values_list("action", flat=True)) == [
        "api.create_application",
        "api.create_secret",
        "api.create_secret",
        "api.revoke_secret",
        "api.revoke_application",
    ]
    assert set(actions.values_list("actor_user", flat=True)) == {person.pk}


def test_who_answers_for_it_is_a_person_with_a_name(client: Client) -> None:
    organisation = make_organisation()
    engineer = make_user(
        role=Role.ENGINEER,
        organisation=organisation,
        username="e17",
        first_name="Ada",
        last_name="Quill",
    )
    application = make_application(organisation=organisation, owner=engineer)
    client.force_login(engineer)
    confirm(client)
    listed: Any = html.fromstring(client.get(LIST).content)
    owners = listed.xpath("//td[contains(@class, 'field-owner')]")
    assert [each.text_content() for each in owners] == ["Ada Quill"]
    form: Any = html.fromstring(client.get(f"{LIST}{application.pk}/change/").content)
    assert form.xpath("//select[@name='owner']/option[@selected]/text()") == ["Ada Quill (e17)"]
    Application.objects.filter(pk=application.pk).update(revoked_at=datetime.now(UTC))
    read: Any = html.fromstring(client.get(f"{LIST}{application.pk}/change/").content)
    assert "Ada Quill" in read.xpath("//div[contains(@class, 'field-owner')]")[0].text_content()


def test_days_of_secrets_are_those_of_a_london_clock(staff: Client) -> None:
    person = staff.person  # type: ignore[attr-defined]  # of the fixture
    staff.post(f"{LIST}add/", typed(person))
    application = Application.objects.get()
    application.secrets.update(created_at=datetime(2026, 7, 1, 23, 30, tzinfo=UTC))
    assert "made 2 July 2026" in staff.get(f"{LIST}{application.pk}/change/").content.decode()


def test_a_fresh_proof_is_asked_for(client: Client) -> None:
    person = make_user(role=Role.MANAGER)
    client.force_login(person)
    assert client.post(f"{LIST}add/", typed(person)).status_code == 302
    assert not Application.objects.exists()


def test_what_cannot_be_is_told(staff: Client) -> None:
    person = staff.person  # type: ignore[attr-defined]  # of the fixture
    make_application(organisation=person.memberships.get().organisation, name="Ward system")
    stranger = make_user(role=Role.CLINICIAN, organisation=make_organisation())
    wrong = {"owner": stranger.pk, "scopes": ["everything"], "service_ids": "a1", "public_keys": "x"}
    form = staff.post(f"{LIST}add/", typed(person, **wrong)).context["adminform"].form
    assert set(form.errors) - {"__all__"} == {"owner", "scopes", "service_ids", "public_keys"}
    again = staff.post(f"{LIST}add/", typed(person))
    assert b"has an application of this name" in again.content


@pytest.mark.parametrize("key", [RSAKey.generate_key(2048), ECKey.generate_key("P-256")])
def test_public_keys_are_read_in_either_form(key: Any) -> None:
    field = PublicKeysField(required=False)
    for text in (key.as_pem(private=False).decode(), json.dumps(key.as_dict(private=False))):
        (found,) = field.clean(text)["keys"]
        assert "d" not in found
        assert found["kid"]


def test_a_short_key_is_refused() -> None:
    short = rsa.generate_private_key(65537, 1024).public_key()
    pem = short.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(ValidationError, match="bits"):
        PublicKeysField(required=False).clean(pem)


def test_no_private_key_is_ever_kept() -> None:
    field = PublicKeysField(required=False)
    secret = OctKey.generate_key(256).as_dict(private=True)
    private = ECKey.generate_key("P-256")
    jwks = [json.dumps(each) for each in (private.as_dict(private=True), secret)]
    for text in (private.as_pem(private=True).decode(), *jwks):
        with pytest.raises(ValidationError, match=r"never a private one|public keys as PEM"):
            field.clean(text)


def test_service_ids_are_told_apart() -> None:
    assert ServiceIdsField(required=False).clean("1, 2\n2 3") == ["1", "2", "3"]
