"""Who may sign in at the simulator's mock CIS2 issuer, and for which application."""

from collections.abc import Iterator, Mapping
from typing import Any

from bars_portal.demo import facts
from bars_portal.demo.ports import Ports

_ROLES = {
    "clinician": ("R8000", "Clinical Practitioner Access Role"),
    "clerk": ("R8010", "Clerical Access Role"),
    "manager": ("R8006", "Admin/Clinical Support Access Role"),
    "engineer": ("R8015", "Systems Support Access Role"),
    "auditor": ("R8008", "Privacy Officer Access Role"),
}


def cis2_registration(ports: Ports, *, keys: Mapping[str, str]) -> dict[str, Any]:
    """The content of cis2.json; `keys` are files of public keys by key id, relative to it."""
    # People type either name of this machine, and a redirect address is compared letter by letter.
    portals = [f"http://{host}:{ports.portal}" for host in ("127.0.0.1", "localhost")]
    client = {
        "keys": dict(keys),
        "redirect_uris": [f"{portal}/accounts/cis2/callback/" for portal in portals],
        "post_logout_redirect_uris": [f"{portal}/accounts/sign-in/" for portal in portals],
        "backchannel_logout_uri": f"{portals[0]}/accounts/cis2/logout/",
    }
    return {"clients": {facts.CIS2_CLIENT_ID: client}, "people": list(_people())}


def _people() -> Iterator[dict[str, Any]]:
    for number, user in enumerate(facts.USERS, start=1):
        code, name = _ROLES[user.role]
        # One role elsewhere, to see what the portal says to it.
        places = (*user.ods_codes, "Z9999")
        roles = [
            {
                "person_roleid": f"5550{number:04}{place:02}",
                "org_code": ods,
                "role_code": code,
                "role_name": name,
            }
            for place, ods in enumerate(places)
        ]
        yield _person(user.cis2_subject, user.first_name, user.last_name, roles)
    stranger = {
        **{"person_roleid": "555099990000", "org_code": facts.SENDER_ODS},
        **{"role_code": "R8000", "role_name": "Clinical Practitioner Access Role"},
    }
    yield _person("demo-stranger", *facts.CIS2_STRANGER, [stranger])


def _person(sub: str, given: str, family: str, roles: list[dict[str, str]]) -> dict[str, Any]:
    return {"sub": sub, "given_name": given, "family_name": family, "roles": roles}
