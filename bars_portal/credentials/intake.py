"""Certificates and keys as people bring them: files of any form, and what was pasted out of a mail.

What can be wrong with one is told in a sentence, or two: what is wrong, then what to do about it. Names of
certificates may stand in it, content never.
"""

import base64
import binascii
import html
import quopri
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_pem_private_key,
    load_pem_public_key,
    pkcs7,
    pkcs12,
)

SENTENCES: Mapping[str, str] = {
    # What was pasted or uploaded.
    "empty": "Nothing was given. Choose the file, or paste its text.",
    "too-large": (
        "It is larger than any certificate or key. Give the certificate alone, without other attachments."
    ),
    "unreadable": (
        "No certificate was found in it. Paste the text between BEGIN CERTIFICATE and END CERTIFICATE, or"
        " choose the file as it was sent."
    ),
    "truncated": "The text ends before END CERTIFICATE. Copy it again, to its last line.",
    "damaged": "The text between BEGIN and END is damaged. Copy it again from the original mail or file.",
    "request-instead": (
        "This is a certificate request (CSR), what goes to the issuing desk. Give the certificate that "
        "the desk sent back."
    ),
    "key-instead": (
        "A private key was given with the certificate. It was not kept. Give the certificate without it, "
        "and make a new key if anybody else may have seen this one."
    ),
    "crl-instead": "This is a revocation list. Give the certificate that the issuing desk sent.",
    "bundle-password": (
        "The PKCS12 file opens with a password only, and none or a wrong one was given. Give the password"
        " that it was made with."
    ),
    "bundle-empty": "The PKCS12 file holds no certificate. Ask whoever made it to include it.",
    # A key that was brought.
    "key-password": (
        "The key is protected by a password, and none or a wrong one was given. Give the password of the key."
    ),
    "key-unreadable": "No private key was found in it. Give the PEM file of the key.",
    "key-public": "This is a public key. Give the private key, which is kept here and sent to nobody.",
    "key-certificate": "This is a certificate, not a key. Give the private key that belongs to it.",
    "key-kind": "This is no RSA key, and tokens are signed with RSA. Make an RSA key of 4096 bits.",
    "key-small": "The key has {bits} bits. Make one of at least {least} bits.",
    # The certificate itself.
    "chain-only": (
        "Only certificates of authorities were given ({names}). Give the certificate of the receiver too."
    ),
    "wrong-key": (
        "The certificate of {name} belongs to another key than the one kept here. Ask for a certificate "
        "for the request that was made here, or bring the key that it was made with."
    ),
    "self-signed": (
        "The certificate of {name} signed itself. Ask {issuer_desk} for one: partners trust no other."
    ),
    "wrong-environment": (
        "The certificate was issued by {issuer}, for {found}. This is {wanted}: ask for one there."
    ),
    "unknown-authority": (
        "The certificate was issued by {issuer}, which is no authority of {wanted}. Ask {issuer_desk} for"
        " one."
    ),
    "expired": "The certificate of {name} expired on {day}. Ask for a new one, with a new request.",
    "not-yet": (
        "The certificate of {name} is valid from {day} only. Check this machine's clock, or wait until then."
    ),
    "weak-signature": (
        "The certificate of {name} is signed with {algorithm}, which partners refuse. Ask for one with "
        "SHA-256."
    ),
    "weak-key": (
        "The key in the certificate of {name} has {bits} bits, which partners refuse. Make a new key of "
        "at least 2048 bits and a new request."
    ),
    "no-common-name": (
        "The certificate has no common name: it was issued without one. Ask for one whose common name is "
        "{wanted}."
    ),
    "wildcard": "The certificate is for {name}, a wildcard. Ask for one whose common name is {wanted}.",
    "name-case": (
        "The certificate is for {name}, and the name is {wanted}: the ODS code stands in capitals. Ask "
        "for one with the name as requested."
    ),
    "wrong-name": (
        "The certificate is for {name}, and this receiver is {wanted}. Ask for one with that name, or "
        "choose the other name here first."
    ),
    "missing-alternative": (
        "The certificate names others ({names}) beside its common name, and not {wanted}: clients would "
        "refuse it. Ask for one that names {wanted}."
    ),
    "not-for-servers": (
        "The certificate of {name} may not be used by a server. Ask for one for servers and clients."
    ),
    # Its path.
    "missing-intermediate": (
        "{issuer} signed the certificate, and its own certificate is missing. Add it: {issuer_desk} sends"
        " it with the certificate, and the guide links to it."
    ),
    "swapped-intermediate": (
        "{issuer} signed the certificate; what came with it is of others ({names}). Replace them by that "
        "of {issuer}."
    ),
    "forged-intermediate": (
        "There is a certificate of {issuer} in it, but not of the one that signed. Take {issuer} from "
        "where the guide links to it."
    ),
    "missing-root": "The root, {root}, is missing. Add its certificate, from where the guide links to it.",
    "unknown-root": (
        "The path ends at {root}, with the SHA-1 thumbprint {thumbprint}, which is not the published one."
        " Compare it with what the NHS publishes, and give that thumbprint here if it is newer."
    ),
    "authority-expired": (
        "{name}, an authority of the path, expired on {day}. Take its current certificate from where the "
        "guide links to it."
    ),
    "path": (
        "No path leads from the certificate to {root}. Give the receiver's certificate, then that of who "
        "signed it, then the root."
    ),
}


class Unusable(ValueError):
    """`code` is a key of SENTENCES; `sentence` is for the person who brought it."""

    def __init__(self, code: str, **words: object) -> None:
        self.code = code
        self.sentence = SENTENCES[code].format(**words)
        super().__init__(self.sentence)


MOST_BYTES = 200_000
_LINE = 64
_BEGIN = re.compile(
    r"-*[ \t]*BEGIN ([A-Z0-9 ]*?[A-Z0-9])[ \t]*-+|-+[ \t]*BEGIN ([A-Z0-9 ]*?[A-Z0-9])[ \t]*(?=\n)"
)
_MARKUP = re.compile(r"<(?:/?[a-zA-Z!][^<>]*)>")
_KEYS = frozenset(
    {"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"}
)
_REQUESTS = frozenset({"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"})


@dataclass(frozen=True)
class Brought:
    """Certificates in the order of the file, none twice; `notes` say what was put right in reading them."""

    certificates: tuple[x509.Certificate, ...]
    notes: tuple[str, ...] = ()


def read_certificates(content: bytes, *, password: str = "") -> Brought:
    """PEM, DER, PKCS7 or PKCS12, with or without its frame, in a mail or alone. Raises Unusable.

    A private key in text is refused; one inside a PKCS12 file is not looked at.
    """
    if not content.strip():
        raise Unusable("empty")
    if len(content) > MOST_BYTES:
        raise Unusable("too-large")
    if content[:1] == b"\x30":
        return _unique(*_read_der(content, password), note="It was in binary form (DER).")
    text, notes = _plain(content)
    blocks = list(_blocks(text))
    if not blocks:
        found = _read_bare(text, password)
        return _unique(found, [*notes, "It had no BEGIN and END lines."])
    labels = {label for label, _ in blocks}
    if labels & _KEYS:
        raise Unusable("key-instead")
    certificates: list[x509.Certificate] = []
    for label, body in blocks:
        if label in {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}:
            certificates += _certificates_of(_decoded(body))
        elif label in {"PKCS7", "CMS"}:
            certificates += _pkcs7(_decoded(body)) or []
    if certificates:
        return _unique(certificates, notes)
    if labels & _REQUESTS:
        raise Unusable("request-instead")
    raise Unusable("crl-instead" if "X509 CRL" in labels else "unreadable")


def read_key(content: bytes, *, password: str = "", least_bits: int = 4096) -> RSAPrivateKey:
    """An RSA key that was brought, PEM or DER. Raises Unusable."""
    if not content.strip():
        raise Unusable("empty")
    secret = password.encode() or None
    try:
        key = _load_key(content, secret)
    except (TypeError, ValueError, UnsupportedAlgorithm) as problem:
        raise Unusable(_why_no_key(content, problem)) from None
    if not isinstance(key, RSAPrivateKey):
        raise Unusable("key-kind")
    if key.key_size < least_bits:
        raise Unusable("key-small", bits=key.key_size, least=least_bits)
    return key


def _load_key(content: bytes, secret: bytes | None) -> object:
    if content[:1] == b"\x30":
        return load_der_private_key(content, secret)
    text = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").strip()
    # One that needs none is not refused for a password that was typed for it.
    return load_pem_private_key(text, secret if b"ENCRYPTED" in text else None)


def _why_no_key(content: bytes, problem: Exception) -> str:
    if b"ENCRYPTED" in content or isinstance(problem, TypeError):
        return "key-password"
    if b"BEGIN CERTIFICATE" in content:
        return "key-certificate"
    with suppress(ValueError, UnsupportedAlgorithm):
        load_pem_public_key(content.strip())
        return "key-public"
    return "key-unreadable"


def _plain(content: bytes) -> tuple[str, list[str]]:
    """As text with line feeds, without markup and marks of quoting; and what that took."""
    notes: list[str] = []
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        notes.append("It began with a byte order mark, which was left out.")
    if b"=3D" in content and b"=\n" in content.replace(b"\r\n", b"\n"):
        content = quopri.decodestring(content)
    text = content.decode(encoding, errors="replace")
    if "\r" in text:
        notes.append("Its Windows line ends were changed.")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _MARKUP.search(text):
        notes.append("It was taken out of an HTML mail.")
        text = html.unescape(_MARKUP.sub("\n", text))
    # Mail programs make one long dash of two, and begin quoted lines with a sign.
    text = re.sub("[\u2013\u2014]", "--", text.replace("\u00a0", " "))
    return re.sub(r"^[ \t]*(>[ \t]?)+", "", text, flags=re.MULTILINE), notes


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Label and body of each frame. Raises Unusable for one without its end."""
    at = 0
    while begin := _BEGIN.search(text, at):
        label = begin[1] or begin[2]
        end = re.compile(rf"-*[ \t]*END {label}\b-*").search(text, begin.end())
        following = _BEGIN.search(text, begin.end())
        if end is None or (following and following.start() < end.start()):
            raise Unusable("truncated")
        yield label, text[begin.end() : end.start()]
        at = end.end()


def _decoded(body: str) -> bytes:
    try:
        return base64.b64decode("".join(body.split()).strip("-"), validate=True)
    except (binascii.Error, ValueError):
        raise Unusable("damaged") from None


def _certificates_of(der: bytes) -> list[x509.Certificate]:
    try:
        return [x509.load_der_x509_certificate(der)]
    except ValueError:
        raise Unusable("damaged") from None


def _read_bare(text: str, password: str) -> list[x509.Certificate]:
    """Lines of base64 with nothing around them."""
    joined = "".join(text.split())
    if len(joined) < _LINE or not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", joined):
        raise Unusable("unreadable")
    try:
        return _read_der(_decoded(joined), password)[0]
    except Unusable as problem:
        if problem.code == "unreadable":
            raise Unusable("damaged") from None
        raise


def _read_der(der: bytes, password: str) -> tuple[list[x509.Certificate], list[str]]:
    with suppress(ValueError):
        return [x509.load_der_x509_certificate(der)], []
    if found := _pkcs7(der):
        return found, ["It came as PKCS7."]
    with suppress(ValueError):
        x509.load_der_x509_csr(der)
        raise Unusable("request-instead")
    with suppress(ValueError):
        x509.load_der_x509_crl(der)
        raise Unusable("crl-instead")
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        load_der_private_key(der, None)
        raise Unusable("key-instead")
    return _pkcs12(der, password), ["It came as PKCS12; the key in it was not taken."]


def _pkcs7(der: bytes) -> list[x509.Certificate] | None:
    try:
        return list(pkcs7.load_der_pkcs7_certificates(der))
    except (ValueError, UnsupportedAlgorithm):
        return None


# In the bytes of every PKCS12 file: the id of its data content, 1.2.840.113549.1.7.1.
_DATA_ID = bytes.fromhex("06092a864886f70d010701")


def _pkcs12(der: bytes, password: str) -> list[x509.Certificate]:
    try:
        _key, leaf, others = pkcs12.load_key_and_certificates(der, password.encode() or None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Unusable("bundle-password" if _DATA_ID in der[:64] else "unreadable") from None
    if leaf is None and not others:
        raise Unusable("bundle-empty")
    return [*([leaf] if leaf else []), *others]


def _unique(certificates: list[x509.Certificate], notes: list[str], note: str = "") -> Brought:
    found = tuple(dict.fromkeys(certificates))
    return Brought(found, (*([note] if note else []), *notes))
