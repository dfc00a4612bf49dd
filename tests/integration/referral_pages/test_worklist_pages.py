"""The worklist, the alarms above it, what is new, and replies that fit nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import items_for
from bars_portal.accounts.permissions import Role
from bars_portal.exchange.models import InboundMessage
from directory.models import HealthcareService
from referrals.cases.models import Case, UnmatchedReply
from referrals.cases.states import CaseStatus, Category, ReplyKind
from referrals.worklist.query import PAGE_SIZE
from tests.factories.accounts import make_acting, make_organisation
from tests.factories.patients import make_patient
from tests.factories.referrals import make_case, make_hub, make_sent_case
from tests.integration.referral_pages.conftest import client_of, words
from tests.worlds import Kept, Worlds

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
LIST = "/referrals/worklist/"
NONSENSE = "kind=nonsense&state=x&priority=%00&flag=9&held=z&service=1&order=q&page=-1"


Place = tuple[HealthcareService, Acting, Client]


@pytest.fixture(scope="module")
def kept_place(worlds: Worlds) -> Kept[Place]:
    def make() -> Place:
        here = make_hub(provider=make_organisation(name="Riverside"))
        acting = make_acting(organisation=here.provider)
        return here, acting, client_of(acting)

    return worlds.keep("kept_place", make)


@pytest.fixture
def here(kept_place: Kept[Place], db: None) -> HealthcareService:
    return kept_place.copy()[0]


@pytest.fixture
def acting(kept_place: Kept[Place], db: None) -> Acting:
    return kept_place.copy()[1]


@pytest.fixture
def client(kept_place: Kept[Place], db: None) -> Client:
    return kept_place.copy()[2]


def case(here: HealthcareService, category: Category = Category.REFERRAL, **changes: Any) -> Case:
    fields = {"reference": f"REF-{uuid4()}", "created_at": NOW - timedelta(minutes=5), **changes}
    return make_case(category, service=here, **fields)


def late(here: HealthcareService, **changes: Any) -> Case:
    return case(here, Category.VALIDATION, breach_at=NOW - timedelta(minutes=9), **changes)


def stray(here: HealthcareService, *, safeguarding: bool = True) -> UnmatchedReply:
    """A reply that answers nothing; its message cannot be read."""
    patient = make_patient(organisation=here.provider)
    message = InboundMessage.objects.create(headers={}, body=b"nothing", received_at=NOW, state="accepted")
    return UnmatchedReply.objects.create(
        kind=ReplyKind.DID_NOT_ATTEND,
        bundle_id=str(uuid4()),
        answers_bundle_id=str(uuid4()),
        message=message,
        safeguarding=safeguarding,
        received_at=NOW,
        organisation=here.provider,
        service=here,
        patient=patient,
        journey=patient.journey,
    )


def test_what_must_strike_the_eye_is_said_in_words(client: Client, here: HealthcareService) -> None:
    case(here, safeguarding=True, scene_unsafe=True, flags=["SG", "SS", "IR"], priority="C3")
    page = words(client.get(LIST))
    for said in (
        "Safeguarding concern",
        "Scene unsafe or not known to be safe",
        "Infection risk",
        "Category 3: urgent",
    ):
        assert said in page
    assert "QUILL, Ada Mary" in page


def test_the_fail_safe_names_validations_of_both_directions(client: Client, here: HealthcareService) -> None:
    received = late(here)
    sent = make_sent_case(organisation=here.provider)
    type(sent).objects.filter(pk=sent.pk).update(breach_at=NOW - timedelta(hours=1))
    done = late(here, status=CaseStatus.COMPLETED)
    page = words(client.get(LIST))
    assert "1 validation that we received is past the time" in page
    assert "1 validation that we sent is past the time" in page
    assert reverse("referrals:received", args=[received.pk]) in page
    assert reverse("referrals:sent-case", args=[sent.pk]) in page
    assert str(done.pk) not in page
    assert str(sent.pk) in words(client.get("/referrals/sent/"))


def test_what_is_over_is_not_due_any_more(client: Client, here: HealthcareService) -> None:
    done = late(here, status=CaseStatus.COMPLETED)
    sent = make_sent_case(organisation=here.provider)
    type(sent).objects.filter(pk=sent.pk).update(breach_at=done.breach_at, status=CaseStatus.REVOKED)
    for page in (words(client.get(f"{LIST}?state=closed")), words(client.get("/referrals/sent/"))):
        assert page.count("Was due") == 1
        assert "minutes ago" not in page and "No time stated" not in page
    for name, ended in (("received", done), ("sent-case", sent)):
        page = words(client.get(reverse(f"referrals:{name}", args=[ended.pk])))
        assert "Was due by" in page and " Due by " not in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["open", "mine", "validation"]),
        ("?state=closed", ["closed"]),
        ("?state=all", ["open", "mine", "validation", "closed"]),
        ("?kind=validation", ["validation"]),
        ("?held=me", ["mine"]),
        ("?held=nobody", ["open", "validation"]),
        ("?priority=C2", ["open"]),
        ("?flag=SG", ["mine"]),
        (
            "?kind=nonsense&state=x&priority=%00&flag=9&held=z&service=1&order=q&page=-1",
            ["open", "mine", "validation"],
        ),
    ],
)
def test_filters(
    client: Client, here: HealthcareService, acting: Acting, query: str, shown: list[str]
) -> None:
    made = {
        "open": case(here, priority="C2"),
        "mine": case(here, assigned_to=acting.user, flags=["SG"], safeguarding=True),
        "validation": case(here, Category.VALIDATION),
        "closed": case(here, status=CaseStatus.COMPLETED),
    }
    page = words(client.get(LIST + query))
    assert [name for name, each in made.items() if str(each.pk) in page] == [
        name for name in made if name in shown
    ]


def test_pages(client: Client, here: HealthcareService) -> None:
    for _ in range(PAGE_SIZE + 1):
        case(here)
    first, second = words(client.get(LIST)), words(client.get(f"{LIST}?page=2"))
    assert first.count("/referrals/received/") == PAGE_SIZE
    assert second.count("/referrals/received/") == 1
    assert "?page=2" in first


def test_an_empty_list_says_so(client: Client) -> None:
    assert "Nothing waits for your organisation" in words(client.get(LIST))
    assert "Nothing fits these filters" in words(client.get(f"{LIST}?kind=referral"))


def test_news_are_told_once(client: Client, here: HealthcareService) -> None:
    address = f"/referrals/worklist/news/?since={quote((NOW - timedelta(minutes=1)).isoformat())}"
    assert client.get(address).status_code == 204
    case(here, created_at=NOW)
    case(here, created_at=NOW)
    told = client.get(address)
    assert "2 new since you opened this list" in words(told)
    assert "Quill" not in words(told)
    assert client.get(f"{address}&told=2").status_code == 204
    assert client.get("/referrals/worklist/news/?since=x&told=3").status_code == 204


@pytest.mark.parametrize(
    ("role", "status"),
    [("clinician", 200), ("clerk", 200), ("manager", 200), ("auditor", 200), ("engineer", 403)],
)
def test_who_opens_the_worklist(here: HealthcareService, role: str, status: int) -> None:
    late(here)
    person = client_of(make_acting(role=role, organisation=here.provider))
    assert person.get(LIST).status_code == status
    stranger = client_of(make_acting(role=role))
    assert "QUILL" not in words(stranger.get(LIST))


def test_a_reply_that_fits_nothing_is_read_and_dealt_with_once(
    client: Client, here: HealthcareService
) -> None:
    reply = stray(here)
    assert "Replies that fit no request of ours: 1" in words(client.get(LIST))
    page = words(client.get(reverse("referrals:reply", args=[reply.pk])))
    assert "Safeguarding concern" in page
    assert "The message itself is not kept here" in page
    address = reverse("referrals:reply-handled", args=[reply.pk])
    assert (
        client_of(make_acting(role=Role.AUDITOR, organisation=here.provider)).post(address).status_code == 302
    )
    reply.refresh_from_db()
    assert reply.handled_at is None, "an auditor changes nothing"
    client.post(address)
    reply.refresh_from_db()
    first = reply.handled_at
    assert first is not None
    assert "dealt with already" in words(client.post(address, follow=True))
    reply.refresh_from_db()
    assert reply.handled_at == first
    assert "Replies that fit" not in words(client.get(LIST))
    assert client_of(make_acting()).get(reverse("referrals:reply", args=[reply.pk])).status_code == 404


@pytest.mark.parametrize(
    ("grave", "usual", "told", "opener"),
    [
        (0, 1, "They may hold a safeguarding warning", "Show it"),
        (2, 1, "Safeguarding concern in 2. Read each", "Show them"),
        (12, 0, "Safeguarding concern in at least 10. Read each", "Show the newest 10"),
    ],
)
def test_replies_that_fit_nothing_are_folded_away_and_never_their_warning(
    client: Client, here: HealthcareService, grave: int, usual: int, told: str, opener: str
) -> None:
    """Open, they pushed the worklist off a telephone's screen."""
    for safeguarding in (*[True] * grave, *[False] * usual):
        stray(here, safeguarding=safeguarding)
    page: Any = html.fromstring(client.get(LIST).content)
    (callout,) = page.xpath("//div[contains(@class, 'nhsuk-card--warning')]")
    assert callout.xpath(".//li/a[contains(@href, '/replies/')]"), "they are there"
    assert not callout.xpath(".//li[not(ancestor::details[not(@open)])]")
    assert opener == " ".join(callout.xpath("string(.//summary)").split())
    for folded in callout.xpath(".//details"):
        folded.getparent().remove(folded)
    assert told in " ".join(callout.text_content().split())


def test_the_home_page_says_what_waits(client: Client, here: HealthcareService, acting: Acting) -> None:
    late(here, safeguarding=True)
    stray(here)
    found = {item.label: (item.count, item.urgent) for item in items_for(acting, datetime.now(UTC))}
    assert found["received validations past their time"] == (1, True)
    assert found["replies that fit no request of ours"] == (1, True)
    assert found["open cases with a safeguarding concern"] == (1, False)
    assert found["open cases that nobody has taken"] == (1, False)
    home = words(client.get("/"))
    assert "Received validations past their time: 1" in home
    assert 'href="/referrals/worklist/?kind=validation&amp;state=late"' in home
