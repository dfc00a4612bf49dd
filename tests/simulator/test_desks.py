"""The simulated integration environment: its desks do what an obeying mail asks, and say why they do not."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from bars_portal.simulator.app import WsgiApp
from bars_portal.simulator.desks.clerks import DeskRefused, ensure_authority, judged_request, pem
from bars_portal.simulator.desks.world import NamedReceivers
from bars_portal.simulator.forwarding import (
    Call,
    MutualTlsReceiver,
    ReceiverUnreachable,
    client_context,
)
from bars_portal.simulator.wire import Request
from tests.simulator.support import FORM, PUBLIC_URL, Reply, call_app, form, sign
from tests.simulator.tls_receiver import tls_receiver

PREFIX = "/simulated-int"
NOW = datetime.now(UTC)
FQDN = "BaRS-INT-X26.MySupplier.thirdparty.nhs.uk"
Subject = Mapping[x509.ObjectIdentifier, str]


@cache
def key_of(bits: int) -> RSAPrivateKey:
    return generate_private_key(65537, bits)


def csr(subject: Subject, bits: int = 2048) -> str:
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject.items()])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key_of(bits), hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def public(bits: int = 4096) -> str:
    key = key_of(bits).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def mailed(app: WsgiApp, desk: str, **mail: object) -> tuple[int, dict[str, Any]]:
    reply: Reply = call_app(app, "POST", f"{PREFIX}/desks/{desk}", body=json.dumps(mail).encode())
    return reply.status, reply.json


REFUSED = [
    (
        {NameOID.COMMON_NAME: FQDN, NameOID.EMAIL_ADDRESS: "me@nhs.net"},
        2048,
        "The email field must be blank.",
    ),
    (
        {NameOID.COMMON_NAME: FQDN, NameOID.COUNTRY_NAME: "GB", NameOID.ORGANIZATION_NAME: "nhs"},
        2048,
        "Leave every field blank but the common name; these are filled in: C, O.",
    ),
    (
        {NameOID.COMMON_NAME: "BaRS-INT-X26.supplier.com"},
        2048,
        "We can issue certificates in the .nhs.uk domain only.",
    ),
    ({NameOID.COMMON_NAME: "*.MySupplier.thirdparty.nhs.uk"}, 2048, "We issue no wildcards."),
    ({NameOID.COMMON_NAME: "receiver.nhs.uk"}, 2048, "The name does not read BaRS-INT-"),
    ({NameOID.COMMON_NAME: FQDN.replace("X26", "x26")}, 2048, "The name does not read BaRS-INT-"),
    ({NameOID.COMMON_NAME: FQDN.replace("X26", "Y99")}, 2048, "The common name is not the FQDN of the mail."),
    ({NameOID.COMMON_NAME: FQDN}, 1024, "The key must be RSA with at least 2048 bits."),
    ({}, 2048, "The request must have one common name."),
]


@pytest.mark.parametrize(("subject", "bits", "reason"), REFUSED, ids=[reason for *_, reason in REFUSED])
def test_a_request_that_does_not_obey_is_sent_back_with_the_reason(
    subject: Subject, bits: int, reason: str
) -> None:
    with pytest.raises(DeskRefused) as refused:
        judged_request(csr(subject, bits), fqdn=FQDN)
    assert str(refused.value).startswith(reason)


def test_an_obeying_request_is_signed_under_the_environments_own_chain(app: WsgiApp) -> None:
    mail = {
        "csr": csr({NameOID.COMMON_NAME: FQDN}),
        "fqdn": FQDN,
        "text": "BaRS: a certificate only, please",
        "party_key": "N/A",
    }
    status, answer = mailed(app, "certificates", **mail)
    assert status == 201, answer
    made = x509.load_pem_x509_certificate(answer["certificate"].encode())
    intermediate, root = x509.load_pem_x509_certificates(answer["chain"].encode())
    made.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(root)
    assert made.public_key() == key_of(2048).public_key()
    assert root.fingerprint(hashes.SHA1()).hex() == answer["root_thumbprint"]
    for change, reason in [
        ({"party_key": ""}, "The party key of a certificate only is N/A."),
        ({"text": "A certificate only"}, "It is not clear that this is for BaRS."),
        ({"csr": "hello"}, "The attachment is no certificate request (.csr)."),
    ]:
        assert mailed(app, "certificates", **{**mail, **change}) == (422, {"reason": reason})


def test_a_key_and_its_successor_are_registered_and_both_get_tokens(app: WsgiApp) -> None:
    _, application = mailed(app, "applications", name="My app")
    mail = {
        "environment": "Integration Test",
        "app_id": application["app_id"],
        "name": "My app",
        "public_key": public(),
        "apis": ["Booking and Referral FHIR API"],
    }
    small = mailed(app, "keys", **{**mail, "public_key": public(2048)}, kid="My-INT-1")
    assert small == (422, {"reason": "The key must have 4096 bits."})
    assert mailed(app, "keys", **mail, kid="My-INT-1") == (201, {"registered": ["My-INT-1"]})
    assert mailed(app, "keys", **mail, kid="My-INT-1")[0] == 422
    assert mailed(app, "keys", **mail, kid="My-PROD-1")[0] == 422
    assert mailed(app, "keys", **mail, kid="My-INT-2") == (201, {"registered": ["My-INT-1", "My-INT-2"]})

    def status_for(kid: str) -> int:
        audience = f"{PUBLIC_URL}{PREFIX}/oauth2/token"
        claims = {"iss": application["api_key"], "sub": application["api_key"], "aud": audience}
        assertion = sign(key_of(4096), header={"kid": kid}, **claims)
        path, media = f"{PREFIX}/oauth2/token", {"Content-Type": FORM}
        return call_app(app, "POST", path, media, form(assertion)).status

    assert (status_for("My-INT-1"), status_for("My-INT-2")) == (200, 200)
    withdrawn = mailed(app, "keys/withdraw", app_id=application["app_id"], kid="My-INT-1")
    assert withdrawn == (201, {"registered": ["My-INT-2"]})
    assert (status_for("My-INT-1"), status_for("My-INT-2")) == (401, 200)


@dataclass(frozen=True)
class _Files:
    """What tls_receiver takes for an authority: the certificate that was issued, and whom to trust."""

    certificate: Path
    key: Path
    chain: Path

    def issue_cert(self, _name: str) -> "_Files":
        return self

    def configure_cert(self, context: ssl.SSLContext) -> None:
        context.load_cert_chain(self.certificate, self.key)

    def configure_trust(self, context: ssl.SSLContext) -> None:
        context.load_verify_locations(self.chain)


def test_the_proxy_finds_a_receiver_by_its_registered_name_and_checks_its_certificate(tmp_path: Path) -> None:
    authority = ensure_authority(tmp_path, now=NOW)
    private = key_of(2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "own.key").write_bytes(private)
    (tmp_path / "own.pem").write_bytes(pem(authority.issue(FQDN, key_of(2048).public_key(), now=NOW)))
    with (tmp_path / "own.pem").open("ab") as file:
        file.write(pem(authority.intermediate))
    files: Any = _Files(tmp_path / "own.pem", tmp_path / "own.key", authority.chain_file)
    context = client_context(
        ca_file=authority.chain_file, cert_file=authority.proxy_file, key_file=authority.proxy_key_file
    )
    names = {FQDN.lower(): "127.0.0.1", "bars-int-x26.other.nhs.uk": "127.0.0.1"}
    receivers = NamedReceivers(names.get, lambda: MutualTlsReceiver(context))
    request = Request("GET", "/metadata", "", {}, b"", "127.0.0.1")

    def asked(name: str, port: int) -> int:
        return receivers.answer(Call(request, "/metadata", "1", f"https://{name}:{port}/FHIR/R4")).status

    with tls_receiver(files, files) as receiver:
        port = int(receiver.url.rsplit(":", 1)[1].partition("/")[0])
        assert asked(FQDN, port) == 200
        (arrived,) = receiver.arrived
        assert arrived.headers["host"] == f"{FQDN.lower()}:{port}"
        assert arrived.certificate_names == ("int.api.service.nhs.uk",)
        for name in ("bars-int-x26.other.nhs.uk", "nobody.nhs.uk"):
            with pytest.raises(ReceiverUnreachable):
                asked(name, port)
        receivers.close()


def test_names_lead_to_loopback_only_and_strangers_find_no_desk(app: WsgiApp) -> None:
    assert mailed(app, "names", fqdn=FQDN, address="127.0.0.1")[0] == 201
    assert mailed(app, "names", fqdn=FQDN, address="10.0.0.1")[0] == 422
    stranger = call_app(app, "POST", f"{PREFIX}/desks/names", body=b"{}", peer="192.0.2.1")
    assert stranger.status == 404
