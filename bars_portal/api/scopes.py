"""What an application may be allowed, and what that lets it do: never more than people with a role may."""

from collections.abc import Iterable, Iterator
from enum import StrEnum

from bars_portal.accounts.acting import StatedPerson
from bars_portal.accounts.permissions import Role, permissions_of_roles


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
