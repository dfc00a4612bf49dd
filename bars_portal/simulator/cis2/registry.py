"""Who may use the issuer, and who the people are: cis2.json, read again when it changes.

Shape: {"clients": {"<client id>": {"keys": {"<kid>": "<public key PEM, relative to the file>"},
"redirect_uris": [], "post_logout_redirect_uris": [], "backchannel_logout_uri": ""}},
"people": [{"sub": "", "name": "", "given_name": "", "family_name": "", "roles": [{"person_roleid": "",
"org_code": "", "role_code": "", "role_name": ""}], "authentication_level": "3", "identity_level": "3"}]},
where the levels may be left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bars_portal.simulator.config import WatchedFile


@dataclass(frozen=True)
class Client:
    """A registered application; `keys` are public keys in PEM by key id."""

    client_id: str
    keys: Mapping[str, bytes]
    redirect_uris: frozenset[str]
    post_logout_redirect_uris: frozenset[str]
    backchannel_logout_uri: str


@dataclass(frozen=True)
class Person:
    """`roles` are entries of nhsid_nrbac_roles; the levels (0 to 3) say how sure the issuer is of them."""

    sub: str
    given_name: str
    family_name: str
    roles: tuple[Mapping[str, str], ...]
    authentication_level: str = "3"
    identity_level: str = "3"

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True)
class Registered:
    clients: Mapping[str, Client]
    people: Mapping[str, Person]


class Registry:
    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        empty = Registered({}, {})
        self._file: WatchedFile[Registered] = WatchedFile(path, parse=self._parse, empty=empty)

    def read(self) -> Registered:
        """Empty while there is no such file."""
        return self._file.read()

    def _parse(self, content: bytes) -> Registered:
        found: dict[str, Any] = orjson.loads(content)
        try:
            clients = {name: self._client(name, each) for name, each in found["clients"].items()}
            return Registered(clients, {each["sub"]: _person(each) for each in found["people"]})
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError("cis2.json is not as described above") from problem

    def _client(self, client_id: str, entry: Mapping[str, Any]) -> Client:
        return Client(
            client_id,
            {kid: (self._folder / file).read_bytes() for kid, file in entry["keys"].items()},
            frozenset(entry["redirect_uris"]),
            frozenset(entry.get("post_logout_redirect_uris", ())),
            entry.get("backchannel_logout_uri", ""),
        )


def _person(entry: Mapping[str, Any]) -> Person:
    return Person(
        entry["sub"],
        entry["given_name"],
        entry["family_name"],
        tuple(entry["roles"]),
        entry.get("authentication_level", "3"),
        entry.get("identity_level", "3"),
    )
