"""Values that are planted through real traffic, good and broken, are in no log of any program that we run.

Beside test_nothing_in_logs.py, which lives a day in the application: here what others write by themselves,
which are PostgreSQL, gunicorn, nginx, Celery and kombu, and Python when something dies.
"""

import contextlib
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg import sql

from bars_portal.credentials.local_pki import PkiFiles
from bars_portal.demo.processes import EmbeddedPostgres
from tests.console import Console
from tests.databases import drop_database, make_database
from tests.integration.receiver_server.fronts import fronted, needs_nginx
from tests.live.partner import wait_until
from tests.stack import Stack
from tests.unit.docs.markdown import ROOT

NAME, NUMBER, POSTCODE, TOKEN = "Wolkenstein", "9658499171", "ZX7 4QP", "qXtoken-zB83kL0v"
CORRELATION = "5a0d3f3e-8d3e-4a34-9d3e-2f6a1c5b7e90"
PLANTED = (NAME, NUMBER, POSTCODE, TOKEN, "965 849 9171", "ZX7%204QP", "ZX74QP")


def planted_in(log: str) -> list[str]:
    return [value for value in PLANTED if value.lower() in log.lower()]


def heads() -> Iterator[bytes]:
    """Requests that no HTTP library would send; each holds the values where a server might quote them."""
    value = f"{NAME}-{NUMBER}"
    bearer = f"Authorization: Bearer {TOKEN}\r\nCookie: bars_session={TOKEN}; n={NAME}\r\n"
    for line in (
        f"GET /{value} HTTP/9.9",
        f"GET /{value}?postcode=ZX7%204QP&access_token={TOKEN} HTTP/1.1",
        f"{NAME.upper()} / HTTP/1.1",
        f"GET http://{NAME}.example/{NUMBER} HTTP/1.1",
        f"{value} is not HTTP",
        f"GET /\x00{value} HTTP/1.1",
        f"GET /FHIR/R4/Appointment/{value} HTTP/1.1",
        f"GET /accounts/sign-in/?next=/{value} HTTP/1.1",
        # A calendar's secret address.
        f"GET /bookings/diary/feed/?key={TOKEN} HTTP/1.1",
    ):
        yield f"{line}\r\nHost: localhost\r\nConnection: close\r\n{bearer}\r\n".encode()
    form = "Host: localhost\r\nContent-Type: application/x-www-form-urlencoded"
    for header, body in (
        (f"Host: {NAME}.{NUMBER}.example", ""),
        (f"Host: localhost\r\n{NAME} {POSTCODE}: x", ""),
        (f"Host: localhost\r\nX-{NAME}: {value * 1000}", ""),
        (f"Host: localhost\r\nTransfer-Encoding: {NAME}", ""),
        (f"Host: localhost\r\nContent-Length: {NUMBER}x", ""),
        (f"Host: localhost\r\nContent-Type: multipart/form-data; boundary={NAME}", NAME),
        (f"Host: localhost\r\nContent-Type: application/json; charset={NAME}", "null"),
        (form, f"family_name={NAME}&postcode={POSTCODE}&password={TOKEN}"),
    ):
        length = f"\r\nContent-Length: {len(body)}" if body else ""
        lines = f"POST /accounts/sign-in/ HTTP/1.1\r\nConnection: close\r\n{header}{length}"
        yield f"{lines}\r\n\r\n{body}".encode()


def send_all(connect: Callable[[], socket.socket]) -> int:
    """How many were answered, or closed."""
    ended = 0
    for head in heads():
        with contextlib.suppress(OSError), contextlib.closing(connect()) as sock:
            sock.settimeout(15)
            sock.sendall(head)
            sock.shutdown(socket.SHUT_WR) if not isinstance(sock, ssl.SSLSocket) else None
            while sock.recv(65_536):
                pass
        ended += 1
    return ended


def test_gunicorn_of_portal_and_receiver(stack: Stack) -> None:
    trusted = ssl.create_default_context(cafile=str(stack.pki.ca_chain))
    trusted.load_cert_chain(stack.pki.certificate("proxy-client"), stack.pki.key("proxy-client"))

    def receiver() -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", stack.ports.receiver), timeout=15)
        return trusted.wrap_socket(plain, server_hostname="localhost")

    before = len(stack.log)
    assert send_all(lambda: socket.create_connection(("127.0.0.1", stack.ports.portal), timeout=15)) == 17
    assert send_all(receiver) == 17
    written = stack.log[before:]
    assert "not understood" in written
    assert "django.security" in written
    assert [line for line in written.splitlines() if planted_in(line)] == []


def test_celery_and_kombu(stack: Stack) -> None:
    """A task that fails, one that nobody knows, a body that cannot be read, arguments that do not fit."""
    before = len(stack.log)
    stack.run(
        f"""
from bars_portal.celery import app
from kombu import Producer
from bars_portal import correlation
planted = {[NAME, NUMBER, POSTCODE, TOKEN]!r}
correlation.begin("{CORRELATION}")
app.send_task("bars_portal.exchange.tasks.deliver_message", args=planted)
app.send_task("bars_portal.audit.tasks.seal", kwargs={{planted[0]: planted[1]}})
app.send_task("no.such.{NAME}", args=planted)
with app.connection_for_write() as connection:
    producer = Producer(connection.default_channel)
    for body, kind in (("{NAME} is no JSON", "application/json"), ("x{NUMBER}", "application/x-{NAME}")):
        producer.publish(body, routing_key="celery", exchange="celery", content_type=kind,
                         content_encoding="utf-8", headers={{"id": "{TOKEN}"}})
app.send_task("bars_portal.audit.tasks.seal", kwargs={{"last": "{NAME}"}}, task_id="the-last-of-them")
"""
    )

    def failed() -> list[str]:
        return [line for line in stack.log[before:].splitlines() if "raised unexpected" in line]

    # The worker's main thread refuses what it cannot read; its pool says what failed in its own time.
    wait_until(lambda: any(CORRELATION in line for line in failed()))
    for words in ("TypeError", "unregistered task", "Can't decode message body"):
        wait_until(lambda words=words: words in stack.log[before:])
    written = stack.log[before:]
    assert [line for line in written.splitlines() if planted_in(line)] == []


# What product and people do to a server: it refuses values for what they are, for what is there already, and
# because it takes too long.
_MISTAKES = f"""
import django
from uuid import uuid4
from datetime import UTC, datetime
from django.db import DatabaseError, connection, transaction
from bars_portal.accounts.models import Organisation, User
from bars_portal.exchange.models import OutboundMessage

def failing(work):
    try:
        with transaction.atomic():
            work()
    except DatabaseError as error:
        print(type(error.__cause__).__name__)

def run(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)

Organisation.objects.create(ods_code="WLK01", name="{NAME}")
failing(lambda: Organisation.objects.create(ods_code="WLK01", name="{NAME} {POSTCODE}"))
failing(lambda: Organisation.objects.create(ods_code="{NAME}" * 100, name="{NUMBER}"))
failing(lambda: User.objects.create(username="{NAME}", password="{TOKEN}", first_name=None))
failing(lambda: run("SELECT %s::uuid", "{NAME}"))
failing(lambda: run("SELECT %s::date", "{NUMBER}"))
failing(lambda: run("SELECT %s::jsonb", '{{"family": "{NAME}'))
failing(lambda: run("SELECT 1 / (length(%s) - length(%s))", "{POSTCODE}", "{POSTCODE}"))
failing(lambda: run("SET LOCAL statement_timeout = 20; SELECT pg_sleep(1), %s", "{TOKEN}"))
failing(lambda: run("SELECT count(*) FROM {NAME} WHERE x = %s", "{NUMBER}"))
"""


def advised() -> dict[str, str]:
    """As compose.yaml starts the server."""
    command = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["postgres"]["command"]
    return dict(each.split("=") for each in command[2::2])


@pytest.mark.thorough
@pytest.mark.parametrize("discreet", [True, False], ids=["as-advised", "as-it-comes"])
def test_postgresql(database_server: EmbeddedPostgres | None, discreet: bool) -> None:
    """As it comes it writes them down: so the settings are what keeps them out, and the test can fail."""
    if database_server is None:
        pytest.skip("The log of a server that is given is not ours to read.")
    log = ROOT / "var" / "test-postgres" / "log"
    name = f"foreign_logs_{discreet:d}"
    address = make_database(database_server, name)
    try:
        with psycopg.connect(address, autocommit=True) as server:
            for setting, value in advised().items() if discreet else ():
                change = sql.SQL("ALTER DATABASE {} SET {} = {}")
                server.execute(change.format(sql.Identifier(name), sql.Identifier(setting), value))
        before = len(log.read_text(errors="replace"))
        environment = {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "bars_portal.settings.demo"}
        with Console(environment) as console:
            printed = console.run(_MISTAKES).split()
        assert len(printed) == 9, printed
        written = log.read_text(errors="replace")[before:]
        found = [line for line in written.splitlines() if planted_in(line)]
        assert (found == []) is discreet, found
    finally:
        drop_database(database_server, name)


@pytest.mark.thorough
@needs_nginx
@pytest.mark.parametrize("level", ["notice", "info", "debug"])
@pytest.mark.parametrize(
    ("front", "gunicorn"),
    [
        ("nginx.conf", "gunicorn_receiver_behind_nginx.py"),
        ("nginx_portal.conf", "gunicorn_portal.py"),
    ],
)
def test_nginx_at_every_level(tmp_path: Path, pki: PkiFiles, front: str, gunicorn: str, level: str) -> None:
    louder = {r"error\.log notice": f"error.log {level}"}
    with fronted(front, gunicorn, pki, tmp_path, louder) as running:

        def connect() -> socket.socket:
            plain = socket.create_connection(("127.0.0.1", running.port), timeout=15)
            return running.context("proxy-client").wrap_socket(plain, server_hostname="localhost")

        assert f"error.log {level}" in (tmp_path / "nginx.conf").read_text()
        assert send_all(connect) == 17
        running.wrote("/accounts")
        assert re.search(r" (400|404|413|501) ", running.logs)
        # The application behind it answers 200 to everything: gunicorn's line names what was found there.
        written = "".join((tmp_path / name).read_text() for name in ("access.log", "error.log"))
        assert [line for line in written.splitlines() if planted_in(line)] == []


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> PkiFiles:
    from datetime import UTC, datetime

    from bars_portal.credentials.local_pki import ensure_local_pki

    return ensure_local_pki(tmp_path_factory.mktemp("pki"), now=datetime.now(UTC))
