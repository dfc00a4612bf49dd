"""Messages that need a person: what is listed, what is shown before anything happens, and what then does."""

from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.models import Organisation
from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.message_log import dead_letters as letters
from bars_portal.exchange.message_log.dead_letters import Act, Shown, Trouble, trouble_of
from bars_portal.exchange.models import (
    LATE,
    NEVER_SENT,
    OBSOLETE,
    DeadLetterDecision,
    DeliveryState,
    OutboundMessage,
)
from tests.factories.accounts import make_acting, make_organisation, make_user
from tests.factories.messages import NOW, outbound

pytestmark = pytest.mark.django_db

PAGE, ACT = "/messages/dead-letters/", "/messages/dead-letters/act/"
LONG_AGO = NOW - letters.LISTED_FOR - timedelta(hours=1)
NOTE = "Rang them at noon: they have it"
_S = DeliveryState

STATES: list[tuple[DeliveryState, str, Trouble | None]] = [
    (_S.ABANDONED, "deadline/timeout", Trouble.NOT_KNOWN),
    (_S.ABANDONED, "CONFLICT/not-read", Trouble.NOT_KNOWN),
    (_S.ABANDONED, NEVER_SENT, Trouble.NEVER_SENT),
    (_S.ABANDONED, OBSOLETE, None),
    (_S.REFUSED, "CONFLICT", Trouble.REFUSED),
    (_S.UNKNOWN, "timeout", Trouble.STILL_TRIED),
    (_S.ACCEPTED, LATE, None),
    (_S.QUEUED, "", None),
    (_S.SENDING, "", None),
]


@pytest.fixture
def ours() -> Organisation:
    return make_organisation()


@pytest.fixture
def acting(ours: Organisation) -> Acting:
    return make_acting(role=Role.MANAGER, organisation=ours)


@pytest.fixture
def client(ours: Organisation) -> Client:
    client = Client()
    client.force_login(make_user(role=Role.ENGINEER, organisation=ours))
    return client


def given_up(organisation: Organisation, settled_at: datetime = NOW, **fields: Any) -> OutboundMessage:
    fields = {"state": _S.ABANDONED, "reason": "deadline/timeout", "abandon_at": NOW, **fields}
    return outbound(organisation, settled_at=settled_at, created_at=NOW - timedelta(hours=2), **fields)


def shown(*messages: OutboundMessage) -> list[Shown]:
    return [Shown(each.pk, each.settled_at or NOW) for each in messages]


def listed(organisation: Organisation, trouble: Trouble | None = None) -> set[Any]:
    rows = letters.dead_letters(organisation.pk, now=NOW, trouble=trouble)
    return set(rows.values_list("pk", flat=True))


def test_what_is_listed_as_what(ours: Organisation) -> None:
    made = {outbound(ours, state=state, reason=reason).pk: told for state, reason, told in STATES}
    old = {
        outbound(ours, state=state, reason=reason, settled_at=LONG_AGO).pk: told
        for state, reason, told in STATES
    }
    outbound(make_organisation(), state=_S.ABANDONED, reason="deadline/timeout")
    for trouble in Trouble:
        lasts = trouble in (Trouble.NOT_KNOWN, Trouble.STILL_TRIED)
        rows = {**made, **(old if lasts else {})}
        assert listed(ours, trouble) == {pk for pk, told in rows.items() if told is trouble}
        assert letters.counts(ours.pk, now=NOW)[trouble] == len(listed(ours, trouble))
    assert listed(ours) == listed(ours, Trouble.NOT_KNOWN) | listed(ours, Trouble.NEVER_SENT)
    for message in OutboundMessage.objects.filter(pk__in=made):
        assert trouble_of(message) is made[message.pk]


def test_many_are_tried_again_and_what_moved_on_is_left_out(ours: Organisation, acting: Acting) -> None:
    first, second = given_up(ours), given_up(ours)
    queued, refused, never = (
        given_up(ours),
        given_up(ours, state=_S.REFUSED),
        given_up(ours, reason=NEVER_SENT),
    )
    again, theirs = given_up(ours), given_up(make_organisation())
    seen = shown(first, second, queued, refused, never, again, theirs)
    OutboundMessage.objects.filter(pk=queued.pk).update(state=_S.QUEUED)
    # It was tried again, and given up again, since it was shown.
    OutboundMessage.objects.filter(pk=again.pk).update(settled_at=NOW + timedelta(minutes=1))
    result = letters.act_on(shown=[*seen, *seen], act=Act.TRY_AGAIN, note="", acting=acting, now=NOW)
    assert (result.done, result.left_out) == (2, 5)
    states = dict(OutboundMessage.objects.values_list("pk", "state"))
    assert {states[first.pk], states[second.pk]} == {"queued"}
    assert [states[each.pk] for each in (refused, never, again, theirs)] == ["refused", *["abandoned"] * 3]
    events = AuditEvent.objects.filter(action="exchange.try_again")
    assert {each.subject_id for each in events} == {str(first.pk), str(second.pk)}
    assert {each.organisation for each in events} == {ours}


@pytest.mark.parametrize("act", [Act.SET_ASIDE, Act.SETTLED])
def test_what_is_decided_leaves_the_list_until_it_fails_anew(
    ours: Organisation, acting: Acting, act: Act
) -> None:
    message = given_up(ours)
    with pytest.raises(ValueError, match="note"):
        letters.act_on(shown=shown(message), act=act, note="", acting=acting, now=NOW)
    for done in (1, 0):
        result = letters.act_on(shown=shown(message), act=act, note=NOTE, acting=acting, now=NOW)
        assert (result.done, result.left_out) == (done, 1 - done)
    assert listed(ours) == set()
    message.refresh_from_db()
    assert (message.state, message.reason) == ("abandoned", "deadline/timeout"), "who sent it may still check"
    OutboundMessage.objects.update(settled_at=NOW + timedelta(minutes=1))
    assert listed(ours) == {message.pk}


def test_two_who_decide_at_once(ours: Organisation, acting: Acting) -> None:
    """The second one looked before the first wrote: the constraint decides."""
    message = given_up(ours)
    result = letters.act_on(shown=shown(message), act=Act.SETTLED, note=NOTE, acting=acting, now=NOW)
    assert result.done == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(letters, "_undecided", Q)
        result = letters.act_on(shown=shown(message), act=Act.SET_ASIDE, note=NOTE, acting=acting, now=NOW)
    assert (result.done, DeadLetterDecision.objects.get().decision) == (0, "settled")
    assert AuditEvent.objects.filter(action="exchange.set_aside").count() == 0


def test_a_decision_is_taken_back(ours: Organisation, acting: Acting, client: Client) -> None:
    message = given_up(ours)
    letters.act_on(shown=shown(message), act=Act.SET_ASIDE, note=NOTE, acting=acting, now=NOW)
    address = f"/messages/dead-letters/decisions/{DeadLetterDecision.objects.get().pk}/take-back/"
    stranger = Client()
    stranger.force_login(make_user(role=Role.ENGINEER))
    stranger.post(address)
    assert listed(ours) == set()
    assert NOTE in client.get(PAGE).content.decode()
    for _ in range(2):
        assert client.post(address).status_code == 302
    assert listed(ours) == {message.pk}
    assert AuditEvent.objects.filter(action="exchange.take_back_decision").count() == 1


def pressed(client: Client, **posted: Any) -> str:
    answer = client.post(ACT, posted, follow=True)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_the_pages_say_what_will_happen_before_it_does(ours: Organisation, client: Client) -> None:
    message = given_up(ours)
    # What was refused is listed for some days only, by the clock on the wall.
    refused = given_up(ours, timezone.now(), state=_S.REFUSED, reason="CONFLICT")
    tell = [str(each) for each in shown(message, refused)]
    assert tell[0] in client.get(PAGE).content.decode()
    page = pressed(client, act="try-again", message=tell)
    assert "The very same message goes out again" in page
    assert "Try again: 1 message" in page
    assert "refused it, so it is not sent again" in page
    assert OutboundMessage.objects.get(pk=message.pk).state == "abandoned", "nothing has happened"
    page = pressed(client, act="try-again", message=tell, confirm="yes")
    assert "1 message queued to go out again. 1 message left out" in page
    assert OutboundMessage.objects.get(pk=message.pk).state == "queued"
    page = pressed(client, act="try-again", message=tell[:1])
    assert "1 message has moved on since you saw the list" in page


def test_all_of_a_list_and_a_note_that_is_missing(ours: Organisation, client: Client) -> None:
    messages = [given_up(ours, service_id="2000077009") for _ in range(3)]
    other = given_up(ours)
    page = pressed(client, act="settled", scope="all", partner="2000077009", show="")
    assert "Settled with the service: 3 messages" in page
    tell = [str(each) for each in shown(*messages)]
    page = pressed(client, act="settled", message=tell, confirm="yes", note="x")
    assert "There is a problem" in page
    assert all(each in page for each in tell), "what was chosen is kept"
    pressed(client, act="settled", message=tell, confirm="yes", note=NOTE)
    assert listed(ours) == {other.pk}


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"act": "explode"},
        {"act": "settled", "message": ["1@2", "", "@", f"{UUID(int=0)}@0001-01-01T00:00:00+23:59"]},
    ],
)
def test_odd_forms_do_nothing(ours: Organisation, client: Client, posted: dict[str, Any]) -> None:
    given_up(ours)
    assert "Select at least one message" in pressed(client, **posted)


def test_only_who_may(ours: Organisation) -> None:
    opens: Callable[[Role], int] = lambda role: _client(role, ours).get(PAGE).status_code  # noqa: E731
    assert {role: opens(role) for role in Role} == {
        role: 200 if role in (Role.ENGINEER, Role.MANAGER) else 403 for role in Role
    }


def _client(role: Role, organisation: Organisation) -> Client:
    client = Client()
    client.force_login(make_user(role=role, organisation=organisation))
    return client


@pytest.mark.parametrize(
    "query",
    [
        *(
            "dead-letters/?partner=%00&show=%00&page=x",
            "?partner=%00&kind=%00&state=x&waits=x",
            "?before=x_y",
        ),
        f"?before=0001-01-01T00:00:00%2B23:59_{UUID(int=0)}",
        "partners/?of=%00",
    ],
)
def test_an_odd_address_asks_for_nothing(client: Client, query: str) -> None:
    assert client.get(f"/messages/{query}").status_code == 200


def test_no_message_is_called_delivered_that_was_refused(client: Client, ours: Organisation) -> None:
    given_up(ours, timezone.now(), state=_S.REFUSED, reason="CONFLICT")
    page = client.get(PAGE).content.decode()
    assert "Refused (1)" in page
    assert "Nothing that was sent waits for a person." in page
    assert "was delivered" not in page


@pytest.mark.parametrize("trouble", [None, *Trouble])
def test_dead_letters_are_counted_once(client: Client, ours: Organisation, trouble: Trouble | None) -> None:
    """The numbers by trouble say how long each list is."""
    settled = timezone.now()
    for state, reason, such in STATES:
        if such is not None:
            given_up(ours, settled, state=state, reason=reason)
    by = make_user(organisation=ours)
    DeadLetterDecision.objects.create(
        message=given_up(ours, settled),
        settled_at=settled,
        decision="settled",
        note=NOTE,
        decided_at=settled,
        actor_user=by,
    )
    listed = letters.dead_letters(ours.pk, now=settled, trouble=trouble).count()
    numbers = letters.counts(ours.pk, now=settled)
    assert listed == (numbers[trouble] if trouble else sum(numbers[each] for each in letters.NEEDS_PERSON))
    with CaptureQueriesContext(connection) as statements:
        assert client.get(f"{PAGE}?show={trouble.value if trouble else ''}").status_code == 200
    told = [str(each["sql"]) for each in statements.captured_queries]
    assert sum("COUNT(" in each and 'FROM "exchange_outboundmessage"' in each for each in told) == 1
