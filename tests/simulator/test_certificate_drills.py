"""Drills with the proxy's own certificate, against a receiver that demands a good one."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from bars_portal.simulator.config import Config
from bars_portal.simulator.forwarding import expired_certificate, stranger_certificate
from tests.simulator.conftest import REQUESTER, World
from tests.simulator.support import NOW
from tests.simulator.tls_receiver import write_certificates


@pytest.fixture(autouse=True)
def calm(world: World) -> Iterator[None]:
    yield
    httpx.delete(f"{world.url}/simulator/faults", trust_env=False)


@pytest.mark.parametrize("fault", ["expired-certificate", "wrong-certificate", "no-certificate"])
def test_the_receiver_hangs_up_and_hears_nothing(world: World, fault: str) -> None:
    heard, refused = len(world.receiver.arrived), len(world.receiver.broken_handshakes)
    drill = {"service": REQUESTER, "fault": fault}
    assert httpx.post(f"{world.url}/simulator/faults", json=drill, trust_env=False).status_code == 201

    answer = world.sender.call("GET", "/Slot", service=REQUESTER)

    coding = answer.json()["issue"][0]["details"]["coding"][0]
    assert (answer.status_code, coding["code"]) == (503, "REC_SERVICE_UNAVAILABLE")
    assert len(world.receiver.arrived) == heard
    # Its thread may notice a moment after the proxy does.
    deadline = time.monotonic() + 10
    while len(world.receiver.broken_handshakes) == refused and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(world.receiver.broken_handshakes) > refused
    assert httpx.get(f"{world.url}/simulator/faults", trust_env=False).json() == []


def test_afterwards_all_is_well(world: World) -> None:
    heard = len(world.receiver.arrived)

    assert world.sender.call("GET", "/Slot", service=REQUESTER).status_code == 200
    assert len(world.receiver.arrived) == heard + 1


@pytest.fixture
def certified(config: Config, tmp_path: Path) -> Config:
    authority, _stranger = write_certificates(tmp_path)
    authority.private_key_pem.write_to_path(tmp_path / "ca.key")
    return replace(config, ca_key_file=tmp_path / "ca.key")


def test_the_expired_certificate_is_the_authoritys_and_ended_yesterday(certified: Config) -> None:
    leaf, issuer = x509.load_pem_x509_certificates(expired_certificate(certified, NOW))

    leaf.verify_directly_issued_by(issuer)
    ours = x509.load_pem_x509_certificate(certified.client_cert_file.read_bytes())
    assert (leaf.subject, leaf.public_key()) == (ours.subject, ours.public_key())
    assert leaf.not_valid_after_utc == NOW - timedelta(days=1)


def test_the_strangers_certificate_is_valid_but_signed_itself(certified: Config) -> None:
    (leaf,) = x509.load_pem_x509_certificates(stranger_certificate(certified, NOW))

    leaf.verify_directly_issued_by(leaf)
    assert leaf.not_valid_before_utc < NOW < leaf.not_valid_after_utc


def test_without_the_authoritys_key_nothing_expires(config: Config) -> None:
    with pytest.raises(FileNotFoundError):
        expired_certificate(config, datetime.now(UTC))
