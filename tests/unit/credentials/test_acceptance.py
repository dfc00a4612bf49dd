"""Broken keys and certificates each get a sentence of their own; what is only untidy is put right."""

import quopri
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from math import gcd

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_curve_key
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateNumbers,
    RSAPublicNumbers,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
)
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs7,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.credentials.acceptance import Expected, accept, thumbprint
from bars_portal.credentials.environments import ENVIRONMENTS
from bars_portal.credentials.intake import SENTENCES, Unusable, read_certificates, read_key
from bars_portal.credentials.keys import new_request, private_pem, public_pem
from tests.factories.certificates import FQDN, NOW, Recipe, authority, leaf_recipe, pem, rsa_key

PASSWORD = "correct horse battery"
DAY = timedelta(days=1)
Made = Callable[[], bytes]


def chain(environment: str = "int") -> tuple[x509.Certificate, x509.Certificate]:
    return _chain(environment)


@cache
def _chain(environment: str) -> tuple[x509.Certificate, x509.Certificate]:
    return authority(environment)


@cache
def good() -> x509.Certificate:
    return leaf_recipe().make()


def whole() -> bytes:
    return pem(good(), *chain())


def with_chain(recipe: Recipe, environment: str = "int") -> bytes:
    return pem(recipe.make(), *chain(environment))


def expected(environment: str = "int", fqdn: str = FQDN, *, roots: bool = True) -> Expected:
    known = [thumbprint(chain(each)[-1]) for each in ("int", "prod")] if roots else []
    return Expected(ENVIRONMENTS[environment], fqdn, rsa_key("receiver").public_key(), known)


def packed(password: bytes, *, certificate: bool = True) -> bytes:
    protection = BestAvailableEncryption(password)
    return pkcs12.serialize_key_and_certificates(
        b"x", rsa_key("receiver"), good() if certificate else None, None, protection
    )


def curve_pem() -> bytes:
    return private_pem(new_curve_key(SECP256R1()))


def forged() -> bytes:
    issuer = ENVIRONMENTS["int"].chain.issuer.common_name
    root = ENVIRONMENTS["int"].chain.root.common_name
    other = Recipe(issuer, root, "another intermediate", "int root", is_authority=True)
    return pem(good(), other.make(), chain()[1])


def old_authority() -> bytes:
    return pem(good(), authority("int", begins=NOW - 9 * DAY, ends=NOW - DAY)[0], chain()[1])


def weakly_signed() -> bytes:
    """As one with SHA-1 reads: the library makes none any more, so the ids of the algorithm are changed."""
    der, sha256 = good().public_bytes(Encoding.DER), bytes.fromhex("2a864886f70d01010b")
    return der.replace(sha256, bytes.fromhex("2a864886f70d010105"))


# The fault, the environment that is asked, and how what is brought is made.
CERTIFICATES: list[tuple[str, str, Made]] = [
    ("empty", "int", lambda: b" \r\n"),
    ("too-large", "int", lambda: b"x" * 300_000),
    ("unreadable", "int", lambda: b"<html><body>Dear engineer, please find it attached.</body></html>"),
    ("unreadable", "int", lambda: b"\x30\x03\x02\x01\x01"),
    ("truncated", "int", lambda: whole()[:900]),
    ("damaged", "int", lambda: whole().replace(b"M", b"?", 3)),
    ("request-instead", "int", lambda: new_request(rsa_key("receiver"), FQDN)),
    ("key-instead", "int", lambda: private_pem(rsa_key("receiver")) + whole()),
    ("bundle-password", "int", lambda: packed(b"another password")),
    ("bundle-empty", "int", lambda: packed(PASSWORD.encode(), certificate=False)),
    ("chain-only", "int", lambda: pem(*chain())),
    ("wrong-key", "int", lambda: with_chain(leaf_recipe(key="somebody else's"))),
    ("self-signed", "int", lambda: pem(leaf_recipe(issuer=FQDN, signed_by="receiver").make())),
    ("wrong-environment", "prod", whole),
    ("wrong-environment", "int", lambda: with_chain(leaf_recipe("prod"), "prod")),
    ("unknown-authority", "int", lambda: with_chain(leaf_recipe(issuer="DigiCert Global Root CA"))),
    ("expired", "int", lambda: with_chain(leaf_recipe(begins=NOW - 9 * DAY, ends=NOW - DAY))),
    ("not-yet", "int", lambda: with_chain(leaf_recipe(begins=NOW + DAY))),
    ("weak-signature", "int", weakly_signed),
    ("no-common-name", "int", lambda: with_chain(leaf_recipe(name="", names=[FQDN]))),
    ("wildcard", "int", lambda: with_chain(leaf_recipe(name="*.MySupplier.thirdparty.nhs.uk"))),
    ("name-case", "int", lambda: with_chain(leaf_recipe(name=FQDN.replace("X26", "x26")))),
    ("wrong-name", "int", lambda: with_chain(leaf_recipe(name=FQDN.replace("X26", "Y99")))),
    ("missing-alternative", "int", lambda: with_chain(leaf_recipe(names=["elsewhere.nhs.uk"]))),
    (
        "not-for-servers",
        "int",
        lambda: with_chain(leaf_recipe(usages=[ExtendedKeyUsageOID.CLIENT_AUTH])),
    ),
    ("missing-intermediate", "int", lambda: pem(good())),
    ("missing-intermediate", "int", lambda: pem(good(), chain()[1])),
    ("swapped-intermediate", "int", lambda: pem(good(), chain("prod")[0], chain()[1])),
    ("forged-intermediate", "int", forged),
    ("missing-root", "int", lambda: pem(good(), chain()[0])),
    ("authority-expired", "int", old_authority),
]


@pytest.mark.parametrize(
    ("code", "environment", "made"), CERTIFICATES, ids=[f"{code}-{env}" for code, env, _ in CERTIFICATES]
)
def test_a_certificate_that_cannot_be_used_says_why_and_what_to_do(
    code: str, environment: str, made: Made
) -> None:
    with pytest.raises(Unusable) as refused:
        accept(read_certificates(made(), password=PASSWORD), expected(environment), now=NOW)
    assert refused.value.code == code, refused.value.sentence
    assert "{" not in refused.value.sentence


def test_a_root_that_nobody_compared_is_told_by_its_thumbprint() -> None:
    with pytest.raises(Unusable) as refused:
        accept(read_certificates(whole()), expected(roots=False), now=NOW)
    assert refused.value.code == "unknown-root"
    assert thumbprint(chain()[1]) in refused.value.sentence


def test_a_small_key_in_a_certificate_is_refused() -> None:
    small = rsa_key("small", 1024).public_key()
    made = pem(leaf_recipe().for_key(small), *chain())
    with pytest.raises(Unusable, match="has 1024 bits"):
        accept(read_certificates(made), Expected(ENVIRONMENTS["int"], FQDN, small), now=NOW)


# In parts: whole it looks like a key that was committed.
_LABEL = b"PRIVATE KEY"
_KEY_OF_NOTHING = b"-----BEGIN %b-----\nnothing\n-----END %b-----" % (_LABEL, _LABEL)
KEYS: list[tuple[str, Made]] = [
    ("empty", lambda: b""),
    ("key-password", lambda: protected(b"another")),
    ("key-public", lambda: public_pem(rsa_key("receiver").public_key())),
    ("key-certificate", whole),
    ("key-kind", curve_pem),
    ("key-small", lambda: private_pem(rsa_key("small", 1024))),
    ("key-unreadable", lambda: _KEY_OF_NOTHING),
]


def protected(password: bytes) -> bytes:
    key = rsa_key("receiver")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password))


@pytest.mark.parametrize(("code", "made"), KEYS, ids=[code for code, _ in KEYS])
def test_a_key_that_cannot_be_used_says_why_and_what_to_do(code: str, made: Made) -> None:
    with pytest.raises(Unusable) as refused:
        read_key(made(), password=PASSWORD, least_bits=2048)
    assert refused.value.code == code


def test_every_sentence_is_its_own_and_each_is_reached() -> None:
    tried = {code for code, *_ in CERTIFICATES} | {code for code, _ in KEYS}
    tried |= {"unknown-root", "weak-key"}
    assert len(set(SENTENCES.values())) == len(SENTENCES)
    # What only a path breaks that looks right: the verifier's own no, and a list where a certificate was due.
    assert set(SENTENCES) - tried == {"path", "crl-instead"}
    assert len(tried) >= 30


MAIL = "<html><body><p>Hello,</p><div>Your certificate:</div><pre>{}</pre><p>--<br>The desk</p></body></html>"
UNTIDY: dict[str, Made] = {
    "CRLF": lambda: whole().replace(b"\n", b"\r\n"),
    "byte order mark": lambda: b"\xef\xbb\xbf" + whole(),
    "UTF-16": lambda: whole().decode().encode("utf-16"),
    "wrong order": lambda: pem(*reversed((good(), *chain()))),
    "twice": lambda: whole() + pem(good()),
    "HTML mail": lambda: MAIL.format(whole().decode().replace("\n", "<br>\r\n")).encode(),
    "quoted-printable": lambda: quopri.encodestring(MAIL.format(whole().decode()).encode()),
    "quoted reply": lambda: b"".join(b"> " + line for line in whole().splitlines(keepends=True)),
    "long dashes": lambda: whole().decode().replace("-----", "\u2014\u2014-").encode(),
    "PKCS7": lambda: pkcs7.serialize_certificates([good(), *chain()], Encoding.DER),
    "PKCS7 text": lambda: pkcs7.serialize_certificates([good(), *chain()], Encoding.PEM),
    "PKCS12": lambda: pkcs12.serialize_key_and_certificates(
        b"x", rsa_key("receiver"), good(), chain(), BestAvailableEncryption(PASSWORD.encode())
    ),
}


@pytest.mark.parametrize("made", UNTIDY.values(), ids=UNTIDY.keys())
def test_what_is_only_untidy_is_taken(made: Made) -> None:
    accepted = accept(read_certificates(made(), password=PASSWORD), expected(), now=NOW)
    assert (accepted.leaf, accepted.path) == (good(), chain())
    assert accepted.presented == (good(), chain()[0])


def test_one_in_binary_form_or_without_its_frame_is_read_and_said_so() -> None:
    der = read_certificates(good().public_bytes(Encoding.DER))
    assert (der.certificates, der.notes) == ((good(),), ("It was in binary form (DER).",))
    bare = b"\r\n".join(pem(good()).splitlines()[1:-1])
    assert read_certificates(bare).certificates == (good(),)


def test_a_brought_key_opens_with_its_password() -> None:
    key = read_key(protected(PASSWORD.encode()), password=PASSWORD, least_bits=2048)
    assert key.private_numbers() == rsa_key("receiver").private_numbers()
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert read_key(der, least_bits=2048).key_size == 2048


def binary_keys() -> Iterator[bytes]:
    """The same two primes with one exponent after the other: keys that differ in most of their bytes."""
    known = rsa_key("receiver").private_numbers()
    p, q = known.p, known.q
    for exponent in range(65_537, 100_000, 2):
        if gcd(exponent, (p - 1) * (q - 1)) != 1:
            continue
        d = pow(exponent, -1, (p - 1) * (q - 1))
        public = RSAPublicNumbers(exponent, p * q)
        numbers = RSAPrivateNumbers(p, q, d, rsa_crt_dmp1(d, p), rsa_crt_dmq1(d, q), known.iqmp, public)
        key = numbers.private_key(unsafe_skip_rsa_key_validation=True)
        yield key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def test_a_binary_key_is_read_as_it_is() -> None:
    """What would be the end of a line in a text is part of its numbers: one key in fifty has it."""
    der = next(each for each in binary_keys() if b"\r\n" in each)
    assert read_key(der, least_bits=2048).key_size == 2048


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda each: whole()[:700] + each)))
def test_nothing_that_is_brought_breaks_the_reading(content: bytes) -> None:
    for read in (read_certificates, read_key):
        try:
            read(content)
        except Unusable as refused:
            assert refused.sentence
