"""A sender's own credentials on a laptop: signing key, its public half, API key (standard section 2)."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from bars_portal.credentials.files import (
    PUBLIC,
    SECRET,
    keep_mode,
    private_folder,
    read_if_there,
    write_whole,
)
from bars_portal.credentials.keys import (
    UnreadableKey,
    check_key_id,
    new_signing_key,
    private_pem,
    public_pem,
    read_signing_key,
)


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
