"""Certificates and keys in use: each named once with all its places, and staff told in time, once."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.test import Client

from bars_portal.accounts.permissions import Role
from bars_portal.exchange.models import SeenCertificate
from bars_portal.status.models import ExpiryAlarm
from bars_portal.status.services import mail_expiries
from bars_portal.status.watched import Kind, Watched, ends_in_words, watched
from tests.factories.accounts import make_user
from tests.integration.receiver_server.leaves import issue, write_revoked
from tests.integration.status.installation import World

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def thing(ends_at: datetime | None) -> Watched:
    return Watched(Kind.CERTIFICATE, "receiver", "NHS", "", "ab", ends_at, ("X",))


@pytest.mark.parametrize(
    ("left", "alarm", "words"),
    [
        (61 * DAY, None, "ends in 61 days, on 4 July 2026"),
        (60 * DAY, 60, "ends in 60 days, on 3 July 2026"),
        (30 * DAY + timedelta(seconds=1), 60, "ends in 30 days, on 3 June 2026"),
        (30 * DAY, 30, "ends in 30 days, on 3 June 2026"),
        (14 * DAY, 14, "ends in 14 days, on 18 May 2026"),
        (7 * DAY, 7, "ends in 7 days, on 11 May 2026"),
        (DAY, 1, "ends in 1 day, on 5 May 2026"),
        (timedelta(hours=5), 1, "ends within a day, on 4 May 2026"),
        (timedelta(), 1, "ended on 4 May 2026"),
        (-9 * DAY, 1, "ended on 25 April 2026"),
    ],
)
def test_when_staff_are_told(left: timedelta, alarm: int | None, words: str) -> None:
    found = thing(NOW + left)
    assert (found.alarm(NOW), ends_in_words(found, NOW)) == (alarm, words)


def test_a_key_never_ends() -> None:
    assert (thing(None).alarm(NOW), ends_in_words(thing(None), NOW)) == (None, "never ends by itself")


@pytest.mark.django_db
def test_everything_in_use_stands_once_with_its_places(world: World) -> None:
    now = datetime.now(UTC)
    crl = world.folder / "crl.pem"
    write_revoked(world.pki, crl)
    world.receiver(CRL_FILE=str(crl))
    again = shutil.copy(world.pki.ca_chain, world.folder / "copy.pem")
    world.settings.BARS_WATCHED_CERTIFICATES = [str(again), str(world.pki.certificate("receiver"))]
    for name, days in (("int.api.service.nhs.uk", 3), ("int.api.service.nhs.uk", 300)):
        seen = now - timedelta(hours=300 - days)
        SeenCertificate.objects.create(
            fingerprint=f"{days:064}",
            name=name,
            issuer="NHS INT Level 1C",
            expires_at=now + days * DAY,
            first_seen_at=seen,
            last_seen_at=seen,
        )
    found = watched(now=now)
    assert found[0].kind is Kind.REVOCATION_LIST
    by_kind = {kind: [each for each in found if each.kind is kind] for kind in Kind}
    assert {each.name for each in by_kind[Kind.CERTIFICATE]} == {"localhost", "int.api.service.nhs.uk"}
    root = next(each for each in by_kind[Kind.AUTHORITY] if each.name.endswith("Root Authority"))
    assert root.places == ("RECEIVER_CA_FILE: ca-chain.pem", "BARS_WATCHED_CERTIFICATES: copy.pem")
    assert (len(root.sha256), len(root.sha1)) == (64, 40)
    assert {each.name for each in by_kind[Kind.KEY]} == {"BarsPortal-SIMULATOR-1", "The receiver's"}
    # The caller came with a newer one since.
    assert [each.ends_at for each in by_kind[Kind.PRESENTED]] == [now + 300 * DAY]
    assert not by_kind[Kind.UNREADABLE]


def engineer_at(address: str, role: Role = Role.ENGINEER) -> None:
    person = make_user(role=role)
    person.email = address
    person.save()


@pytest.mark.django_db
def test_engineers_are_mailed_once_for_each_of_the_days(world: World) -> None:
    world.settings.EMAIL_HOST = "mail.example"
    world.settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for role in (Role.ENGINEER, Role.INSTALLER, Role.MANAGER):
        engineer_at(f"{role}@example.nhs.uk", role)
    issue(world.pki, "receiver", common_name="localhost", ends=20 * DAY)
    now = datetime.now(UTC)
    assert [mail_expiries(now=now + hours * timedelta(hours=1)) for hours in (0, 1)] == [1, 0]
    (first,) = mail.outbox
    assert sorted(first.to) == ["engineer@example.nhs.uk", "installer@example.nhs.uk"]
    assert "- localhost: ends in 19 days, on" in first.body
    assert "RECEIVER_CERT_FILE: receiver.pem" in first.body
    told = [mail_expiries(now=now + days * DAY) for days in range(1, 22)]
    assert sum(told) == 3, "within 14, 7 and 1 days"
    assert sorted(ExpiryAlarm.objects.values_list("days", flat=True)) == [1, 7, 14, 30]
    # Its successor is another one.
    issue(world.pki, "receiver", common_name="localhost", ends=50 * DAY)
    assert mail_expiries(now=now) == 1


@pytest.mark.django_db
def test_what_no_server_took_is_told_again(world: World) -> None:
    world.settings.EMAIL_HOST = "127.0.0.1"
    world.settings.EMAIL_PORT = 9
    world.settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    engineer_at("engineer@example.nhs.uk")
    issue(world.pki, "receiver", common_name="localhost", ends=20 * DAY)
    assert mail_expiries(now=datetime.now(UTC)) == 0
    assert not ExpiryAlarm.objects.exists()


@pytest.mark.django_db
def test_home_and_page_tell_it(world: World) -> None:
    person, client = make_user(role=Role.ENGINEER), Client()
    client.force_login(person)
    assert "Certificates that end soon" not in client.get("/").content.decode()
    issue(world.pki, "receiver", common_name="localhost", ends=5 * DAY)
    world.settings.BARS_WATCHED_CERTIFICATES = [str(world.folder / "gone.pem")]
    home = client.get("/").content.decode()
    assert "Certificates that end soon: 2" in home
    assert "Urgent" in home
    page = client.get("/status/certificates/").content.decode()
    for words in ("localhost", "Ends in 4 days", "Cannot be read here", "BarsPortal-SIMULATOR-1", "SHA-256"):
        assert words in page
    assert "PRIVATE KEY" not in page
