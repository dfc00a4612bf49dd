"""The way from nothing to the catalogue, by pages and by commands; what opens again; what is kept where."""

import json
import stat
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from bars_portal.accounts.models import Organisation
from bars_portal.audit.actor import SYSTEM
from bars_portal.audit.models import AuditEvent
from bars_portal.credentials.acceptance import thumbprint
from bars_portal.credentials.environments import ENVIRONMENTS
from bars_portal.credentials.intake import read_key
from bars_portal.credentials.keys import private_pem
from bars_portal.exchange.gateway.senders import sender_of
from bars_portal.exchange.transport.auth import NoCredentials
from bars_portal.onboarding.acts import BY_NAME, Deed, carry_out
from bars_portal.onboarding.models import SigningKey
from bars_portal.onboarding.selectors import standings_of
from bars_portal.onboarding.services import sending
from bars_portal.onboarding.services.recording import StepRefused, begin
from bars_portal.onboarding.steps import State, StepName
from tests.factories.certificates import authority, leaf_recipe, pem, rsa_key
from tests.factories.directory import make_service

pytestmark = pytest.mark.django_db
FQDN = "BaRS-INT-RIV01.MySupplier.thirdparty.nhs.uk"
FACTS = {"hosting": "supplier", "name": "MySupplier", "product": "Portal", "suffix": ""}
SERVICE = "2000099001"


def post(client: Client, step: str, environment: str = "simulated-int", **values: Any) -> str:
    """The page after it."""
    answer = client.post(f"/onboarding/{environment}/{step}/", values, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def key_pem(purpose: str = "signing") -> str:
    return private_pem(rsa_key(purpose, 4096)).decode()


def state(organisation: Organisation, step: StepName, environment: str = "simulated-int") -> State:
    return standings_of(organisation, environment, now=datetime.now(UTC))[step].state


def way() -> dict[str, dict[str, str]]:
    """Each step, and what is told at it."""
    return {
        "facts": FACTS,
        "key": {"way": "bring", "pasted_key": key_pem(), "key_password": ""},
        "registration": {"app_name": "Portal"},
        "token": {},
        "name": {"fqdn": FQDN},
        "request": {},
        "certificate": {"act": "ask"},
        "bundle": {"bundle_password": "correct horse battery"},
        "network": {"address": "127.0.0.1"},
        "catalogue": {"services": SERVICE, "port": "8443"},
    }


def through_pages(client: Client) -> None:
    for step, values in way().items():
        assert "There is a problem" not in post(client, step, **values), step


def took(organisation: Organisation, step: str, environment: str = "simulated-int", **values: str) -> None:
    """What the page does when it is posted, without the page."""
    now, place = datetime.now(UTC), ENVIRONMENTS[environment]
    act = BY_NAME[StepName(step), values.pop("act", "")]
    form = act.form(place)(values)
    assert form.is_valid(), (step, form.errors)
    onboarding = begin(organisation=organisation, name=environment, now=now)
    assert carry_out(act, Deed(onboarding, form, SYSTEM, now)) == "", step


def got_as_far_as(organisation: Organisation, last: str) -> None:
    for step, values in way().items():
        took(organisation, step, **values)
        if step == last:
            return


def dump() -> str:
    """Every row of the database that this could have touched, as text."""
    tables = [each for each in connection.introspection.table_names() if each != "django_migrations"]
    found = []
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" AS t')
            found += [row[0] for row in cursor.fetchall()]
    return "\n".join(found)


def test_from_nothing_to_the_catalogue_by_pages_and_nothing_secret_stays(
    engineer: Client, organisation: Organisation, desks: Path, caplog: pytest.LogCaptureFixture
) -> None:
    through_pages(engineer)
    found = standings_of(organisation, "simulated-int", now=datetime.now(UTC))
    done = [name for name, each in found.items() if each.state is State.DONE]
    assert done == list(found)[:10]
    assert found[StepName.CERTIFICATE].evidence["issuer"] == "Simulated NHS INT Level 1C"
    assert "Not working" in post(engineer, "partner-view"), "there is no receiver"
    folder = desks / "simulated-int" / "RIV01"
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}
    secrets = ("MySupplier-INT-1.key", "receiver.key", "requested.key", "receiver.pfx", "api-key")
    assert {modes[name] for name in secrets} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    secret_words = [
        *(line for name in secrets[:3] for line in (folder / name).read_text().splitlines()[1:-1]),
        (folder / "api-key").read_text().strip(),
        "correct horse battery",
    ]
    pages = "".join(
        engineer.get(f"/onboarding/simulated-int/{name.value}/").content.decode() for name in found
    )
    everywhere = "\n".join([pages, dump(), caplog.text])
    assert [word for word in secret_words if word in everywhere] == []
    assert AuditEvent.objects.filter(action="onboarding.take_step", outcome="done").count() == 10


def test_the_same_by_commands(organisation: Organisation, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(key_pem())

    def run(*arguments: str) -> dict[str, Any]:
        out = StringIO()
        call_command("bars_onboarding", *arguments, organisation="RIV01", json=True, stdout=out)
        return dict(json.loads(out.getvalue()))

    run("facts", *(f"{name}={value}" for name, value in FACTS.items()))
    with pytest.raises(CommandError, match="is taken from a file only"):
        run("key", "way=bring", "pasted_key=----")
    run("key", "way=bring", f"pasted_key=@{tmp_path / 'key.pem'}")
    for step in ("registration", "token", "name", "request"):
        run(step)
    call_command("bars_onboarding", "certificate", organisation="RIV01", act="ask", stdout=StringIO())
    run("network")
    told = run("catalogue", f"services={SERVICE}", "port=8443")
    states = {each["step"]: each["state"] for each in told["steps"]}
    assert states["catalogue"] == states["certificate"] == "done"
    with pytest.raises(SystemExit):
        run("name", "fqdn=receiver.example.com")


def test_what_changes_beneath_opens_again(engineer: Client, organisation: Organisation) -> None:
    got_as_far_as(organisation, "catalogue")
    post(engineer, "name", fqdn=FQDN.replace("RIV01", "RIV01UTC"))
    found = standings_of(organisation, "simulated-int", now=datetime.now(UTC))
    opened = {name for name, each in found.items() if each.reopened}
    assert opened == {
        *(StepName.REQUEST, StepName.CERTIFICATE, StepName.BUNDLE),
        *(StepName.NETWORK, StepName.CATALOGUE),
    }
    assert found[StepName.TOKEN].state is State.DONE
    page = engineer.get("/onboarding/simulated-int/").content.decode()
    assert "what it rests on has changed" in page


@pytest.mark.further
def test_a_second_key_stands_beside_the_first_until_that_is_withdrawn(
    engineer: Client, client: Client, organisation: Organisation
) -> None:
    def kids() -> list[str]:
        answer = Client().get("/onboarding/keys/RIV01/simulated-int.json")
        return [each["kid"] for each in answer.json()["keys"]]

    assert kids() == []
    got_as_far_as(organisation, "token")
    took(organisation, "key", way="bring", pasted_key=key_pem("next"), key_password="")
    assert kids() == ["MySupplier-INT-1", "MySupplier-INT-2"]
    assert state(organisation, StepName.TOKEN) is State.BLOCKED
    assert "get a token with the new key" in post(engineer, "token", act="withdraw")
    took(organisation, "registration", app_name="Portal")
    took(organisation, "token")
    post(engineer, "token", act="withdraw")
    assert kids() == ["MySupplier-INT-2"]
    assert state(organisation, StepName.TOKEN) is State.DONE


def test_an_organisation_is_connected_by_its_own_key_until_that_is_switched_off(
    engineer: Client, organisation: Organisation, settings: Any
) -> None:
    settings.BARS = {**settings.BARS, "ENVIRONMENT": "simulated-int"}
    got_as_far_as(organisation, "token")
    assert "no active service of Riverside Health" in post(engineer, "connection", service_id=SERVICE)
    make_service(service_id=SERVICE, provider=organisation)
    assert "Replies go to" in post(engineer, "connection", service_id=SERVICE)
    sender = sender_of("RIV01")
    assert (sender.key_id, sender.service_id) == ("MySupplier-INT-1", SERVICE)
    assert Path(sender.private_key_file).is_file()
    assert sender.api_key not in dump()
    took(organisation, "key", way="bring", pasted_key=key_pem("next"), key_password="")
    assert state(organisation, StepName.CONNECTION) is State.BLOCKED
    assert sender_of("RIV01").key_id == "MySupplier-INT-1", "until the step is taken again"
    took(organisation, "registration", app_name="Portal")
    took(organisation, "token")
    took(organisation, "connection", service_id=SERVICE)
    assert sender_of("RIV01").key_id == "MySupplier-INT-2"
    assert "It was switched off" in post(engineer, "connection", act="revoke")
    with pytest.raises(NoCredentials):
        sender_of("RIV01")
    assert "Stop sending" not in engineer.get("/onboarding/simulated-int/connection/").content.decode()


def test_a_command_connects_from_files_or_says_why_not(
    organisation: Organisation, tmp_path: Path, settings: Any
) -> None:
    make_service(service_id=SERVICE, provider=organisation)
    (tmp_path / "key.pem").write_text(key_pem())
    (tmp_path / "api-key").write_text("an-app")

    def run(**options: Any) -> dict[str, Any]:
        out = StringIO()
        call_command("bars_connection", organisation="RIV01", stdout=out, **options)
        return dict(json.loads(out.getvalue()))

    assert run()["own"] is False
    with pytest.raises(CommandError, match="Also give: --key-file, --api-key-file, --service"):
        run(key_id="X-SIMULATOR-1")
    whole = {
        "key_id": "X-SIMULATOR-1",
        "key_file": tmp_path / "key.pem",
        "api_key_file": tmp_path / "api-key",
    }
    with pytest.raises(CommandError, match="no active service of Riverside Health"):
        run(**whole, service="2000099009")
    assert run(**whole, service=SERVICE)["instance"] == f"bars-portal-simulator-{SERVICE}"
    assert sender_of("RIV01").api_key == "an-app"
    assert run(revoke=True)["revoked_at"]
    with pytest.raises(CommandError):
        run(revoke=True)


def test_at_int_it_waits_for_people_and_writes_their_mails(
    engineer: Client, organisation: Organisation
) -> None:
    took(organisation, "facts", "int", **FACTS)
    took(organisation, "key", "int", way="bring", pasted_key=key_pem(), key_password="")
    told = {"app_name": "Portal", "app_id": "a-1", "pasted_api_key": "the-secret-api-key"}
    page = post(engineer, "registration", "int", **told)
    assert "Waiting for API Management since" in page
    assert "api.management@nhs.net" in page
    assert "KID: MySupplier-INT-1" in page
    assert "the-secret-api-key" not in page
    assert state(organisation, StepName.REGISTRATION, "int") is State.WAITING
    post(engineer, "registration", "int", act="confirm")
    assert state(organisation, StepName.REGISTRATION, "int") is State.DONE
    assert "wrong" not in post(engineer, "name", "int", fqdn=FQDN)
    page = post(engineer, "request", "int")
    assert "itoc.supportdesk@nhs.net" in page
    assert "Party Key: N/A" in page
    post(engineer, "certificate", "int", act="ask")
    assert state(organisation, StepName.CERTIFICATE, "int") is State.WAITING
    page = post(engineer, "network", "int", address="192.0.2.7")
    assert "35.197.254.55" in page
    assert "dnsteam@nhs.net" in page


def test_a_certificate_is_taken_from_a_file_or_refused_in_words(
    engineer: Client, organisation: Organisation, desks: Path
) -> None:
    took(organisation, "facts", "int", **FACTS)
    took(organisation, "name", "int", fqdn=FQDN)
    took(organisation, "request", "int")
    wrong = pem(leaf_recipe(name=FQDN, key="another").make(), *authority("int"))
    page = post(engineer, "certificate", "int", pasted_certificate=wrong.decode())
    assert "belongs to another key" in page
    made = read_key((desks / "int" / "RIV01" / "requested.key").read_bytes(), least_bits=2048)
    chain = authority("int")
    ends = leaf_recipe(name=FQDN).for_key(made.public_key())
    content = pem(ends, *chain)
    page = post(engineer, "certificate", "int", certificate_file=SimpleUploadedFile("a.cer", content))
    assert "thumbprint" in page, "the root is not the published one"
    page = post(
        engineer,
        "certificate",
        "int",
        certificate_file=SimpleUploadedFile("a.cer", content),
        root_thumbprint=thumbprint(chain[1]),
    )
    assert "RECEIVER_CERT_FILE=" in page
    assert thumbprint(chain[1]) in page
    assert state(organisation, StepName.CERTIFICATE, "int") is State.DONE


def test_a_refused_token_is_explained_and_noted(
    engineer: Client, organisation: Organisation, desks: Path
) -> None:
    got_as_far_as(organisation, "token")
    (desks / "simulated-int" / "RIV01" / "api-key").write_text("unknown")
    page = post(engineer, "token")
    assert "The API key belongs to no application" in page
    assert state(organisation, StepName.TOKEN) is State.BROKEN
    assert state(organisation, StepName.CATALOGUE) is State.BLOCKED


def test_two_who_make_a_key_get_two_numbers_and_nothing_goes_without_a_folder(
    organisation: Organisation, engineer: Client, settings: Any
) -> None:
    now = datetime.now(UTC)
    onboarding = begin(organisation=organisation, name="dev", now=now)
    with pytest.raises(StepRefused, match="First: say what is connected"):
        sending.make_key(onboarding=onboarding, actor=SYSTEM, now=now, bits=2048)
    took(organisation, "facts", "dev", **FACTS)
    for _ in range(2):
        sending.make_key(onboarding=onboarding, actor=SYSTEM, now=now, bits=2048)
    assert [each.key_id for each in SigningKey.objects.all()] == ["MySupplier-DEV-1", "MySupplier-DEV-2"]
    settings.BARS_CREDENTIALS_FOLDER = ""
    assert "Set BARS_CREDENTIALS_FOLDER" in post(
        engineer, "key", "dev", way="bring", pasted_key=key_pem(), key_password=""
    )
    assert SigningKey.objects.count() == 2
