"""Who the issuer says that somebody is: claims of userinfo as our own type. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cis2Role:
    """One entry of `nhsid_nrbac_roles`: a role profile in one organisation."""

    profile_id: str
    ods_code: str
    name: str


@dataclass(frozen=True)
class Person:
    """`subject` is the CIS2 user id; `roles` only the selected one, when one was selected."""

    subject: str
    roles: tuple[Cis2Role, ...]

    @property
    def ods_codes(self) -> frozenset[str]:
        return frozenset(role.ods_code for role in self.roles)


def read_person(claims: Mapping[str, Any]) -> Person:
    """Anything that is not as CIS2 describes it counts as not said."""
    listed = claims.get("nhsid_nrbac_roles")
    roles = tuple(map(_role, filter(_is_role, listed))) if isinstance(listed, list) else ()
    selected = claims.get("selected_roleid")
    if selected:
        roles = tuple(role for role in roles if role.profile_id == selected)
    return Person(_text(claims.get("sub")), roles)


def _is_role(entry: object) -> bool:
    return isinstance(entry, dict) and bool(_text(entry.get("org_code")))


def _role(entry: Mapping[str, Any]) -> Cis2Role:
    return Cis2Role(
        _text(entry.get("person_roleid")), _text(entry["org_code"]).upper(), _text(entry.get("role_name"))
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
