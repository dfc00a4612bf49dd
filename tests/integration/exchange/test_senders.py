"""Two organisations send from one portal: each with its own key, token and names, or not at all."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest

from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.actor import SYSTEM, Actor
from bars_portal.audit.models import AuditEvent
from bars_portal.correspondence.envelope import header_to
from bars_portal.credentials.keys import private_pem
from bars_portal.exchange import outbox, tasks
from bars_portal.exchange.delivery import deliver, queue_again
from bars_portal.exchange.gateway import client as gateway
from bars_portal.exchange.gateway.senders import (
    Application,
    connect,
    reply_address_of,
    require_sender,
    revoke,
    sender_of,
)
from bars_portal.exchange.models import AccessToken, DeliveryState, OutboundMessage
from bars_portal.exchange.transport.auth import NoCredentials
from bars_portal.exchange.transport.headers import Party, decode_headers
from bookings.slots import SlotProblem, search_slots
from directory.remote import identity_of
from tests.factories.accounts import make_organisation
from tests.factories.certificates import rsa_key
from tests.factories.directory import make_service
from tests.integration.exchange.partner import Probe, echoing, registered
from tests.unit.exchange_transport.servers import Server, reply, serving

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
# Both have it: a supplier numbers its keys for each application anew.
KEY_ID = "MySupplier-INT-1"


@dataclass
class Proxy:
    """Token server and proxy in one: `keys` by API key, who signed, and who sent with whose token."""

    server: Server
    keys: dict[str, str] = field(default_factory=dict)
    signed_by: list[str] = field(default_factory=list)
    sent: list[tuple[str, str, str]] = field(default_factory=list)

    def step(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.path.endswith("/oauth2/token"):
            assertion = parse_qs(self.server.received[-1].body.decode())["client_assertion"][0]
            api_key = jwt.decode(assertion, options={"verify_signature": False})["iss"]
            # Raises when it is signed by another's key.
            public = rsa_key(self.keys[api_key]).public_key()
            jwt.decode(assertion, public, algorithms=["RS512"], audience=f"{self.server.url}/oauth2/token")
            self.signed_by.append(api_key)
            answer = {"access_token": f"token-of-{api_key}", "expires_in": "599"}
            reply(200, json.dumps(answer).encode())(handler)
            return
        told = decode_headers(dict(handler.headers.items()))
        assert told.organisation is not None
        assert told.software is not None
        token = handler.headers["Authorization"].removeprefix("Bearer ")
        self.sent.append((told.organisation.ods_code, token, told.software.identifier))
        echoing()(handler)


@pytest.fixture
def proxy(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Of an environment where nobody shares anything."""
    monkeypatch.setattr(tasks.deliver_message, "delay", lambda _: None)
    with serving() as server, registered(Probe()):
        addresses = {"BASE_URL": server.url, "TOKEN_URL": f"{server.url}/oauth2/token"}
        settings.BARS = {**settings.BARS, **addresses, "ENVIRONMENT": "int"}
        settings.BARS_SHARED_CREDENTIALS = False
        made = Proxy(server)
        server.script(made.step)
        yield made
        gateway._process.close()


def connected(organisation: Organisation, proxy: Proxy, folder: Path, *, key: str = "") -> None:
    """With an application of its own, whose API key is "app-<ODS code>"; `key` names another key of it."""
    ods, purpose = organisation.ods_code, key or organisation.ods_code
    proxy.keys[f"app-{ods}"] = purpose
    key_file, api_key_file = folder / f"{purpose}.key", folder / f"{ods}.api-key"
    key_file.write_bytes(private_pem(rsa_key(purpose)))
    api_key_file.write_text(f"app-{ods}\n")
    application = Application("id", KEY_ID, key_file, api_key_file, "2000099001", f"portal-of-{ods}")
    connect(organisation=organisation, environment="int", application=application, actor=SYSTEM, now=NOW)
    # This process looks once a second.
    gateway._process.close()


def enqueue(organisation: Organisation) -> OutboundMessage:
    return outbox.enqueue(
        key="probe",
        subject=organisation,
        organisation=Party(organisation.ods_code, organisation.name),
        actor=Actor("Chris Linnell", organisation_id=organisation.pk),
        now=datetime.now(UTC),
    )


def send(message: OutboundMessage) -> DeliveryState | None:
    state = deliver(message.pk, client=gateway.get_client(), clock=lambda: datetime.now(UTC))
    message.refresh_from_db()
    return state


@pytest.fixture
def two() -> tuple[Organisation, Organisation]:
    return make_organisation(ods_code="RIV01"), make_organisation(ods_code="HAR02")


def test_each_sends_with_its_own_key_token_and_names(
    proxy: Proxy, two: tuple[Organisation, Organisation], tmp_path: Path
) -> None:
    for each in two:
        connected(each, proxy, tmp_path)
    states = [send(enqueue(each)) for each in (*two, *two)]
    assert states == [DeliveryState.ACCEPTED] * 4
    assert proxy.signed_by == ["app-RIV01", "app-HAR02"]
    assert proxy.sent == [(ods, f"token-of-app-{ods}", f"portal-of-{ods}") for ods in ("RIV01", "HAR02")] * 2
    assert {(row.key_id, row.environment) for row in AccessToken.objects.all()} == {(KEY_ID, "int")}
    kept = repr(list(AccessToken.objects.values())) + repr(list(AuditEvent.objects.values()))
    assert "app-RIV01" not in kept


def test_a_message_whose_headers_name_another_organisation_does_not_leave(
    proxy: Proxy, two: tuple[Organisation, Organisation], tmp_path: Path
) -> None:
    ours, other = two
    for each in two:
        connected(each, proxy, tmp_path)
    message, theirs = enqueue(ours), enqueue(other)
    OutboundMessage.objects.filter(pk=message.pk).update(headers=theirs.headers)
    assert send(message) == DeliveryState.UNKNOWN
    assert message.reason == "no-credentials"
    assert proxy.server.received == []
    with pytest.raises(ValueError, match="in the name of another"):
        outbox.enqueue(
            key="probe",
            subject=ours,
            organisation=Party(other.ods_code, other.name),
            actor=Actor("Chris Linnell", organisation_id=ours.pk),
            now=NOW,
        )


@pytest.mark.parametrize("why", ["not-connected", "revoked", "unusable-api-key"])
def test_without_a_connection_it_is_told_before_anything_is_written(
    proxy: Proxy, two: tuple[Organisation, Organisation], tmp_path: Path, why: str
) -> None:
    ours, other = two
    connected(other, proxy, tmp_path)
    if why != "not-connected":
        connected(ours, proxy, tmp_path)
    if why == "revoked":
        assert revoke(organisation=ours, environment="int", actor=SYSTEM, now=NOW)
    if why == "unusable-api-key":
        (tmp_path / "RIV01.api-key").unlink()
    with pytest.raises(PolicyRefused, match="Nothing was sent"):
        require_sender("RIV01")
    # Such as the second half of a rebooking, which is written when the first one is answered.
    assert send(message := enqueue(ours)) == DeliveryState.UNKNOWN
    assert message.reason == "no-credentials"
    with pytest.raises(NoCredentials) as missing:
        sender_of("RIV01")
    assert missing.value.error == why
    found = search_slots(
        gateway.get_client(),
        service=make_service(service_id="2000099005", takes_bookings=True),
        start=NOW,
        end=NOW + timedelta(days=1),
        sender=identity_of(Actor("Chris Linnell", organisation_id=ours.pk)),
        now=NOW,
    )
    assert found.problem is SlotProblem.NOT_CONNECTED
    assert send(enqueue(other)) == DeliveryState.ACCEPTED
    assert [ods for ods, _, _ in proxy.sent] == ["HAR02"]


def test_a_retry_goes_out_with_what_the_organisation_has_by_then(
    proxy: Proxy, two: tuple[Organisation, Organisation], tmp_path: Path
) -> None:
    """Revoked while a message waits: nothing leaves. Connected with a new key: the very same message does."""
    ours, other = two
    for each in two:
        connected(each, proxy, tmp_path)
    message = enqueue(ours)
    revoke(organisation=ours, environment="int", actor=SYSTEM, now=NOW)
    gateway._process.close()
    assert send(message) == DeliveryState.UNKNOWN
    assert (message.reason, proxy.server.received) == ("no-credentials", [])
    connected(ours, proxy, tmp_path, key="RIV01-next")
    assert queue_again(message)
    assert send(message) == DeliveryState.ACCEPTED
    assert proxy.signed_by == ["app-RIV01"]
    assert proxy.sent == [("RIV01", "token-of-app-RIV01", "portal-of-RIV01")]
    assert send(enqueue(other)) == DeliveryState.ACCEPTED, "the other's goes on"


def test_another_application_gets_another_token_although_the_key_keeps_its_name(
    proxy: Proxy, two: tuple[Organisation, Organisation], tmp_path: Path
) -> None:
    ours = two[0]
    connected(ours, proxy, tmp_path)
    send(enqueue(ours))
    proxy.keys["another-app"] = "RIV01"
    (tmp_path / "RIV01.api-key").write_text("another-app")
    gateway._process.close()
    send(enqueue(ours))
    assert [token for _, token, _ in proxy.sent] == ["token-of-app-RIV01", "token-of-another-app"]


def test_replies_come_to_the_organisation_that_asked(
    proxy: Proxy, two: tuple[Organisation, Organisation], tmp_path: Path, settings: Any
) -> None:
    ours, other = two
    connected(ours, proxy, tmp_path)
    service = make_service(service_id="2000099005")
    assert str(header_to(service, sender=ours).source) == "2000099001"
    assert reply_address_of(other.ods_code) == settings.BARS["SERVICE_ID"]


def test_the_environment_variables_serve_their_organisation_and_others_only_where_they_are_shared(
    proxy: Proxy, settings: Any
) -> None:
    assert sender_of(settings.BARS["ODS_CODE"]).key_id == settings.BARS["KEY_ID"]
    with pytest.raises(NoCredentials):
        sender_of("HAR02")
    settings.BARS_SHARED_CREDENTIALS = True
    assert sender_of("HAR02").key_id == settings.BARS["KEY_ID"]
    settings.BARS = {**settings.BARS, "API_KEY": "", "KEY_ID": "", "PRIVATE_KEY_FILE": ""}
    with pytest.raises(NoCredentials):
        sender_of("HAR02")
