"""A certificate that came back from an issuing desk: whether it may be used, and its whole path.

Held against the key that is kept, the name that was asked for, and the environment's chain. The path is built
by the verifier of `cryptography` (RFC 5280); everything that can be said in plain words is said before it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bars_portal.credentials.environments import Environment, of_authority
from bars_portal.credentials.intake import Brought, Unusable

LEAST_BITS = 2048
_WEAK = frozenset({"sha1", "md5"})


@dataclass(frozen=True)
class Expected:
    """What a certificate is held against. `thumbprints` are SHA-1 of roots that somebody has compared."""

    environment: Environment
    fqdn: str
    public_key: CertificatePublicKeyTypes
    thumbprints: Collection[str] = ()

    @property
    def desk(self) -> str:
        return self.environment.certificate_desk.mailbox if self.environment.certificate_desk else "the desk"


@dataclass(frozen=True)
class Accepted:
    """The receiver's certificate, then those above it up to the root; `notes` say what was put right."""

    leaf: x509.Certificate
    path: tuple[x509.Certificate, ...]
    notes: tuple[str, ...]

    @property
    def presented(self) -> tuple[x509.Certificate, ...]:
        """What the receiver shows: all but the root, which partners have."""
        return (self.leaf, *self.path[:-1])

    @property
    def ends_at(self) -> datetime:
        return min(each.not_valid_after_utc for each in (self.leaf, *self.path))


def accept(brought: Brought, expected: Expected, *, now: datetime) -> Accepted:
    """Raises Unusable for the first thing that is wrong."""
    leaf = _leaf_of(brought, expected)
    others = [each for each in brought.certificates if each != leaf]
    _check_issuer(leaf, expected)
    _check_dates(leaf, now)
    _check_strength(leaf)
    _check_name(leaf, expected)
    path = _path(leaf, others, expected, now)
    notes = [*brought.notes]
    if list(brought.certificates) != [leaf, *path][: len(brought.certificates)]:
        notes.append("The certificates were put into their order: the receiver's first, the root last.")
    if not _alternatives(leaf):
        notes.append(
            "It has no subject alternative name; clients that ignore the common name will refuse it."
        )
    return Accepted(leaf, path, tuple(notes))


def name_of(name: x509.Name) -> str:
    """The common name, "" where there is none."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def thumbprint(certificate: x509.Certificate) -> str:
    """SHA-1 in hex, as the published tables have it: a name to compare by, no proof."""
    return certificate.fingerprint(SHA1()).hex()  # noqa: S303 - it is what is published


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 in hex."""
    return certificate.fingerprint(SHA256()).hex()


def _leaf_of(brought: Brought, expected: Expected) -> x509.Certificate:
    """The one with our key; else whatever is no authority is another's."""
    ours = [each for each in brought.certificates if each.public_key() == expected.public_key]
    if ours:
        return max(ours, key=lambda each: each.not_valid_after_utc)
    others = [each for each in brought.certificates if not _is_authority(each)]
    if others:
        raise Unusable("wrong-key", name=_shown(others[0]))
    raise Unusable("chain-only", names=", ".join(map(_shown, brought.certificates)))


def _shown(certificate: x509.Certificate) -> str:
    return name_of(certificate.subject) or "no name"


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _check_issuer(leaf: x509.Certificate, expected: Expected) -> None:
    wanted, issuer = expected.environment, name_of(leaf.issuer) or "an authority without a name"
    if leaf.issuer == leaf.subject:
        raise Unusable("self-signed", name=_shown(leaf), issuer_desk=expected.desk)
    if issuer in {link.common_name for link in wanted.chain.authorities}:
        return
    if others := of_authority(issuer):
        raise Unusable("wrong-environment", issuer=issuer, found=others[0].title, wanted=wanted.title)
    raise Unusable("unknown-authority", issuer=issuer, wanted=wanted.title, issuer_desk=expected.desk)


def _check_dates(leaf: x509.Certificate, now: datetime) -> None:
    if leaf.not_valid_after_utc <= now:
        raise Unusable("expired", name=_shown(leaf), day=_day(leaf.not_valid_after_utc))
    if leaf.not_valid_before_utc > now:
        raise Unusable("not-yet", name=_shown(leaf), day=_day(leaf.not_valid_before_utc))


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _check_strength(leaf: x509.Certificate) -> None:
    algorithm = leaf.signature_hash_algorithm
    if algorithm is not None and algorithm.name in _WEAK:
        raise Unusable("weak-signature", name=_shown(leaf), algorithm=algorithm.name.upper())
    key = leaf.public_key()
    if isinstance(key, RSAPublicKey) and key.key_size < LEAST_BITS:
        raise Unusable("weak-key", name=_shown(leaf), bits=key.key_size)


def _check_name(leaf: x509.Certificate, expected: Expected) -> None:
    name, wanted = name_of(leaf.subject), expected.fqdn
    if not name:
        raise Unusable("no-common-name", wanted=wanted)
    if "*" in name:
        raise Unusable("wildcard", name=name, wanted=wanted)
    if name != wanted and name.lower() == wanted.lower():
        raise Unusable("name-case", name=name, wanted=wanted)
    if name != wanted:
        raise Unusable("wrong-name", name=name, wanted=wanted)
    names = _alternatives(leaf)
    if names and wanted.lower() not in {each.lower() for each in names}:
        raise Unusable("missing-alternative", names=", ".join(names), wanted=wanted)
    try:
        usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if ExtendedKeyUsageOID.SERVER_AUTH not in usages:
        raise Unusable("not-for-servers", name=name)


def _alternatives(leaf: x509.Certificate) -> list[str]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return list(found.get_values_for_type(x509.DNSName))


def _path(
    leaf: x509.Certificate, others: Sequence[x509.Certificate], expected: Expected, now: datetime
) -> tuple[x509.Certificate, ...]:
    """From who signed the leaf up to the root."""
    path, above = [], leaf
    while above.issuer != above.subject:
        above = _issuer_of(above, others, expected)
        path.append(above)
    _check_root(above, expected)
    _check_authorities(path, now)
    _verify(leaf, path, now)
    return tuple(path)


def _issuer_of(
    below: x509.Certificate, others: Sequence[x509.Certificate], expected: Expected
) -> x509.Certificate:
    issuer = name_of(below.issuer)
    named = [each for each in others if each.subject == below.issuer]
    signed = next((each for each in named if is_issued_by(below, each)), None)
    if signed is not None:
        return signed
    if named:
        raise Unusable("forged-intermediate", issuer=issuer)
    if issuer == expected.environment.chain.root.common_name:
        raise Unusable("missing-root", root=issuer)
    strangers = [_shown(each) for each in others if each.issuer != each.subject]
    if strangers:
        raise Unusable("swapped-intermediate", issuer=issuer, names=", ".join(strangers))
    raise Unusable("missing-intermediate", issuer=issuer, issuer_desk=expected.desk)


def _check_root(root: x509.Certificate, expected: Expected) -> None:
    """By its thumbprint: the published one, or one that somebody has compared."""
    known = expected.environment.chain.root
    trusted = {each.replace(":", "").replace(" ", "").lower() for each in expected.thumbprints}
    if thumbprint(root) not in {*trusted, known.sha1}:
        raise Unusable("unknown-root", root=_shown(root), thumbprint=thumbprint(root))


def _check_authorities(path: Sequence[x509.Certificate], now: datetime) -> None:
    for each in path:
        if each.not_valid_after_utc <= now:
            raise Unusable("authority-expired", name=_shown(each), day=_day(each.not_valid_after_utc))


def _verify(leaf: x509.Certificate, path: Sequence[x509.Certificate], now: datetime) -> None:
    """Signatures, dates, lengths and constraints. What a leaf may be used for was looked at before."""
    basic = verification.ExtensionPolicy.permit_all().require_present(
        x509.BasicConstraints, verification.Criticality.AGNOSTIC, None
    )
    builder = (
        verification.PolicyBuilder()
        .store(verification.Store([path[-1]]))
        .time(now)
        .extension_policies(ca_policy=basic, ee_policy=verification.ExtensionPolicy.permit_all())
    )
    try:
        builder.build_client_verifier().verify(leaf, list(path[:-1]))
    except verification.VerificationError:
        raise Unusable("path", root=_shown(path[-1])) from None


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Name and signature; not the dates."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
