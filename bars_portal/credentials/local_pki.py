"""What a laptop has of its own: certificates for everyone who meets there, and a sender's credentials.

The chain is shaped like the NHS one. File names are the operations contract of docs/ARCHITECTURE.md
(`var/pki/`); never for production. A sender has a signing key, its public half and an API key (standard
section 2).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bars_portal.credentials.acceptance import is_issued_by
from bars_portal.credentials.keys import (
    PUBLIC,
    SECRET,
    UnreadableKey,
    chain_pem,
    check_key_id,
    keep_mode,
    new_signing_key,
    new_tls_key,
    private_folder,
    private_pem,
    public_pem,
    read_if_there,
    read_signing_key,
    read_tls_key,
    write_whole,
)

Extension = tuple[x509.ExtensionType, bool]  # the extension and whether it is critical


SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
# Clocks of the machines that meet here may differ.
_BACKDATED = timedelta(days=1)


@dataclass(frozen=True)
class Issued:
    """A certificate with its private key; an authority when its basicConstraints say so."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey


@dataclass(frozen=True)
class LeafRecipe:
    """What a leaf says: its common name, what it may be used for, and its alternative names."""

    common_name: str
    usage: x509.ObjectIdentifier  # serverAuth or clientAuth
    dns_names: tuple[str, ...]
    addresses: tuple[IPv4Address | IPv6Address, ...] = ()

    def extensions(self) -> list[Extension]:
        """RFC 5280 section 4.2; Python 3.13 insists on the first two."""
        names: list[x509.GeneralName] = [x509.DNSName(name) for name in self.dns_names]
        names += [x509.IPAddress(address) for address in self.addresses]
        return [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_key_usage(signs_certificates=False), True),
            (x509.ExtendedKeyUsage([self.usage]), False),
            (x509.SubjectAlternativeName(names), False),
        ]


def new_root(common_name: str, *, now: datetime, lifetime: timedelta) -> Issued:
    """A self-signed authority with room for one intermediate."""
    return _issue(common_name, _authority_extensions(1), issuer=None, now=now, lifetime=lifetime)


def new_intermediate(common_name: str, *, issuer: Issued, now: datetime, lifetime: timedelta) -> Issued:
    """An authority that signs leaves only."""
    return _issue(common_name, _authority_extensions(0), issuer=issuer, now=now, lifetime=lifetime)


def new_leaf(recipe: LeafRecipe, *, issuer: Issued, now: datetime, lifetime: timedelta) -> Issued:
    """A server's or client's certificate."""
    return _issue(recipe.common_name, recipe.extensions(), issuer=issuer, now=now, lifetime=lifetime)


def _issue(
    common_name: str,
    extensions: Sequence[Extension],
    *,
    issuer: Issued | None,
    now: datetime,
    lifetime: timedelta,
) -> Issued:
    """Signed by the issuer, or by itself where there is none."""
    key, subject = new_tls_key(), _name(common_name)
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + lifetime)
    )
    for extension, critical in [*extensions, *_link_extensions(key.public_key(), signer.public_key())]:
        builder = builder.add_extension(extension, critical)
    return Issued(builder.sign(signer, SHA256()), key)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _authority_extensions(path_length: int) -> list[Extension]:
    """`path_length` = how many authorities may follow below."""
    return [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (_key_usage(signs_certificates=True), True),
    ]


def _link_extensions(public: EllipticCurvePublicKey, issuer: EllipticCurvePublicKey) -> list[Extension]:
    """The key identifiers by which chains are built."""
    return [
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False),
    ]


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(frozen=True)
class Freshness:
    """Certificates must hold now and for `margin` more."""

    now: datetime
    margin: timedelta

    def covers(self, certificate: x509.Certificate) -> bool:
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return begins <= self.now and ends > self.now + self.margin


def read_chain(pem: bytes | None) -> list[x509.Certificate]:
    """The certificates of a PEM file in their order; none when it is missing or damaged."""
    try:
        return x509.load_pem_x509_certificates(pem or b"")
    except ValueError:
        return []


def read_issued(certificate: x509.Certificate, key_pem: bytes | None) -> Issued | None:
    """The pair, or None when the key is missing, damaged, or another one's."""
    try:
        key = read_tls_key(key_pem or b"")
    except UnreadableKey:
        return None
    return Issued(certificate, key) if certificate.public_key() == key.public_key() else None


def follows(certificate: x509.Certificate, recipe: LeafRecipe) -> bool:
    """Whether a stored leaf still says what the recipe says (a newer release may ask for other names)."""
    stored = {(extension.value, extension.critical) for extension in certificate.extensions}
    common_names = [name.value for name in certificate.subject]
    return common_names == [recipe.common_name] and stored.issuperset(recipe.extensions())


_ROOT_LIFETIME = timedelta(days=3650)
_INTERMEDIATE_LIFETIME = timedelta(days=1825)
_LEAF_LIFETIME = timedelta(days=365)

_PROXY_NAME = "int.api.service.nhs.uk"
_WRONG_NAME = "wrong.example.nhs.uk"
_LOOPBACK = (ip_address("127.0.0.1"), ip_address("::1"))
_RECEIVER = LeafRecipe("localhost", SERVER, ("localhost",), _LOOPBACK)
_PROXY_CLIENT = LeafRecipe(_PROXY_NAME, CLIENT, (_PROXY_NAME,))
_WRONG_NAME_CLIENT = LeafRecipe(_WRONG_NAME, CLIENT, (_WRONG_NAME,))


@dataclass(frozen=True)
class PkiFiles:
    """Where everything lies. Each `.pem` of a leaf also holds its intermediate; each `.key` is mode 0600."""

    directory: Path

    @property
    def ca_chain(self) -> Path:
        """Root, then intermediate."""
        return self.directory / "ca-chain.pem"

    @property
    def ca_key(self) -> Path:
        """The intermediate's key: whoever holds it can sign more leaves."""
        return self.directory / "ca.key"

    def certificate(self, name: str) -> Path:
        """`name` is receiver, proxy-client, stranger-client or wrong-name-client."""
        return self.directory / f"{name}.pem"

    def key(self, name: str) -> Path:
        return self.directory / f"{name}.key"


def ensure_local_pki(
    directory: Path, *, now: datetime, renew_within: timedelta = timedelta(days=30)
) -> PkiFiles:
    """Write what is missing, damaged, mismatched or soon to expire; leave everything else untouched."""
    files, fresh = PkiFiles(directory), Freshness(now, renew_within)
    private_folder(directory)
    chain = _ensure_authority(files, fresh)
    for name, recipe in (
        ("receiver", _RECEIVER),
        ("proxy-client", _PROXY_CLIENT),
        ("wrong-name-client", _WRONG_NAME_CLIENT),
    ):
        if not _leaf_is_good(files, name, recipe, fresh, issuer=chain[-1].certificate):
            _write_leaf(files, name, recipe, issuer=chain[-1], now=now)
    _ensure_stranger(files, fresh)
    return files


def _ensure_authority(files: PkiFiles, fresh: Freshness) -> Sequence[Issued]:
    """The stored intermediate, or a wholly new chain (the root's key is not kept)."""
    stored = _stored_authority(files, fresh)
    if stored is not None:
        keep_mode(files.ca_key, SECRET)
        return [stored]
    chain = _new_chain("BaRS local test", now=fresh.now)
    # Key first: a kill between the two leaves a pair that the next start sees as mismatched.
    write_whole(files.ca_key, private_pem(chain[-1].key), mode=SECRET)
    write_whole(files.ca_chain, chain_pem([link.certificate for link in chain]), mode=PUBLIC)
    return chain


def _new_chain(label: str, *, now: datetime) -> list[Issued]:
    root = new_root(f"{label} Root Authority", now=now, lifetime=_ROOT_LIFETIME)
    name = f"{label} Level 1C"
    return [root, new_intermediate(name, issuer=root, now=now, lifetime=_INTERMEDIATE_LIFETIME)]


def _stored_authority(files: PkiFiles, fresh: Freshness) -> Issued | None:
    match read_chain(read_if_there(files.ca_chain)):
        case [root, intermediate] if (
            is_issued_by(root, root)
            and is_issued_by(intermediate, root)
            and fresh.covers(root)
            and fresh.covers(intermediate)
        ):
            return read_issued(intermediate, read_if_there(files.ca_key))
    return None


def _leaf_is_good(
    files: PkiFiles, name: str, recipe: LeafRecipe, fresh: Freshness, *, issuer: x509.Certificate | None
) -> bool:
    """`issuer` None: any intermediate will do that the file itself holds (the stranger)."""
    match read_chain(read_if_there(files.certificate(name))):
        case [leaf, intermediate] if (
            issuer in (None, intermediate)
            and is_issued_by(leaf, intermediate)
            and fresh.covers(leaf)
            and follows(leaf, recipe)
            and read_issued(leaf, read_if_there(files.key(name)))
        ):
            keep_mode(files.key(name), SECRET)
            return True
    return False


def _write_leaf(files: PkiFiles, name: str, recipe: LeafRecipe, *, issuer: Issued, now: datetime) -> None:
    leaf = new_leaf(recipe, issuer=issuer, now=now, lifetime=_LEAF_LIFETIME)
    write_whole(files.key(name), private_pem(leaf.key), mode=SECRET)
    write_whole(files.certificate(name), chain_pem([leaf.certificate, issuer.certificate]), mode=PUBLIC)


def _ensure_stranger(files: PkiFiles, fresh: Freshness) -> None:
    """The right name under another root: only the chain gives it away. That root's key is not kept."""
    name = "stranger-client"
    ours = read_chain(read_if_there(files.ca_chain))[-1]
    good = _leaf_is_good(files, name, _PROXY_CLIENT, fresh, issuer=None)
    if not good or ours in read_chain(read_if_there(files.certificate(name))):
        issuer = _new_chain("Stranger", now=fresh.now)[-1]
        _write_leaf(files, name, _PROXY_CLIENT, issuer=issuer, now=fresh.now)


@dataclass(frozen=True)
class SenderCredentials:
    """What `BARS_API_KEY`, `BARS_KEY_ID` and `BARS_PRIVATE_KEY_FILE` hold, and the public key to register."""

    api_key: str
    key_id: str
    private_key_file: Path
    public_key_file: Path


def ensure_sender_credentials(
    directory: Path, *, key_id: str, api_key: str | None = None, bits: int = 4096
) -> SenderCredentials:
    """Make what is missing or damaged; a second call changes nothing. `api_key` None: a random one, kept.

    Raises InvalidKeyId.
    """
    check_key_id(key_id)
    private_folder(directory)
    private_file, public_file = directory / f"{key_id}.key", directory / f"{key_id}.public.pem"
    public = _ensure_private_key(private_file, bits)
    if read_if_there(public_file) != public:
        write_whole(public_file, public, mode=PUBLIC)
    kept = _ensure_api_key(directory / "api-key", api_key)
    return SenderCredentials(kept, key_id, private_file, public_file)


def _ensure_private_key(path: Path, bits: int) -> bytes:
    """The public half, as PEM."""
    try:
        key = read_signing_key(read_if_there(path) or b"")
    except UnreadableKey:
        key = new_signing_key(bits=bits)
        write_whole(path, private_pem(key), mode=SECRET)
    keep_mode(path, SECRET)
    return public_pem(key.public_key())


def _ensure_api_key(path: Path, wanted: str | None) -> str:
    stored = (read_if_there(path) or b"").decode("ascii", errors="replace").strip()
    value = wanted or stored or secrets.token_urlsafe(24)
    if value != stored:
        write_whole(path, f"{value}\n".encode(), mode=SECRET)
    keep_mode(path, SECRET)
    return value
