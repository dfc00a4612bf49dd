"""The local PKI: what the files say, that both sides of TLS accept them, and when they are renewed."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bars_portal.credentials.local_pki import PkiFiles, ensure_local_pki

# TLS itself reads the real clock, so certificates must hold today.
NOW = datetime.now(UTC).replace(microsecond=0)
LEAVES = ("receiver", "proxy-client", "stranger-client", "wrong-name-client")
Snapshot = dict[str, tuple[bytes, int]]


@pytest.fixture
def files(tmp_path: Path) -> PkiFiles:
    return ensure_local_pki(tmp_path / "pki", now=NOW)


def snapshot(files: PkiFiles) -> Snapshot:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in files.directory.iterdir()}


def changed(before: Snapshot, after: Snapshot) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def leaf(files: PkiFiles, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificates(files.certificate(name).read_bytes())[0]


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """Both sides of one TLS handshake over memory; returns the server's side."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(6):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return sides[1]


def strict(purpose: ssl.Purpose, files: PkiFiles, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(purpose, cafile=str(files.ca_chain))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(files.certificate(name), files.key(name))
    return context


def test_files_are_those_of_the_operations_contract(files: PkiFiles) -> None:
    leaves = {f"{name}{suffix}" for name in LEAVES for suffix in (".pem", ".key")}
    assert {path.name for path in files.directory.iterdir()} == {"ca-chain.pem", "ca.key", *leaves}


def test_keys_are_readable_by_their_owner_only(files: PkiFiles) -> None:
    assert files.directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in files.directory.glob("*.key")} == {0o600}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_both_sides_accept_each_other_strictly(files: PkiFiles, host: str) -> None:
    side = handshake(
        strict(ssl.Purpose.CLIENT_AUTH, files, "receiver"),
        strict(ssl.Purpose.SERVER_AUTH, files, "proxy-client"),
        host,
    )
    certificate = side.getpeercert()
    assert certificate is not None
    assert certificate["subject"] == ((("commonName", "int.api.service.nhs.uk"),),)
    assert certificate["subjectAltName"] == (("DNS", "int.api.service.nhs.uk"),)


def test_wrong_name_has_the_right_chain(files: PkiFiles) -> None:
    side = handshake(
        strict(ssl.Purpose.CLIENT_AUTH, files, "receiver"),
        strict(ssl.Purpose.SERVER_AUTH, files, "wrong-name-client"),
        "localhost",
    )
    certificate = side.getpeercert()
    assert certificate is not None
    assert certificate["subject"] == ((("commonName", "wrong.example.nhs.uk"),),)


@pytest.mark.parametrize("name", ["stranger-client", "receiver"])
def test_stranger_and_server_certificate_are_no_clients(files: PkiFiles, name: str) -> None:
    server = strict(ssl.Purpose.CLIENT_AUTH, files, "receiver")
    client = strict(ssl.Purpose.SERVER_AUTH, files, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, client, "localhost")


def test_stranger_differs_from_the_proxy_by_its_chain_only(files: PkiFiles) -> None:
    stranger, proxy = leaf(files, "stranger-client"), leaf(files, "proxy-client")
    assert stranger.subject == proxy.subject
    assert stranger.issuer != proxy.issuer


def test_chain_is_shaped_like_the_nhs_one(files: PkiFiles) -> None:
    root, intermediate = x509.load_pem_x509_certificates(files.ca_chain.read_bytes())
    root.verify_directly_issued_by(root)
    intermediate.verify_directly_issued_by(root)
    lengths = [
        each.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
        for each in (root, intermediate)
    ]
    assert lengths == [1, 0]
    usage = intermediate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert not usage.value.digital_signature


@pytest.mark.parametrize(
    ("name", "usage"),
    [("receiver", ExtendedKeyUsageOID.SERVER_AUTH), ("proxy-client", ExtendedKeyUsageOID.CLIENT_AUTH)],
)
def test_leaves_say_what_they_are_for(files: PkiFiles, name: str, usage: x509.ObjectIdentifier) -> None:
    extensions = leaf(files, name).extensions
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [usage]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_second_call_changes_nothing(files: PkiFiles) -> None:
    before = snapshot(files)
    ensure_local_pki(files.directory, now=NOW + timedelta(days=1))
    assert snapshot(files) == before


def test_leaves_are_renewed_near_their_end_under_the_same_authority(files: PkiFiles) -> None:
    before, later = snapshot(files), NOW + timedelta(days=340)
    ensure_local_pki(files.directory, now=later)
    assert changed(before, snapshot(files)) == before.keys() - {"ca-chain.pem", "ca.key"}
    assert leaf(files, "receiver").not_valid_after_utc == later + timedelta(days=365)


def test_everything_is_renewed_near_the_end_of_the_authority(files: PkiFiles) -> None:
    before = snapshot(files)
    ensure_local_pki(files.directory, now=NOW + timedelta(days=1800))
    assert changed(before, snapshot(files)) == before.keys()


def test_margin_of_renewal_is_the_callers(files: PkiFiles) -> None:
    before = snapshot(files)
    ensure_local_pki(files.directory, now=NOW, renew_within=timedelta(days=364))
    assert snapshot(files) == before
    ensure_local_pki(files.directory, now=NOW, renew_within=timedelta(days=365))
    assert "receiver.pem" in changed(before, snapshot(files))


def swap_key(files: PkiFiles) -> None:
    files.key("receiver").write_bytes(files.key("proxy-client").read_bytes())


def delete_key(files: PkiFiles) -> None:
    files.key("receiver").unlink()


def damage_certificate(files: PkiFiles) -> None:
    files.certificate("receiver").write_bytes(b"-----BEGIN CERTIFICATE-----\nnonsense\n")


def empty_certificate(files: PkiFiles) -> None:
    files.certificate("receiver").write_bytes(b"")


def drop_intermediate(files: PkiFiles) -> None:
    first, mark, _ = files.certificate("receiver").read_text().partition("-----END CERTIFICATE-----\n")
    files.certificate("receiver").write_text(first + mark)


def use_another_name(files: PkiFiles) -> None:
    for path in (files.certificate, files.key):
        path("receiver").write_bytes(path("proxy-client").read_bytes())


@pytest.mark.parametrize(
    "harm", [swap_key, delete_key, damage_certificate, empty_certificate, drop_intermediate, use_another_name]
)
def test_a_harmed_leaf_alone_is_made_anew(files: PkiFiles, harm: Callable[[PkiFiles], None]) -> None:
    before = snapshot(files)
    harm(files)
    ensure_local_pki(files.directory, now=NOW)
    assert changed(before, snapshot(files)) == {"receiver.pem", "receiver.key"}
    test_both_sides_accept_each_other_strictly(files, "localhost")


@pytest.mark.parametrize("name", ["ca-chain.pem", "ca.key"])
@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_a_harmed_authority_takes_its_leaves_along(files: PkiFiles, name: str, content: bytes | None) -> None:
    before, victim = snapshot(files), files.directory / name
    victim.unlink() if content is None else victim.write_bytes(content)
    ensure_local_pki(files.directory, now=NOW)
    kept = {"stranger-client.pem", "stranger-client.key"}
    assert changed(before, snapshot(files)) == before.keys() - kept


def test_a_stranger_of_our_own_chain_is_replaced(files: PkiFiles) -> None:
    for path in (files.certificate, files.key):
        path("stranger-client").write_bytes(path("proxy-client").read_bytes())
    ensure_local_pki(files.directory, now=NOW)
    test_stranger_and_server_certificate_are_no_clients(files, "stranger-client")


def test_wide_modes_are_tightened(files: PkiFiles) -> None:
    files.directory.chmod(0o755)
    for path in files.directory.glob("*.key"):
        path.chmod(0o644)
    ensure_local_pki(files.directory, now=NOW)
    test_keys_are_readable_by_their_owner_only(files)


def test_no_temporary_file_stays(files: PkiFiles) -> None:
    assert not [path for path in files.directory.iterdir() if path.name.startswith(".")]


def test_common_name_is_the_only_subject_part(files: PkiFiles) -> None:
    assert [name.oid for name in leaf(files, "receiver").subject] == [NameOID.COMMON_NAME]
