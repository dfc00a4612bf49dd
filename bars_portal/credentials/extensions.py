"""The X.509 extensions of authorities and leaves (RFC 5280 section 4.2); Python 3.13 insists on them."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

Extension = tuple[x509.ExtensionType, bool]  # the extension and whether it is critical


def authority_extensions(path_length: int) -> list[Extension]:
    """`path_length` = how many authorities may follow below."""
    return [
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (_key_usage(signs_certificates=True), True),
    ]


def leaf_extensions(
    *, usage: x509.ObjectIdentifier, dns_names: Sequence[str], addresses: Sequence[IPv4Address | IPv6Address]
) -> list[Extension]:
    """`usage` is serverAuth or clientAuth."""
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in dns_names]
    names += [x509.IPAddress(address) for address in addresses]
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage([usage]), False),
        (x509.SubjectAlternativeName(names), False),
    ]


def link_extensions(public: EllipticCurvePublicKey, issuer: EllipticCurvePublicKey) -> list[Extension]:
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
