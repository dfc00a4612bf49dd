"""What a laptop has of its own: certificates for everyone who meets there, and a sender's credentials.

The chain is shaped like the NHS one. File names are the operations contract of docs/ARCHITECTURE.md
(`var/pki/`); never for production. A sender has a signing key, its public half and an API key (standard
section 2).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509

from bars_portal.credentials.certificates import (
    CLIENT,
    SERVER,
    Freshness,
    Issued,
    LeafRecipe,
    chain_pem,
    follows,
    is_issued_by,
    new_intermediate,
    new_leaf,
    new_root,
    read_chain,
    read_issued,
)
from bars_portal.credentials.keys import (
    PUBLIC,
    SECRET,
    UnreadableKey,
    check_key_id,
    keep_mode,
    new_signing_key,
    private_folder,
    private_pem,
    public_pem,
    read_if_there,
    read_signing_key,
    write_whole,
)

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
