"""Certificates of the receiver's own chain that are wrong, or new, in one way; and lists of revoked ones."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bars_portal.credentials.keys import chain_pem, private_pem, read_tls_key
from bars_portal.credentials.local_pki import Issued, PkiFiles, new_intermediate, new_root

PROXY = "int.api.service.nhs.uk"
DAY = timedelta(days=1)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def issue(
    pki: PkiFiles,
    name: str,
    *,
    common_name: str = PROXY,
    begins: timedelta = -DAY,
    ends: timedelta = DAY,
    key: Key | None = None,
    is_server: bool = False,
) -> str:
    """Writes `name`.pem and .key beside the others, signed by their intermediate."""
    intermediate = x509.load_pem_x509_certificates(pki.ca_chain.read_bytes())[1]
    key, now = key or ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    is_server = is_server or common_name == "localhost"
    usage = ExtendedKeyUsageOID.SERVER_AUTH if is_server else ExtendedKeyUsageOID.CLIENT_AUTH
    names: list[x509.GeneralName] = [x509.DNSName(common_name)]
    if is_server:
        names.append(x509.IPAddress(ip_address("127.0.0.1")))
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(intermediate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .sign(read_tls_key(pki.ca_key.read_bytes()), SHA256())
    )
    chain = leaf.public_bytes(Encoding.PEM) + intermediate.public_bytes(Encoding.PEM)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _replace(pki.key(name), private)
    _replace(pki.certificate(name), chain)
    return name


def serial_of(pki: PkiFiles, name: str) -> int:
    return x509.load_pem_x509_certificates(pki.certificate(name).read_bytes())[0].serial_number


def new_authority(pki: PkiFiles) -> Issued:
    """A chain of its own in this folder; gives the root, with its key."""
    pki.directory.mkdir()
    now = datetime.now(UTC)
    root = new_root("Matrix Root", now=now, lifetime=3 * DAY)
    intermediate = new_intermediate("Matrix Level 1C", issuer=root, now=now, lifetime=3 * DAY)
    pki.ca_chain.write_bytes(chain_pem([root.certificate, intermediate.certificate]))
    pki.ca_key.write_bytes(private_pem(intermediate.key))
    return root


def write_revoked(
    pki: PkiFiles, file: Path, *names: str, ends: timedelta = DAY, root: Issued | None = None
) -> None:
    """A list of the intermediate that takes these back; and one of the root that takes nothing back."""
    intermediate = x509.load_pem_x509_certificates(pki.ca_chain.read_bytes())[1]
    issuer = Issued(intermediate, read_tls_key(pki.ca_key.read_bytes()))
    lists = [_list(issuer, [serial_of(pki, name) for name in names], ends)]
    if root:
        lists.append(_list(root, [], ends))
    _replace(file, b"".join(lists))


def _list(issuer: Issued, serials: list[int], ends: timedelta) -> bytes:
    until = datetime.now(UTC) + ends
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(until - 2 * DAY).next_update(until)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial)
        builder = builder.add_revoked_certificate(entry.revocation_date(until - 2 * DAY).build())
    return builder.sign(issuer.key, SHA256()).public_bytes(Encoding.PEM)


def _replace(file: Path, content: bytes) -> None:
    """At once, as whoever renews certificates should."""
    fresh = file.with_name(file.name + ".new")
    fresh.write_bytes(content)
    fresh.replace(file)
