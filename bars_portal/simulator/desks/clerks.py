"""The desks: the developer portal, API Management, the issuing desk, the DNS team, the catalogue's keepers.

The issuing desk has the environment's own authority: root, intermediate, the proxy's client certificate.
"""

import ipaddress
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bars_portal.simulator.config import Clock
from bars_portal.simulator.wire import Answer, Request, json_answer

ROOT, INTERMEDIATE = "Simulated NHS PTL Root Authority", "Simulated NHS INT Level 1C"
PROXY = "int.api.service.nhs.uk"
_LONG, _LEAF = timedelta(days=3650), timedelta(days=365)
_BACKDATED = timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """`chain` holds the root, then the intermediate, whose key signs."""

    root: x509.Certificate
    intermediate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain_file: Path
    proxy_file: Path
    proxy_key_file: Path

    @property
    def thumbprint(self) -> str:
        """The root's SHA-1, as the published tables have them."""
        return self.root.fingerprint(SHA1()).hex()  # noqa: S303 - it is what is published

    def issue(self, name: str, public: CertificatePublicKeyTypes, *, now: datetime) -> x509.Certificate:
        """For servers and clients, with its name as subject alternative name too, good for a year."""
        return _issued(name, public, self.intermediate, self.key, now=now)


def ensure_authority(folder: Path, *, now: datetime) -> Authority:
    """Read from the folder, or made there when something is missing or has ended."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / name for name in ("chain.pem", "issuer.key", "proxy.pem", "proxy.key")]
    chain_file, key_file, proxy_file, proxy_key_file = files
    if not all(file.is_file() for file in files) or _has_ended(proxy_file, now):
        _make(chain_file, key_file, proxy_file, proxy_key_file, now)
    root, intermediate = x509.load_pem_x509_certificates(chain_file.read_bytes())
    key = load_pem_private_key(key_file.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key is of another kind")
    return Authority(root, intermediate, key, chain_file, proxy_file, proxy_key_file)


def _has_ended(file: Path, now: datetime) -> bool:
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc < now + timedelta(days=30)


def _make(chain_file: Path, key_file: Path, proxy_file: Path, proxy_key_file: Path, now: datetime) -> None:
    root_key, key, proxy_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = _authority(ROOT, root_key, ROOT, root_key, now)
    intermediate = _authority(INTERMEDIATE, key, ROOT, root_key, now)
    proxy = _issued(PROXY, proxy_key.public_key(), intermediate, key, now=now)
    _write(proxy_key_file, _private(proxy_key), mode=0o600)
    _write(proxy_file, pem(proxy, intermediate), mode=0o644)
    _write(key_file, _private(key), mode=0o600)
    _write(chain_file, pem(root, intermediate), mode=0o644)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(file: Path, content: bytes, *, mode: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def _name(common_name: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "nhs")]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    name: str, issuer: x509.Name, public: CertificatePublicKeyTypes, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + life)
    )


def _authority(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    usage = _usage(signs=True)
    builder = _builder(name, _name(issuer), key.public_key(), now, _LONG)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    return _linked(builder, key.public_key(), issuer_key).sign(issuer_key, SHA256())


def _issued(
    name: str,
    public: CertificatePublicKeyTypes,
    issuer: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    *,
    now: datetime,
) -> x509.Certificate:
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = _builder(name, issuer.subject, public, now, _LEAF)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return _linked(builder, public, key).sign(key, SHA256())


def _linked(
    builder: x509.CertificateBuilder, public: CertificatePublicKeyTypes, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    of_issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    builder = builder.add_extension(of_issuer, critical=False)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


ENVIRONMENT = "Integration Test"
_LEAST_BITS, _SIGNING_BITS = 2048, 4096
_KID = re.compile(r"[A-Za-z0-9]+-INT-[1-9][0-9]{0,3}")
_FQDN = re.compile(
    r"BaRS-INT-[A-Z0-9]{3,30}\.[A-Za-z0-9-]{1,63}(\.thirdparty)?(\.[A-Za-z0-9-]{1,63})?\.nhs\.uk"
)
Json = Mapping[str, Any]


class DeskRefused(Exception):
    """The desk sends the mail back; the text is its reason."""


def need(fulfilled: object, reason: str) -> None:
    """Raises DeskRefused."""
    if not fulfilled:
        raise DeskRefused(reason)


class Desks:
    """Answers under PREFIX/desks/. `folder` keeps what was registered, as the proxy's own files."""

    def __init__(self, folder: Path, *, authority: Authority, clock: Clock) -> None:
        self._folder, self._authority, self._clock = folder, authority, clock
        self._routes: Mapping[str, Callable[[Json], Json]] = {
            "applications": self._application,
            "keys": self._key,
            "keys/withdraw": self._withdraw,
            "certificates": self._certificate,
            "names": self._host,
        }

    def answer(self, request: Request, place: str) -> Answer:
        """201 with what was done, 422 with the reason, 404 for strangers and unknown desks."""
        if place == "chain" and request.method == "GET" and request.is_local:
            return json_answer(200, self._chain())
        if place not in self._routes or not request.is_local:
            return json_answer(404, {"error": "not found"})
        if request.method != "POST":
            return json_answer(405, {"error": "method not allowed"})
        try:
            content = orjson.loads(request.body)
            need(isinstance(content, dict), "The mail cannot be read.")
            return json_answer(201, self._routes[place](content))
        except orjson.JSONDecodeError:
            return json_answer(422, {"reason": "The mail cannot be read."})
        except DeskRefused as refused:
            return json_answer(422, {"reason": str(refused)})

    def address_of(self, name: str) -> str | None:
        """Where a registered name leads; None for a name that nobody registered."""
        found = self._read("names.json").get(name.lower())
        return None if found is None else str(found)

    def _application(self, mail: Json) -> Json:
        """The developer portal: an app of a team, with its API key."""
        name = _text(mail, "name", "the name of the app")
        applications = self._read("applications.json")
        app_id = secrets.token_hex(8)
        api_key = secrets.token_urlsafe(24)
        self._write("applications.json", {**applications, app_id: {"name": name, "api_key": api_key}})
        return {"app_id": app_id, "name": name, "api_key": api_key}

    def _key(self, mail: Json) -> Json:
        """API Management: a public key under its KID, beside those that are registered already."""
        environment = _text(mail, "environment", "the environment")
        need(environment == ENVIRONMENT, f"This desk registers keys for {ENVIRONMENT} only.")
        app_id, name = _text(mail, "app_id", "the App ID"), _text(mail, "name", "the app's name")
        application = self._read("applications.json").get(app_id, {})
        known = application.get("name") == name
        need(known, "There is no app with that App ID and name in the portal.")
        kid = _text(mail, "kid", "the key id (KID)")
        need(_KID.fullmatch(kid), "The KID reads <Supplier or Provider>-INT-<rotation>.")
        need(mail.get("apis"), "The APIs that you want to use are missing.")
        content = _text(mail, "public_key", "the public key as an attachment")
        need("PRIVATE" not in content, "You sent a private key. Make a new pair, and send its public half.")
        try:
            key = load_pem_public_key(content.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise DeskRefused("The attachment is no PEM-encoded public key.") from None
        need(isinstance(key, RSAPublicKey), "The public key must be an RSA key.")
        assert isinstance(key, RSAPublicKey)  # noqa: S101 - just looked at
        need(key.key_size >= _SIGNING_BITS, f"The key must have {_SIGNING_BITS} bits.")
        clients, api_key = self._read("clients.json"), str(application["api_key"])
        keys = clients.get(api_key, {})
        need(kid not in keys, "That KID is registered already: raise its rotation number for a new key.")
        file = f"{app_id}-{kid}.pem"
        (self._folder / file).write_text(content)
        self._write("clients.json", {**clients, api_key: {**keys, kid: file}})
        return {"registered": sorted([*keys, kid])}

    def _withdraw(self, mail: Json) -> Json:
        """API Management: a key that another has followed."""
        application = self._read("applications.json").get(_text(mail, "app_id", "the App ID"), {})
        need(application, "There is no such app in the portal.")
        clients, kid = self._read("clients.json"), _text(mail, "kid", "the key id (KID)")
        keys = dict(clients.get(str(application["api_key"]), {}))
        need(keys.pop(kid, None), "That KID is not registered.")
        self._write("clients.json", {**clients, str(application["api_key"]): keys})
        return {"registered": sorted(keys)}

    def _certificate(self, mail: Json) -> Json:
        """The issuing desk: a certificate for a request that obeys."""
        fqdn = _text(mail, "fqdn", "the FQDN")
        need("bars" in str(mail.get("text", "")).lower(), "It is not clear that this is for BaRS.")
        need("certificate only" in str(mail.get("text", "")).lower(), "Say that it is a certificate only.")
        need(mail.get("party_key") == "N/A", "The party key of a certificate only is N/A.")
        request = judged_request(_text(mail, "csr", "the certificate request (.csr)"), fqdn=fqdn)
        made = self._authority.issue(fqdn, request.public_key(), now=self._clock())
        return {"certificate": pem(made).decode(), **self._chain()}

    def _chain(self) -> Json:
        chain = pem(self._authority.intermediate, self._authority.root).decode()
        return {"chain": chain, "root_thumbprint": self._authority.thumbprint}

    def _host(self, mail: Json) -> Json:
        """The DNS team. Nothing here leads off this machine."""
        fqdn = _text(mail, "fqdn", "the FQDN")
        need(_FQDN.fullmatch(fqdn), "The name does not follow the pattern of INT.")
        address = _text(mail, "address", "the IP address")
        try:
            is_loopback = ipaddress.ip_address(address).is_loopback
        except ValueError:
            raise DeskRefused("That is no IP address.") from None
        need(is_loopback, "In the simulated environment names lead to loopback addresses only.")
        self._write("names.json", {**self._read("names.json"), fqdn.lower(): address})
        return {"fqdn": fqdn, "address": address}

    def _read(self, file: str) -> dict[str, Any]:
        try:
            return dict(orjson.loads((self._folder / file).read_bytes()))
        except FileNotFoundError:
            return {}

    def _write(self, file: str, content: Json) -> None:
        """Beside the old one, then in its place: a reader never sees half of it."""
        beside = self._folder / f".{file}"
        beside.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
        beside.replace(self._folder / file)


def _text(mail: Json, name: str, words: str) -> str:
    value = mail.get(name)
    need(isinstance(value, str) and value.strip(), f"The mail lacks {words}.")
    return str(value).strip()


def judged_request(text: str, *, fqdn: str) -> x509.CertificateSigningRequest:
    """A request that may be signed. Raises DeskRefused with the first reason."""
    try:
        request = x509.load_pem_x509_csr(text.encode())
    except ValueError:
        raise DeskRefused("The attachment is no certificate request (.csr).") from None
    try:
        sound = request.is_signature_valid
    except (InvalidSignature, UnsupportedAlgorithm):
        sound = False
    need(sound, "The request is not signed with its own key.")
    attributes = {each.oid for each in request.subject}
    need(NameOID.EMAIL_ADDRESS not in attributes, "The email field must be blank.")
    others = sorted(
        each.rfc4514_attribute_name for each in request.subject if each.oid != NameOID.COMMON_NAME
    )
    need(
        not others, f"Leave every field blank but the common name; these are filled in: {', '.join(others)}."
    )
    names = [str(each.value) for each in request.subject]
    need(len(names) == 1, "The request must have one common name.")
    need(names[0].lower().endswith(".nhs.uk"), "We can issue certificates in the .nhs.uk domain only.")
    need("*" not in names[0], "We issue no wildcards.")
    need(
        _FQDN.fullmatch(names[0]),
        "The name does not read BaRS-INT-<ODS Code>.<Supplier name>.thirdparty.nhs.uk.",
    )
    need(names[0] == fqdn, "The common name is not the FQDN of the mail.")
    key = request.public_key()
    small = isinstance(key, RSAPublicKey) and key.key_size < _LEAST_BITS
    need(
        isinstance(key, RSAPublicKey) and not small, f"The key must be RSA with at least {_LEAST_BITS} bits."
    )
    return request
