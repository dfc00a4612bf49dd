"""Who calls: an application with the scopes of its token, and the person whom it says that it acts for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bars_portal.accounts.acting import Acting, StatedPerson
from bars_portal.accounts.permissions import Role
from bars_portal.api.forms import RepeatedNames, Unreadable, read_json
from bars_portal.api.models import ApiToken, Application
from bars_portal.api.operations import STATABLE, Scope, known_scopes, permissions_for
from bars_portal.api.services import digest_of, note_use
from bars_portal.audit.actor import Actor
from bars_portal.nhsuk.forms.fields import has_control_characters

ACTING_USER = "X-Acting-User"
_LONGEST = {"name": 100, "system": 200, "value": 100}


@dataclass(frozen=True)
class Caller:
    """What a request is allowed follows from `acting`, as on every page; `scopes` are those of the token."""

    application: Application
    scopes: frozenset[Scope]
    acting: Acting

    @property
    def sees_patients(self) -> bool:
        return Scope.PATIENTS_READ in self.scopes


class Misstated(Exception):
    """X-Acting-User cannot be used; `sentence` says why, and quotes nothing of it."""

    def __init__(self, sentence: str, *, is_forbidden: bool = False) -> None:
        super().__init__(sentence)
        self.sentence, self.is_forbidden = sentence, is_forbidden


def caller_of_token(token: str, *, now: datetime) -> Caller | None:
    """None for a token that nobody has, that is over, or whose application is."""
    related = "application__organisation", "application__account"
    held = ApiToken.objects.select_related(*related).filter(digest=digest_of(token), expires_at__gt=now)
    found = held.first()
    if found is None or not found.application.is_usable(now):
        return None
    note_use(application=found.application, now=now)
    # What was taken from the application since counts at once.
    scopes = frozenset(known_scopes(found.scopes)) & frozenset(known_scopes(found.application.scopes))
    return caller(found.application, scopes)


def caller(application: Application, scopes: Iterable[Scope], stated: StatedPerson | None = None) -> Caller:
    held = frozenset(scopes)
    acting = Acting(
        user=application.account,
        organisation=application.organisation,
        roles=() if stated is None else (stated.role,),
        permissions=permissions_for(held, stated),
        actor=actor_of_application(application, stated),
        stated=stated,
    )
    return Caller(application, held, acting)


def for_person(known: Caller, header: str) -> Caller:
    """The same, on behalf of whom X-Acting-User names. Raises Misstated."""
    stated = read_stated_person(header)
    if stated.role.value not in known.application.roles:
        sentence = f"This application may not state the role {stated.role.value}."
        raise Misstated(sentence, is_forbidden=True)
    return caller(known.application, known.scopes, stated)


def actor_of_application(application: Application, stated: StatedPerson | None = None) -> Actor:
    """The application by its own name, with whom it acts for before it."""
    own = Actor(
        label=f"{application.name} (application)",
        user_id=application.account_id,
        organisation_id=application.organisation_id,
        application=str(application.pk),
    )
    if stated is None:
        return own
    asked_by = f"{stated.system}|{stated.value}"
    return replace(own, label=f"{stated.name}, through {own.label}"[:200], asked_by=asked_by)


def read_stated_person(header: str) -> StatedPerson:
    """X-Acting-User as JSON. Raises Misstated."""
    try:
        # Headers are Latin-1 on the wire: what was sent as UTF-8 is read as such.
        stated = read_json(header.encode("latin-1", "replace"))
    except RepeatedNames:
        raise Misstated(f"{ACTING_USER} has the same name twice.") from None
    except Unreadable:
        raise Misstated(f"{ACTING_USER} is not JSON.") from None
    if not isinstance(stated, dict):
        raise Misstated(f"{ACTING_USER} must be an object.")
    identifier = stated.get("identifier")
    if not isinstance(identifier, dict):
        raise Misstated(f"{ACTING_USER} must have identifier, an object with system and value.")
    if not isinstance(stated.get("clinical"), bool):
        raise Misstated(f"{ACTING_USER} must say in clinical, true or false, whether it is a clinician.")
    role = _role(stated.get("role"))
    if stated["clinical"] and role is not Role.CLINICIAN:
        raise Misstated(f"{ACTING_USER}: only the role clinician can be clinical.")
    return StatedPerson(
        name=_text(stated, "name"),
        system=_text(identifier, "system"),
        value=_text(identifier, "value"),
        role=role,
        is_clinical=stated["clinical"],
    )


def _role(value: object) -> Role:
    found = next((each for each in STATABLE if each.value == value), None)
    if found is None:
        raise Misstated(f"{ACTING_USER} must have a role: {' or '.join(each.value for each in STATABLE)}.")
    return found


def _text(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name)
    if not isinstance(value, str) or not value.strip() or has_control_characters(value):
        raise Misstated(f"{ACTING_USER} must have {name}, a text.")
    if len(value) > _LONGEST[name]:
        raise Misstated(f"{ACTING_USER}: {name} must be {_LONGEST[name]} characters or fewer.")
    return value.strip()
