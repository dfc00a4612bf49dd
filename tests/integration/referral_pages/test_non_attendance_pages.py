"""Non-attendance at the pages: filled in, not before its time; and who is told, said one way throughout."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.permissions import Role
from bars_portal.correspondence.states import Direction
from bars_portal.nhsuk.dates import format_datetime, in_london
from bookings.models import Booking, SenderCall
from referrals.cases.models import BookingLink, Case
from referrals.cases.selectors import responses_of
from referrals.cases.states import CaseStatus, ReplyKind
from referrals.responding.content import NonAttendance, read_content
from tests.factories.bookings import make_booking
from tests.integration.referral_pages.conftest import Office, words
from tests.integration.referral_pages.test_answer_pages import MISSED, YESTERDAY, status_of

MISSED_NOW = {**MISSED, "concern": "no", "safeguarding": ""}


def typed_at(moment: datetime, minutes: int = 15) -> dict[str, str]:
    """A time as it stands in the form, in London."""
    start, end = in_london(moment), in_london(moment + timedelta(minutes=minutes))
    return {
        "day-day": str(start.day),
        "day-month": str(start.month),
        "day-year": str(start.year),
        "start": f"{start:%H:%M}",
        "end": f"{end:%H:%M}",
    }


def linked(case: Case, start: datetime) -> Booking:
    booking = make_booking(
        service=case.service, patient=case.patient, direction=Direction.RECEIVED, start=start, reference="B-1"
    )
    BookingLink.objects.create(referral_id=case.pk, booking=booking, made_at=start)
    return booking


def value_of(page: str, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*>', page)
    assert found is not None, name
    value = re.search(r'value="([^"]*)"', found[0])
    return value[1] if value else ""


# Of yesterday noon in UTC: no clock change and no midnight in between.
YESTERDAY_NOON = YESTERDAY.replace(hour=12, minute=0, second=0, microsecond=0)


def test_non_attendance_is_filled_in_from_the_appointment(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    address = reverse("referrals:did-not-attend", args=[case.pk])
    assert value_of(words(office.client.get(address)), "start") == "", "no appointment goes with it"
    linked(case, YESTERDAY_NOON)
    page = words(office.client.get(address))
    assert "filled in from the appointment" in page
    for name, value in typed_at(YESTERDAY_NOON).items():
        assert value_of(page, name) == value


def test_non_attendance_across_midnight_is_filled_in_and_told(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    night = in_london(YESTERDAY_NOON - timedelta(days=1)).replace(hour=23, minute=50)
    linked(case, night)
    typed = typed_at(night)
    assert (typed["start"], typed["end"]) == ("23:50", "00:05")
    page = words(office.client.get(reverse("referrals:did-not-attend", args=[case.pk])))
    assert "checked" in re.findall(r'<input[^>]*name="overnight"[^>]*>', page)[0]
    refused = words(office.press("did-not-attend", case, **{**MISSED_NOW, **typed}))
    assert "must be later than expected from" in refused
    checked = words(office.press("did-not-attend", case, **{**MISSED_NOW, **typed, "overnight": "on"}))
    assert f"{format_datetime(night)} to {format_datetime(night + timedelta(minutes=15))}" in checked
    office.pressed("did-not-attend", case, **{**MISSED_NOW, **typed, "overnight": "on"}, send="yes")
    said = read_content(ReplyKind.DID_NOT_ATTEND, responses_of(case).get().content)
    assert isinstance(said, NonAttendance)
    assert (said.expected_from, said.expected_until) == (night, night + timedelta(minutes=15))


def test_non_attendance_is_neither_offered_nor_taken_before_the_appointment(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    booking = linked(case, datetime.now(UTC) + timedelta(hours=2))
    address = reverse("referrals:did-not-attend", args=[case.pk])
    assert address not in words(office.client.get(office.page(case)))
    assert "until then nobody knows" in words(office.client.get(address, follow=True))
    refused = office.press("did-not-attend", case, **MISSED_NOW, send="yes")
    assert "until then nobody knows" in words(refused)
    assert status_of(case) == CaseStatus.RECEIVED
    Booking.objects.filter(pk=booking.pk).update(start=YESTERDAY_NOON)
    assert address in words(office.client.get(office.page(case)))


def test_a_time_to_come_is_refused_by_the_form(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    soon = datetime.now(UTC) + timedelta(minutes=30)
    typed = {**MISSED_NOW, **typed_at(soon)}
    page = words(office.press("did-not-attend", case, **typed, send="yes"))
    assert "must be in the past" in page or "cannot be in the future" in page
    assert status_of(case) == CaseStatus.RECEIVED


def recorded(manager: Client, booking: Booking, **typed: object) -> str:
    address = reverse("bookings:attendance", args=[booking.pk])
    return words(manager.post(address, typed, follow=True))


def test_the_diary_says_that_nobody_came_and_who_referred_is_told(office: Office) -> None:
    """Shown first; once; and when the patient came all the same, somebody has to phone."""
    case = office.desk.ask("REFREQ01")
    booking, manager = linked(case, YESTERDAY_NOON), office.colleague(Role.MANAGER)
    asked = recorded(manager, booking, attended="no")
    assert "This ends the referral, and tells who referred" in asked
    assert status_of(case) == CaseStatus.RECEIVED, "nothing is recorded yet"
    assert "tells who referred" in recorded(manager, booking, attended="no", ends=["/elsewhere/"])
    assert not responses_of(case).exists()
    told = recorded(manager, booking, attended="no", ends=[office.page(case)])
    assert "Recorded: the patient did not attend. The referral is over, and who referred is told." in told
    assert "Who referred does not know yet" not in told
    assert status_of(case) == CaseStatus.DID_NOT_ATTEND
    said = read_content(ReplyKind.DID_NOT_ATTEND, responses_of(case).get().content)
    assert isinstance(said, NonAttendance)
    assert (said.expected_from, said.expected_until) == (booking.start, booking.end)
    office.desk.deliver()
    assert "The patient did not attend" in words(office.asking.get(office.sent_page()))
    assert "This was recorded already" in recorded(manager, booking, attended="no")
    came = recorded(manager, booking, attended="yes")
    assert "Who referred was told that they did not" in came
    assert SenderCall.objects.get(booking=booking).closed_at is None
    assert responses_of(case).count() == 1


@pytest.mark.parametrize("why", ["expected again", "no address", "no referral"])
def test_the_diary_ends_no_referral_that_goes_on_or_hears_nothing(office: Office, why: str) -> None:
    case = office.desk.ask("REFREQ01")
    booking = linked(case, YESTERDAY_NOON)
    if why == "expected again":
        again = make_booking(
            service=case.service, patient=case.patient, direction=Direction.RECEIVED, reference="B-2"
        )
        Booking.objects.filter(pk=again.pk).update(start=datetime.now(UTC) + timedelta(days=1))
        BookingLink.objects.create(referral_id=case.pk, booking=again, made_at=YESTERDAY_NOON)
    elif why == "no address":
        type(case).objects.filter(pk=case.pk).update(source_service_id="")
    else:
        BookingLink.objects.all().delete()
    page = recorded(office.colleague(Role.MANAGER), booking, attended="no")
    assert "Recorded: the patient did not attend.<" in page.replace(" <", "<")
    assert ("Unless the patient is expected again" in page) == (why != "no referral")
    assert status_of(case) == CaseStatus.RECEIVED
    assert not responses_of(case).exists()


def test_only_at_an_appointment_does_a_manager_say_that_nobody_came(office: Office) -> None:
    case = office.desk.ask("REFREQ01")
    manager = office.colleague(Role.MANAGER)
    assert reverse("referrals:did-not-attend", args=[case.pk]) not in words(manager.get(office.page(case)))
    assert manager.get(reverse("referrals:did-not-attend", args=[case.pk])).status_code == 403


NOBODY, READS = "nobody outside is told", ("requester reads this", "warn whoever referred", "is told at once")
FORMS = ("reject", "complete", "did-not-attend", "outcome", "cad-status")


@pytest.mark.parametrize("reachable", [True, False], ids=["address", "no-address"])
@pytest.mark.parametrize("name", ["REFREQ01", "VALREQ01", "REFREQ8A"])
def test_a_page_never_says_both_that_somebody_reads_it_and_that_nobody_does(
    office: Office, name: str, reachable: bool
) -> None:
    case = office.desk.ask(name)
    if not reachable:
        type(case).objects.filter(pk=case.pk).update(source_service_id="")
    seen = 0
    for form in ("", *FORMS):
        address = reverse(f"referrals:{form}", args=[case.pk]) if form else office.page(case)
        response = office.client.get(address)
        if response.status_code != 200:
            continue
        seen += 1
        page = words(response)
        told = [each for each in READS if each in page]
        unheard = [each for each in (NOBODY, "does not read this", "can go. Telephone") if each in page]
        assert not (told and unheard), (form, told, unheard)
        if not reachable:
            assert not told, form
            assert "Tell the requester" not in page, form
            assert "Send the outcome" not in page, form
    assert seen >= 3
