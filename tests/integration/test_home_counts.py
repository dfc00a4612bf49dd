"""Every count on the home page opens exactly what it counts, for everybody."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from html import unescape

import pytest
from django.test import Client

from bars_portal.accounts import home
from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem, items_for
from bars_portal.accounts.models import Membership, User
from bars_portal.accounts.permissions import Role
from bookings.models import Booking
from bookings.states import BookingStatus
from referrals.cases.models import CaseAnswer, UnmatchedReply
from referrals.cases.states import CaseStatus, Category, ResponseState
from tests.factories.accounts import make_acting, make_organisation
from tests.factories.referrals import make_case
from tests.integration.home_world import NOW, world_of
from tests.profiles import share
from tests.worlds import Kept, Worlds

pytestmark = pytest.mark.django_db
_S, _B, _R = CaseStatus, BookingStatus, ResponseState
EVERYTHING = {
    "rebookings without a new appointment",
    "bookings not as asked for",
    "bookings and cancellations not known",
    "patients to tell",
    "tasks from what was sent, that nobody has closed",
    "received validations past their time",
    "sent validations past their time",
    "cases with an answer that may not have arrived",
    "replies that fit no request of ours",
    "requests and updates not known to have arrived, or to be taken back",
    "messages that we stopped sending",
    "open cases with a safeguarding concern",
    "open cases that nobody has taken",
    "requests that you have not sent yet",
    "people you could not book, and a time is free now",
    "appointments today that you booked elsewhere",
    "bookings asked for today",
    "open cases at your services",
    "open cases that you have taken",
}
SMALL_PAGES = (
    "bookings.views.bookings._PAGE",
    "referrals.pages.duties._PAGE",
    "referrals.worklist.views._PAGE",
    "referrals.worklist.query.PAGE_SIZE",
    "referrals.worklist.selectors.PAGE_SIZE",
    "referrals.worklist.sent.PAGE_SIZE",
)


@pytest.fixture(autouse=True)
def short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of other roles than a clinician's, which have more than a page too."""
    for name in ("bars_portal.accounts.break_glass.views._PAGE", "bookings.views.running._CALLS"):
        monkeypatch.setattr(name, 1)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of three has two pages."""
    for name in SMALL_PAGES:
        monkeypatch.setattr(name, 2)


@pytest.fixture(scope="module")
def kept_clinician(worlds: Worlds) -> Kept[Acting]:
    """With all that home counts, and the same at another organisation."""

    def make() -> Acting:
        acting = make_acting(role=Role.CLINICIAN, organisation=make_organisation())
        world_of(acting)
        world_of(make_acting(role=Role.CLINICIAN))
        return acting

    return worlds.keep("kept_clinician", make)


@pytest.fixture
def clinician(kept_clinician: Kept[Acting], db: None) -> Acting:
    return kept_clinician.copy()


def count_rows(client: Client, start: str) -> int:
    """The lines of a list, on all its pages."""
    url, path, count = start, start.partition("?")[0], 0
    while url:
        response = client.get(url)
        assert response.status_code == 200, url
        page = response.content.decode()
        count += sum(body.count("<tr") for body in re.findall(r"<tbody.*?</tbody>", page, re.DOTALL))
        count += page.count('<section class="app-status"')
        following = re.search(r'<a [^>]*href="([^"]*)"[^>]*rel="next"', page)
        url = f"{path}{unescape(following[1]).removeprefix(path)}" if following else ""
    return count


def counted(acting: Acting) -> dict[str, AttentionItem]:
    return {item.label: item for item in items_for(acting, datetime.now(UTC))}


def check(acting: Acting, items: Iterable[AttentionItem]) -> None:
    client = Client()
    client.force_login(acting.user)
    for item in items:
        assert count_rows(client, item.url) == item.count, item


# The lists are the same for everybody: their pages are turned by the role that has most of them, and the
# others open every second of those in turns.
@pytest.mark.parametrize(
    ("number", "role"), list(enumerate(each for each in Role if each is not Role.CLINICIAN))
)
def test_a_count_opens_what_it_counts(clinician: Acting, number: int, role: Role) -> None:
    Membership.objects.filter(user=clinician.user).update(role=role.value)
    acting = make_acting(user=User.objects.get(pk=clinician.user.pk))
    found = counted(acting)
    known = [item for label, item in found.items() if label in EVERYTHING]
    check(acting, [*share(known, number, of=2), *(item for item in found.values() if item not in known)])
    check_counts(role, found)


@pytest.mark.further
@pytest.mark.usefixtures("small_pages")
def test_a_count_opens_what_it_counts_on_all_pages(clinician: Acting) -> None:
    found = counted(clinician)
    check(clinician, found.values())
    check_counts(Role.CLINICIAN, found)


def check_counts(role: Role, found: dict[str, AttentionItem]) -> None:
    if role is Role.CLINICIAN:
        assert set(found) == EVERYTHING
        assert max(item.count for item in found.values()) > 2, "more than a page"
    if role in (Role.ENGINEER, Role.AUDITOR, Role.MANAGER):
        assert found["times that a service stopped accepting something this week"].count == 4
    if role is Role.MANAGER:
        assert found["services not taking referrals for now"].count == 1
        assert found["services with few free slots"].count == 1
        assert found["people who could not be booked today"].count == 4
        assert found["people who could not be booked, and a time is free now"].count == 3
    if role is Role.CLINICIAN:
        assert found["people you could not book, and a time is free now"].count == 3
    if role in (Role.ENGINEER, Role.MANAGER, Role.INSTALLER):
        assert found["parts of the portal that do not work as they should"].count == 2


def test_no_number_is_left_out_of_the_walk(clinician: Acting) -> None:
    """Whatever home can count is there for somebody: what counts nothing opens an empty list in any case."""
    now, there, walked = datetime.now(UTC), set(), set()
    for role in Role:
        Membership.objects.filter(user=clinician.user).update(role=role.value)
        acting = make_acting(user=User.objects.get(pk=clinician.user.pk))
        items = [item for source in home._sources for item in source(acting, now)]
        there |= {item.label for item in items}
        walked |= {item.label for item in items if item.count}
    assert sorted(there - walked) == []


def test_it_still_does_once_things_have_changed(clinician: Acting) -> None:
    before = counted(clinician)
    Booking.objects.filter(status=_B.UNKNOWN).update(status=_B.BOOKED)
    Booking.objects.filter(status=_B.REFUSED).update(status=_B.BOOKED, patient_told_at=NOW)
    UnmatchedReply.objects.filter(pk=UnmatchedReply.objects.values("pk")[:1]).update(handled_at=NOW)
    for model in (type(make_case()), type(make_case(Category.VALIDATION, use_case="a4t1"))):
        model.objects.filter(status=_S.UNKNOWN).update(status=_S.SENT)
        model.objects.filter(status=_S.RECEIVED).update(status=_S.REJECTED)
    CaseAnswer.objects.filter(state=_R.NO_ADDRESS).update(state=_R.DELIVERED)
    after = counted(clinician)
    check(clinician, after.values())
    assert {label for label, item in before.items() if after.get(label) != item} >= {
        "bookings and cancellations not known",
        "patients to tell",
        "received validations past their time",
        "cases with an answer that may not have arrived",
        "requests and updates not known to have arrived, or to be taken back",
    }
