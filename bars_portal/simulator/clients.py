"""The registered applications: API key -> key id -> public key."""

from collections.abc import Mapping
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bars_portal.simulator.watched import WatchedFile

Keys = Mapping[str, RSAPublicKey]


class _NotRsaError(ValueError):
    """A registered key is no RSA public key."""


class ClientRegistry:
    """clients.json, read again when it changes.

    Shape: {"<api key>": {"<kid>": "<public key PEM, relative to the file>"}}.
    """

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._file: WatchedFile[Mapping[str, Keys]] = WatchedFile(path, parse=self._parse, empty={})

    def keys_of(self, api_key: str) -> Keys | None:
        """The application's public keys by kid; None when the API key is not registered."""
        return self._file.read().get(api_key)

    def _parse(self, content: bytes) -> Mapping[str, Keys]:
        loaded = orjson.loads(content)
        if not isinstance(loaded, dict) or not all(isinstance(kids, dict) for kids in loaded.values()):
            raise ValueError("clients.json must map API keys to key ids to files")
        return {
            api_key: {kid: self._public_key(path) for kid, path in kids.items()}
            for api_key, kids in loaded.items()
        }

    def _public_key(self, path: str) -> RSAPublicKey:
        key = load_pem_public_key((self._folder / path).read_bytes())
        if not isinstance(key, RSAPublicKey):
            raise _NotRsaError
        return key
