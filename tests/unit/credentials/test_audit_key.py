"""The key of the audit chain's heads: made once, kept private, and told from others."""

from pathlib import Path

import pytest

from bars_portal.credentials.keys import (
    UnreadableKey,
    ensure_audit_key,
    is_signed,
    name_of_key,
    new_tls_key,
    private_pem,
    read_audit_key,
    read_public_key,
)


def test_it_is_made_once_and_again_when_damaged(tmp_path: Path) -> None:
    file = ensure_audit_key(tmp_path)
    made = file.read_bytes()
    assert ensure_audit_key(tmp_path).read_bytes() == made
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_bytes(made[:40])
    assert ensure_audit_key(tmp_path).read_bytes() not in (made, made[:40])


def test_the_public_half_checks_what_was_signed(tmp_path: Path) -> None:
    key = read_audit_key(ensure_audit_key(tmp_path).read_bytes())
    public = read_public_key((tmp_path / "audit.public.pem").read_bytes())
    assert name_of_key(public) == name_of_key(key.public_key())
    signature = key.sign(b"head")
    assert is_signed(public, signature, b"head")
    assert not is_signed(public, signature, b"another head")


@pytest.mark.parametrize("pem", [b"", b"no key", private_pem(new_tls_key())])
def test_other_keys_are_refused(pem: bytes) -> None:
    for read in (read_audit_key, read_public_key):
        with pytest.raises(UnreadableKey):
            read(pem)
