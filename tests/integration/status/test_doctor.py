"""bars_doctor names each fault, and only it: a sound installation, damaged in one way after the other."""

import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import uuid4

import pytest
from django.core import checks
from django.core.checks import Error
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange.gateway.senders import Application, connect
from bars_portal.exchange.models import (
    AccessToken,
    CircuitState,
    DeliveryState,
    Heartbeat,
    OutboundMessage,
    PartnerCircuit,
)
from bars_portal.status import selectors
from bars_portal.status.doctor import machine, sender
from bars_portal.status.doctor.examination import Verdict
from directory.models import HealthcareService
from tests.factories.accounts import make_organisation, make_user
from tests.factories.certificates import authority, pem
from tests.integration.receiver_server.leaves import issue
from tests.integration.status.installation import KEY_ID, PROXY, TOKEN, World, ill, server_side
from tests.unit.exchange_transport.servers import Step, reply

pytestmark = pytest.mark.django_db
NO_BROKER = "redis://127.0.0.1:9/0"
FULL = selectors.Disk("the queue", 0.01)


# -- the faults


def no_database(world: World) -> None:
    def away() -> None:
        raise OperationalError

    world.patch.setattr(machine, "database_time", away)


def refusing(error: str, description: str) -> Step:
    return reply(401, json.dumps({"error": error, "error_description": description}).encode())


def token_says(description: str) -> Callable[[World], None]:
    return lambda world: world.token_server.script(refusing("public_key error", description))


def late_clock(world: World) -> None:
    date = (timezone.now() + timedelta(minutes=10)).strftime("%a, %d %b %Y %H:%M:%S GMT")

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response_only(200)
        for name, value in {"Content-Length": str(len(TOKEN)), "Date": date}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(TOKEN)

    world.token_server.script(step)


def sent(world: World, *, ago: timedelta, state: DeliveryState) -> OutboundMessage:
    at = timezone.now() - ago
    return OutboundMessage.objects.create(
        message_type="booking-new",
        subject_type="bookings.booking",
        subject_id=str(uuid4()),
        organisation=world.service.provider,
        actor_label="Somebody",
        correlation_id=uuid4(),
        bundle_id=uuid4(),
        service_id=world.service.service_id,
        headers={},
        body=b"{}",
        state=state,
        created_at=at,
        settled_at=at if state == DeliveryState.ABANDONED else None,
    )


def silent_partner(world: World) -> None:
    sent(world, ago=timedelta(hours=1), state=DeliveryState.ACCEPTED)
    HealthcareService.objects.update(last_success_at=timezone.now() - timedelta(days=3))


def spared_partner(world: World) -> None:
    now = timezone.now()
    PartnerCircuit.objects.create(
        service_id=world.service.service_id,
        state=CircuitState.OPEN,
        failures=3,
        failing_since=now,
        retry_at=now,
    )


def short_certificate(world: World) -> None:
    issue(world.pki, "receiver", common_name="localhost", ends=timedelta(days=10))
    world.pki.key("receiver").chmod(0o600)
    world.door.context = server_side(world.pki)


def other_name(world: World) -> None:
    """The handshake itself would notice too: it asks for the name that it was given."""
    issue(world.pki, "receiver", common_name="elsewhere.nhs.uk", ends=timedelta(days=400))
    world.pki.key("receiver").chmod(0o600)
    world.receiver(HEALTH_CERT_FILE="")


def other_key(world: World) -> None:
    """Read again at its next start: the server still has the old pair."""
    world.pki.key("receiver").write_bytes(world.pki.key("proxy-client").read_bytes())


def other_chain(world: World) -> None:
    """Yesterday's chain of INT beside ours."""
    with world.pki.ca_chain.open("ab") as chain:
        chain.write(pem(*authority("int")))


def no_intermediate(world: World) -> None:
    chain = world.pki.certificate("receiver").read_text()
    end = "-----END CERTIFICATE-----\n"
    world.pki.certificate("receiver").write_text(chain.partition(end)[0] + end)


def nobody_there(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        world.receiver(PORT=str(closed.getsockname()[1]))


def takes_nobody(world: World) -> None:
    world.door.context = server_side(world.pki, trusted=world.pki.certificate("stranger-client"))


def takes_strangers(world: World) -> None:
    world.door.context.verify_mode = ssl.CERT_NONE


def migration_missing(_world: World) -> None:
    MigrationRecorder.Migration.objects.filter(app="status", name="0002_expiry_alarms").delete()


def sealed_elsewhere(world: World) -> None:
    AccessToken.objects.create(environment="simulator", key_id=KEY_ID, ciphertext=b"of another key")


def failing_token(_world: World) -> None:
    AccessToken.objects.create(environment="simulator", key_id=KEY_ID, failing_since=timezone.now())


def next_key(world: World) -> None:
    """Not registered yet: the server refuses it, and takes the present one."""
    world.bars(NEXT_KEY_ID="BarsPortal-SIMULATOR-2", NEXT_PRIVATE_KEY_FILE=str(world.folder / "signing.key"))
    world.token_server.script(reply(body=TOKEN), refusing("public_key error", "register a public key"))


def lets_in(world: World) -> None:
    """Any name of the chain gets an answer."""
    world.door.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def connection_fault(**changes: Any) -> Callable[[World], None]:
    """An organisation that sends as itself, and one thing wrong with that."""

    def damage(world: World) -> None:
        api_key = world.folder / "api-key"
        api_key.write_text("another-app")
        sound = Application(
            app_id="",
            key_id=KEY_ID,
            private_key_file=world.folder / "signing.key",
            api_key_file=api_key,
            service_id=world.service.service_id,
            software_instance="x",
        )
        connect(
            organisation=world.service.provider,
            environment="simulator",
            application=replace(sound, **changes),
            actor=Actor(label="X"),
            now=timezone.now(),
        )

    return damage


def unregistered_connection(world: World) -> None:
    """The installation's key is registered, and the organisation's is not."""
    connection_fault()(world)
    refused = refusing("public_key error", "You need to register a public key")
    world.token_server.script(reply(body=TOKEN), refused)


def left_out(world: World) -> None:
    world.settings.BARS_SHARED_CREDENTIALS = False
    make_user(organisation=make_organisation(ods_code="HAR02", name="Harbour"))


def no_key_at_all(world: World) -> None:
    world.bars(API_KEY="", KEY_ID="", PRIVATE_KEY_FILE="")


FAULTS: list[tuple[str, Callable[[World], Any], str]] = [
    ("python", lambda w: setattr(w, "python", (3, 10)), "It is 3.10."),
    ("packages", lambda w: w.lock.write_text("no-such-thing==1\n"), "Not installed: no-such-thing."),
    (
        "packages",
        lambda w: w.lock.write_text("django==1.2\n"),
        "Another version than the lock file",
    ),
    (
        "settings",
        lambda w: w.patch.setattr(checks, "run_checks", lambda: [Error("No.", id="x.E1")]),
        "x.E1: No.",
    ),
    ("identity", lambda w: w.bars(API_KEY="", SERVICE_ID=""), "Not set: BARS_SERVICE_ID, BARS_API_KEY."),
    ("database-answers", no_database, "the database did not answer"),
    ("migrations", migration_missing, "Not applied: status.0002_expiry_alarms."),
    (
        "broker",
        lambda w: setattr(w.settings, "CELERY_BROKER_URL", "redis://127.0.0.1:9/0"),
        "It does not answer.",
    ),
    ("worker", lambda w: Heartbeat.objects.update(seen_at=timezone.now() - timedelta(hours=1)), "1 hour ago"),
    ("queue", lambda w: sent(w, ago=timedelta(minutes=6), state=DeliveryState.QUEUED), "1 message waits"),
    ("outcomes", lambda w: sent(w, ago=timedelta(hours=1), state=DeliveryState.ABANDONED), "1 given up"),
    ("partners", spared_partner, "Not answering: "),
    ("certificates", short_certificate, "The first to end is receiver.pem, in 9 days."),
    ("token", failing_token, "Renewals have failed"),
    (
        "clocks",
        lambda w: w.patch.setattr(selectors, "clocks", lambda **_: {"token server": 0, "database": 90}),
        "The database's is 90 s ahead of ours.",
    ),
    (
        "sealer",
        lambda w: record(actor=Actor(label="X"), action="x.y", now=timezone.now() - timedelta(minutes=2)),
        "2 minutes old",
    ),
    (
        "disks",
        lambda w: w.patch.setattr(selectors, "disks", lambda: [selectors.Disk("the queue", 0.01)]),
        "1% is free",
    ),
    ("key-modes", lambda w: (w.folder / "signing.key").chmod(0o644), "BARS_PRIVATE_KEY_FILE"),
    (
        "heads-folder",
        lambda w: setattr(w.settings, "AUDIT_HEADS_FOLDER", str(w.folder / "gone")),
        "is not there",
    ),
    ("signing-key", lambda w: w.bars(PRIVATE_KEY_FILE=str(w.folder / "gone")), "cannot be read"),
    ("signing-key", lambda w: (w.folder / "signing.key").write_text("nothing"), "No private key was found"),
    ("signing-key", lambda w: w.patch.setattr(sender, "_ASKED_BITS", 4096), "The key has 2048 bits"),
    ("key-id", lambda w: w.bars(KEY_ID="BarsPortal-PROD-1"), "names another environment than SIMULATOR"),
    ("token-clock", late_clock, "behind the token server's"),
    ("registration", token_says("You need to register a public key"), "No public key is registered"),
    ("registration", token_says("JWT signature verification failed"), "is another one"),
    ("registration", token_says("Invalid 'iss'/'sub' claims"), "The application is not known there."),
    ("registration", lambda w: w.bars(TOKEN_URL="http://127.0.0.1:9/oauth2/token"), "did not answer"),
    ("next-key", next_key, "No public key is registered under BARS_NEXT_KEY_ID."),
    ("stored-token", sealed_elsewhere, "another DJANGO_SECRET_KEY"),
    ("connections", connection_fault(private_key_file="/gone"), "its key BarsPortal-SIMULATOR-1 cannot be"),
    ("connections", connection_fault(api_key_file="/gone"), "its API key cannot be read"),
    ("connections", connection_fault(key_id="X-PROD-1"), "names another environment than SIMULATOR"),
    ("connections", connection_fault(service_id="2000099008"), "no active service of it"),
    ("connections", left_out, "Harbour (HAR02) has people here, and nothing to send with."),
    ("connections", no_key_at_all, "Neither the installation nor any organisation"),
    (
        "connection-tokens",
        unregistered_connection,
        "No public key is registered under BarsPortal-SIMULATOR-1.",
    ),
    ("cis2", lambda w: w.cis2(CLIENT_ID=""), "Not set: CIS2_CLIENT_ID."),
    ("cis2", lambda w: w.cis2(PRIVATE_KEY_FILE="/gone"), "CIS2_PRIVATE_KEY_FILE cannot be read"),
    ("wrong-name", lets_in, "was answered 200, and not 403"),
    ("receiver-files", lambda w: w.receiver(KEY_FILE=""), "Not set: RECEIVER_KEY_FILE."),
    ("receiver-files", lambda w: w.pki.key("receiver").unlink(), "Cannot be read: RECEIVER_KEY_FILE."),
    ("certificates", lambda w: w.pki.ca_chain.unlink(), "Not readable: ca-chain.pem."),
    ("receiver-certificate", other_key, "belongs to another key"),
    ("receiver-certificate", other_name, "is for elsewhere.nhs.uk, and this receiver is localhost"),
    ("receiver-presents", no_intermediate, "BaRS local test Level 1C is missing in RECEIVER_CERT_FILE"),
    ("receiver-trusts", other_chain, "which is of"),
    ("peer-names", lambda w: setattr(w.settings, "BARS_PEER_NAMES", []), f"{PROXY} is not let in"),
    (
        "peer-names",
        lambda w: setattr(w.settings, "BARS_PEER_NAMES", [PROXY, "x.nhs.uk"]),
        "Let in as well: x.nhs.uk.",
    ),
    ("receiver-handshake", nobody_there, "Nothing listens at 127.0.0.1:"),
    ("receiver-handshake", takes_nobody, "A client of the right chain is not let in"),
    ("receiver-refuses", takes_strangers, "A client of another chain is let in."),
    ("organisation", lambda w: w.bars(ODS_CODE="ZZZ9"), "no organisation here has that code"),
    ("reply-address", lambda w: w.bars(SERVICE_ID="2000099008"), "replies find nobody"),
    ("catalogue", lambda w: setattr(w.proxy, "known", False), "It does not know Test service"),
    ("catalogue", lambda w: setattr(w.proxy, "here", False), "leads to another receiver"),
    ("last-contact", silent_partner, "the last success was"),
]


def test_nothing_is_wrong_with_what_is_sound(world: World) -> None:
    lines = world.examine()
    assert ill(lines) == {}
    assert {line.name for line in lines if line.verdict is Verdict.SKIPPED} == set()


@pytest.mark.parametrize(
    ("name", "damage", "words"), FAULTS, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(FAULTS)]
)
def test_each_fault_is_named_and_only_it(
    world: World, name: str, damage: Callable[[World], Any], words: str
) -> None:
    damage(world)
    found = world.examine()
    assert set(ill(found)) == {name}, ill(found)
    assert words in ill(found)[name]
    for line in found:
        assert bool(line.todo and line.where) is (line.name == name)
