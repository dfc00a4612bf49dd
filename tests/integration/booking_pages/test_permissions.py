"""Who may open which booking page, as one table; other people's and other organisations' are not found."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bookings.models import Booking
from tests.factories.accounts import make_acting, make_organisation
from tests.integration.booking_pages.conftest import ANSWERS, Office, client_of, row_counts
from tests.profiles import daily

BOOKERS = {Role.CLINICIAN, Role.CLERK}
# Page, method, and the roles that get past the door.
TABLE: list[tuple[str, str, set[Role]]] = [
    ("list", "get", BOOKERS | {Role.AUDITOR}),
    ("slots", "get", BOOKERS),
    ("slots", "post", BOOKERS),
    ("patient", "get", BOOKERS),
    ("patient", "post", BOOKERS),
    ("check", "get", BOOKERS),
    ("check", "post", BOOKERS),
    ("rebook-confirm", "get", BOOKERS),
    ("rebook-confirm", "post", BOOKERS),
    ("discard", "post", BOOKERS),
    ("detail", "get", BOOKERS | {Role.AUDITOR}),
    ("status", "get", BOOKERS | {Role.AUDITOR}),
    ("check-again", "post", BOOKERS),
    ("told", "post", BOOKERS),
    ("cancel", "get", BOOKERS),
    ("cancel", "post", BOOKERS),
    ("rebook", "get", BOOKERS),
    ("diary", "get", {Role.CLINICIAN, Role.CLERK, Role.MANAGER, Role.AUDITOR}),
    ("received", "get", BOOKERS | {Role.MANAGER, Role.AUDITOR}),
    ("clinic-list", "get", BOOKERS | {Role.MANAGER, Role.AUDITOR}),
    ("diary-csv", "get", BOOKERS | {Role.MANAGER, Role.AUDITOR}),
    *(
        (page, method, {Role.MANAGER})
        for page in ("block", "add-slots", "feeds")
        for method in ("get", "post")
    ),
    *((page, "get", {Role.MANAGER}) for page in ("clinics", "new-clinic", "calls")),
    *((page, "post", {Role.MANAGER}) for page in ("move", "cancel-received", "attendance", "note")),
]
_LISTS = {
    "list",
    "diary",
    "clinic-list",
    "diary-csv",
    "block",
    "add-slots",
    "feeds",
    "clinics",
    "new-clinic",
    "calls",
}
DRAFT_PAGES = ("patient", "check", "rebook-confirm", "discard")
BOOKING_PAGES = ("detail", "status", "check-again", "told", "cancel", "rebook")
# Who sends, who runs the diary, and who does neither.
EVERY_DAY = {Role.CLINICIAN, Role.MANAGER, Role.ENGINEER}


def address(office: Office, page: str, booking: Booking, draft_id: object) -> str:
    if page in _LISTS:
        return reverse(f"bookings:{page}")
    if page == "slots":
        return office.times_page
    return reverse(f"bookings:{page}", args=[draft_id if page in DRAFT_PAGES else booking.pk])


@pytest.mark.parametrize("role", daily(Role, lambda role: role in EVERY_DAY, others=pytest.mark.further))
def test_roles(office: Office, booking: Booking, sign_in_as: Callable[..., Client], role: Role) -> None:
    draft = office.draft(answers=ANSWERS)
    client, before = sign_in_as(role, office.acting.organisation), row_counts()
    opened = set()
    for page, method, allowed in TABLE:
        response = getattr(client, method)(address(office, page, booking, draft.pk), {})
        if response.status_code != 403:
            opened.add((page, method))
        else:
            assert "You do not have access to this page" in response.content.decode(), page
        if role not in allowed:
            assert row_counts() == before, page
        before = row_counts()
    assert opened == {(page, method) for page, method, allowed in TABLE if role in allowed}


def test_signed_out_people_are_sent_to_sign_in(office: Office, booking: Booking) -> None:
    draft = office.draft(answers=ANSWERS)
    for page, method, _ in TABLE:
        response = getattr(Client(), method)(address(office, page, booking, draft.pk))
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/sign-in/"), page


@pytest.mark.parametrize(("page", "method"), [(p, m) for p, m, _ in TABLE if p in BOOKING_PAGES])
def test_bookings_of_another_organisation_are_not_found(
    office: Office, booking: Booking, page: str, method: str
) -> None:
    stranger = client_of(make_acting(organisation=make_organisation()))
    before = row_counts()
    response = getattr(stranger, method)(
        reverse(f"bookings:{page}", args=[booking.pk]), {"reason": "patient"}
    )
    booking.refresh_from_db()
    assert (response.status_code, booking.status) == (404, "booked")
    assert row_counts() == before


@pytest.mark.parametrize(("page", "method"), [(p, m) for p, m, _ in TABLE if p in DRAFT_PAGES])
def test_what_a_colleague_is_typing_is_not_found(office: Office, page: str, method: str) -> None:
    draft = office.draft(answers=ANSWERS)
    colleague = client_of(make_acting(organisation=office.acting.organisation))
    before = row_counts()
    response = getattr(colleague, method)(reverse(f"bookings:{page}", args=[draft.pk]))
    assert response.status_code == 404
    assert row_counts() == before


def test_a_time_is_never_chosen_into_somebody_elses_draft(office: Office) -> None:
    draft = office.draft(answers=ANSWERS)
    colleague = client_of(make_acting(organisation=office.acting.organisation))
    response = colleague.post(f"{office.times_page}?draft={draft.pk}", {"slot": office.chosen(1)})
    draft.refresh_from_db()
    assert response.status_code == 404
    assert draft.slot_id == str(office.slots[0].pk)


def test_sent_and_received_bookings_have_pages_of_their_own(
    office: Office, booking: Booking, sign_in_as: Callable[..., Client]
) -> None:
    received = Booking.objects.get(direction="received")
    clerk = sign_in_as(Role.CLERK, office.service.provider)
    assert clerk.get(reverse("bookings:received", args=[received.pk])).status_code == 200
    for page in BOOKING_PAGES:
        assert clerk.get(reverse(f"bookings:{page}", args=[received.pk])).status_code in (404, 405)


def test_the_diary_of_another_organisation_is_not_shown(
    office: Office, booking: Booking, sign_in_as: Callable[..., Client]
) -> None:
    shown = {"service": office.service.service_id, "on": office.slots[0].start.date().isoformat()}
    for organisation, sees in ((office.service.provider, True), (make_organisation(), False)):
        response = sign_in_as(Role.MANAGER, organisation).get(reverse("bookings:diary"), shown)
        assert ("QUILL" in response.content.decode()) is sees


def test_pages_with_patients_are_never_kept_by_the_browser(office: Office, booking: Booking) -> None:
    draft = office.draft(answers=ANSWERS)
    for page in ("list", "detail", "cancel", "patient", "check"):
        response = office.client.get(address(office, page, booking, draft.pk))
        assert response.status_code == 200
        assert "no-store" in response["Cache-Control"]
