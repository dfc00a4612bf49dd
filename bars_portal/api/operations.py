"""What the API offers, and to whom: scopes, and what an app says of each verb at each of its addresses.

Scopes give never more than people with a role may. Checks, table, OpenAPI and tests follow from operations.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from bars_portal.accounts.acting import StatedPerson
from bars_portal.accounts.permissions import Role, permissions_of_roles

Json = dict[str, Any]
# From the day that something is called deprecated to the day that it goes.
NOTICE = timedelta(days=180)
# By name: what $ref points at.
_COMPONENTS: dict[str, Json] = {}


class Scope(StrEnum):
    SERVICES_READ = "services:read"
    SLOTS_READ = "slots:read"
    BOOKINGS_READ = "bookings:read"
    BOOKINGS_WRITE = "bookings:write"
    REFERRALS_READ = "referrals:read"
    REFERRALS_WRITE = "referrals:write"
    WORKLIST_READ = "worklist:read"
    WORKLIST_WRITE = "worklist:write"
    PATIENTS_READ = "patients:read"
    WEBHOOKS_MANAGE = "webhooks:manage"

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Scope.SERVICES_READ: "Find services",
    Scope.SLOTS_READ: "Search for free slots",
    Scope.BOOKINGS_READ: "Read the bookings that the organisation sent",
    Scope.BOOKINGS_WRITE: "Book, cancel and rebook",
    Scope.REFERRALS_READ: "Read the referrals and validations that the organisation sent",
    Scope.REFERRALS_WRITE: "Refer, ask for validation, update and revoke, for a stated person",
    Scope.WORKLIST_READ: "Read what the organisation's services received",
    Scope.WORKLIST_WRITE: "Work on and answer received cases, for a stated person",
    Scope.PATIENTS_READ: "See patients' details with what else may be read",
    Scope.WEBHOOKS_MANAGE: "Manage webhooks",
}
# The permissions of people (accounts.permissions) that each scope gives.
_PERMISSIONS: dict[Scope, frozenset[str]] = {
    Scope.SERVICES_READ: frozenset({"directory.find_service"}),
    Scope.SLOTS_READ: frozenset({"bookings.search_slots"}),
    Scope.BOOKINGS_READ: frozenset({"bookings.view_sent_bookings"}),
    Scope.BOOKINGS_WRITE: frozenset(
        {
            "bookings.book_slot",
            "bookings.cancel_booking",
            "bookings.rebook_booking",
            "bookings.book_outside_time_frame",
            # Whoever writes is answered with what became of it.
            "bookings.view_sent_bookings",
        }
    ),
    Scope.REFERRALS_READ: frozenset({"referrals.view_sent_referrals"}),
    Scope.REFERRALS_WRITE: frozenset(
        {
            "referrals.send_request",
            "referrals.send_clinical_request",
            # The same.
            "referrals.view_sent_referrals",
        }
    ),
    Scope.WORKLIST_READ: frozenset({"referrals.view_received_referrals", "bookings.view_received_bookings"}),
    Scope.WORKLIST_WRITE: frozenset(
        {"referrals.work_case", "referrals.answer_case", "referrals.view_received_referrals"}
    ),
    Scope.PATIENTS_READ: frozenset(),
    Scope.WEBHOOKS_MANAGE: frozenset(),
}
# What weighs so much that a person has to answer for it, and what of it only a clinician may.
FOR_CLINICIANS = frozenset(
    {
        "bookings.book_outside_time_frame",
        "referrals.send_clinical_request",
        "referrals.answer_case",
    }
)
FOR_PEOPLE = FOR_CLINICIANS | {"referrals.send_request", "referrals.work_case"}
# Roles that an application can be let state: those of people who work with patients.
STATABLE = (Role.CLINICIAN, Role.CLERK)


def permissions_for(scopes: Iterable[Scope], stated: StatedPerson | None) -> frozenset[str]:
    """The smaller of what the scopes give and what the stated person's role does."""
    given = frozenset().union(*(_PERMISSIONS[each] for each in scopes))
    if stated is None:
        return given - FOR_PEOPLE
    given &= permissions_of_roles([stated.role])
    return given if stated.is_clinical else given - FOR_CLINICIANS


def known_scopes(names: Iterable[str]) -> Iterator[Scope]:
    """Those that exist: a row may name one of a later version."""
    known = {each.value: each for each in Scope}
    yield from (known[name] for name in names if name in known)


@dataclass(frozen=True)
class Component:
    """A schema of the OpenAPI document that others point at."""

    name: str

    @property
    def ref(self) -> Json:
        return {"$ref": f"#/components/schemas/{self.name}"}

    @property
    def schema(self) -> Json:
        return _COMPONENTS[self.name]


def component(name: str, schema: Json) -> Component:
    """Registers it. Raises ValueError when the name is taken: two apps would speak of two things."""
    if name in _COMPONENTS:
        raise ValueError(f"There is a component {name} already.")
    _COMPONENTS[name] = schema
    return Component(name)


def components() -> Mapping[str, Json]:
    return dict(sorted(_COMPONENTS.items()))


def object_of(properties: Mapping[str, Json], *, required: tuple[str, ...] | None = None) -> Json:
    """An object that has nothing else; all of it is always there unless `required` says less."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties if required is None else required),
        "additionalProperties": False,
    }


def text(description: str = "", **more: Any) -> Json:
    return {"type": "string", **({"description": description} if description else {}), **more}


def moment(description: str = "") -> Json:
    return text(description, format="date-time")


def optional(schema: Json) -> Json:
    """The same, or null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


@dataclass(frozen=True)
class Deprecation:
    """Of an operation, or of a field that is sent or comes back. `instead`: what to use, in a sentence.

    Served until `ends`, at least NOTICE after `since` (docs/api/changes.md). Raises ValueError.
    """

    since: date
    ends: date
    instead: str

    def __post_init__(self) -> None:
        if self.ends < self.since + NOTICE:
            raise ValueError(f"Callers have {NOTICE.days} days to change.")

    @property
    def sentence(self) -> str:
        return f"Deprecated since {self.since:%-d %B %Y}, served until {self.ends:%-d %B %Y}. {self.instead}"


def deprecated(schema: Json, deprecation: Deprecation) -> Json:
    """A property, or the schema of a parameter, that goes: every operation that has it says so in headers."""
    words = f"{deprecation.sentence} {schema.get('description', '')}".strip()
    dates = {"since": deprecation.since.isoformat(), "ends": deprecation.ends.isoformat()}
    told = {**dates, "instead": deprecation.instead}
    return {**schema, "description": words, "deprecated": True, "x-deprecated": told}


def _deprecations_in(part: object, known: set[str]) -> Iterator[Deprecation]:
    """Anywhere below, also in what is named there; `known`: names that were looked into."""
    if isinstance(part, list):
        for each in part:
            yield from _deprecations_in(each, known)
    if not isinstance(part, dict):
        return
    told, name = part.get("x-deprecated"), str(part.get("$ref", "")).rpartition("/")[2]
    if told is not None:
        since, ends = (date.fromisoformat(told[each]) for each in ("since", "ends"))
        yield Deprecation(since, ends, told["instead"])
    if name and name not in known:
        known.add(name)
        yield from _deprecations_in(_COMPONENTS.get(name), known)
    for each in part.values():
        yield from _deprecations_in(each, known)


@dataclass(frozen=True)
class Parameter:
    """One of the address's query. `repeats`: it may be there several times."""

    name: str
    schema: Json
    description: str = ""
    is_required: bool = False
    repeats: bool = False


@dataclass(frozen=True)
class Operation:
    """One verb at one address. `scope` None: any token will do.

    `answers`: status -> what it holds. `problems`: names of bars_portal.api.problems beside those that
    every operation has. `is_keyed`: it needs an Idempotency-Key. `takes_wait`: Prefer: wait=n. `needs_match`:
    nothing is done without If-Match. `media`: of the answer, where it is no JSON of ours.
    """

    id: str
    summary: str
    scope: Scope | None
    answers: Mapping[int, Component]
    description: str = ""
    query: tuple[Parameter, ...] = ()
    body: Component | None = None
    example: Json | None = None
    problems: tuple[str, ...] = ()
    is_keyed: bool = False
    is_conditional: bool = False
    takes_wait: bool = False
    needs_match: bool = False
    media: str = "application/json"
    tag: str = field(default="")
    deprecation: Deprecation | None = None

    @cached_property
    def deprecations(self) -> tuple[Deprecation, ...]:
        """Its own, and those of what it takes and gives."""
        bodies = (*self.answers.values(), *([self.body] if self.body else []))
        parts = [*(each.ref for each in bodies), *(each.schema for each in self.query)]
        own = [self.deprecation] if self.deprecation else []
        return (*own, *_deprecations_in(parts, set()))

    @property
    def all_problems(self) -> tuple[str, ...]:
        found = ["unusable-request", "not-authenticated", "not-allowed", "not-acceptable"]
        found += ["too-many-requests", "failed", "unavailable"]
        if self.scope is not None:
            found.append("scope-missing")
        if self.body is not None:
            found += ["too-large", "unsupported-media-type", "invalid-fields"]
        if self.is_keyed:
            found += ["idempotency-key-missing", "key-reused", "still-running"]
        if self.is_conditional:
            found.append("precondition-failed")
        if self.needs_match:
            found.append("if-match-missing")
        return tuple(dict.fromkeys([*found, *self.problems]))
