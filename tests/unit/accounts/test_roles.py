"""Who may do what, as journeys.md says it; `pytest -s` prints the table."""

import sys

import pytest

from bars_portal.accounts.permissions import ALL_PERMISSIONS, PERMISSIONS, Role, permissions_of_roles

BOOKS = {
    "directory.find_service",
    "bookings.search_slots",
    "bookings.book_slot",
    "bookings.cancel_booking",
    "bookings.rebook_booking",
    "bookings.view_sent_bookings",
}
OUTSIDE = "bookings.book_outside_time_frame"
ADMIN = "portal.open_admin"
AUDIT = "audit.view_auditevent"
PATIENT = "patients.view_patient"
MESSAGES = {"exchange.view_inboundmessage", "exchange.view_outboundmessage"}
SCHEDULES = {"bookings.add_schedule", "bookings.change_schedule", "bookings.change_slot"}
RECEIVED = {"referrals.view_received_referrals"}
SENT = {"referrals.view_sent_referrals"}
REFERS, REFERS_AS_CLINICIAN = {"referrals.send_request"}, {"referrals.send_clinical_request"}
WORKS, ANSWERS = {"referrals.work_case"}, {"referrals.answer_case"}
RECORDS = {"referrals.view_referral", "referrals.view_validationcase", "referrals.view_unmatchedreply"}

ESSENTIALS = [
    (
        Role.CLINICIAN,
        BOOKS | RECEIVED | SENT | REFERS | REFERS_AS_CLINICIAN | WORKS | ANSWERS | {OUTSIDE},
        {ADMIN, AUDIT} | MESSAGES | SCHEDULES | RECORDS,
    ),
    (
        Role.CLERK,
        BOOKS | RECEIVED | SENT | REFERS | WORKS,
        {OUTSIDE, ADMIN, AUDIT} | MESSAGES | SCHEDULES | RECORDS | REFERS_AS_CLINICIAN | ANSWERS,
    ),
    (
        Role.MANAGER,
        SCHEDULES | RECEIVED | RECORDS | {ADMIN, "bookings.view_diary"},
        {AUDIT, PATIENT, OUTSIDE} | MESSAGES | SENT | REFERS | WORKS | ANSWERS,
    ),
    (
        Role.ENGINEER,
        MESSAGES | {ADMIN},
        {AUDIT, PATIENT, "bookings.view_booking"} | BOOKS | SCHEDULES | RECEIVED | SENT | RECORDS | ANSWERS,
    ),
    (
        Role.AUDITOR,
        MESSAGES | RECEIVED | SENT | RECORDS | {ADMIN, AUDIT, PATIENT},
        {"bookings.book_slot", OUTSIDE} | SCHEDULES | WORKS | ANSWERS,
    ),
]


@pytest.mark.parametrize(("role", "may", "may_not"), ESSENTIALS)
def test_a_role_may_what_its_people_do_and_no_more(role: Role, may: set[str], may_not: set[str]) -> None:
    assert may <= PERMISSIONS[role]
    assert not may_not & PERMISSIONS[role]


def test_every_role_has_its_row() -> None:
    assert set(PERMISSIONS) == set(Role)
    for permission in sorted(ALL_PERMISSIONS):
        marks = "".join("x".rjust(11) if permission in PERMISSIONS[role] else ".".rjust(11) for role in Role)
        sys.stdout.write(f"{permission:42}{marks}\n")


def test_only_named_rooms_appear() -> None:
    rooms = {permission.partition(".")[0] for permission in ALL_PERMISSIONS}
    known = {"accounts", "audit", "bookings", "directory", "exchange", "patients", "portal", "referrals"}
    assert rooms <= known | {"api", "onboarding", "reports", "status"}


def test_an_auditor_changes_nothing() -> None:
    changing = {"add", "change", "delete", "book", "cancel", "rebook"}
    assert not [each for each in PERMISSIONS[Role.AUDITOR] if each.split(".")[1].split("_")[0] in changing]


def test_two_roles_add_up() -> None:
    both = permissions_of_roles([Role.CLERK, Role.MANAGER])
    assert both == PERMISSIONS[Role.CLERK] | PERMISSIONS[Role.MANAGER]
    assert permissions_of_roles([]) == frozenset()


@pytest.mark.parametrize("role", Role)
def test_a_role_has_a_label_in_words(role: Role) -> None:
    assert role.label[0].isupper()
