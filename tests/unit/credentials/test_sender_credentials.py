"""The sender's own credentials: made once, kept, repaired when damaged."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bars_portal.credentials.keys import InvalidKeyId, new_tls_key, private_pem, public_pem, read_signing_key
from bars_portal.credentials.local_pki import SenderCredentials, ensure_sender_credentials

KEY_ID = "Demo-SIMULATOR-1"


@pytest.fixture
def made(tmp_path: Path) -> SenderCredentials:
    return ensure_sender_credentials(tmp_path, key_id=KEY_ID, bits=2048)


def test_public_file_is_the_public_half(made: SenderCredentials) -> None:
    private = read_signing_key(made.private_key_file.read_bytes())
    assert private.key_size == 2048
    assert load_pem_public_key(made.public_key_file.read_bytes()) == private.public_key()


def test_secrets_are_readable_by_their_owner_only(made: SenderCredentials) -> None:
    folder = made.private_key_file.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    assert made.private_key_file.stat().st_mode & 0o777 == 0o600
    assert (folder / "api-key").stat().st_mode & 0o777 == 0o600


def test_second_call_changes_nothing(made: SenderCredentials) -> None:
    folder = made.private_key_file.parent
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert ensure_sender_credentials(folder, key_id=KEY_ID, bits=2048) == made
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before


def test_api_key_is_random(made: SenderCredentials, tmp_path: Path) -> None:
    other = ensure_sender_credentials(tmp_path / "other", key_id=KEY_ID, bits=2048)
    assert len(made.api_key) >= 32
    assert other.api_key != made.api_key


def test_a_given_api_key_wins_and_stays(made: SenderCredentials) -> None:
    folder = made.private_key_file.parent
    given = ensure_sender_credentials(folder, key_id=KEY_ID, api_key="given-by-the-operator", bits=2048)
    assert given.api_key == "given-by-the-operator"
    assert ensure_sender_credentials(folder, key_id=KEY_ID, bits=2048).api_key == "given-by-the-operator"


@pytest.mark.parametrize("content", [b"", b"nonsense", private_pem(new_tls_key())])
def test_a_damaged_key_is_replaced_with_its_public_half(made: SenderCredentials, content: bytes) -> None:
    made.private_key_file.write_bytes(content)
    again = ensure_sender_credentials(made.private_key_file.parent, key_id=KEY_ID, bits=2048)
    private = read_signing_key(again.private_key_file.read_bytes())
    assert again.public_key_file.read_bytes() == public_pem(private.public_key())


def test_a_name_that_breaks_the_convention_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidKeyId):
        ensure_sender_credentials(tmp_path / "none", key_id="../escape-INT-1")
    assert not (tmp_path / "none").exists()
