"""Many people decide at the same moment: one of them does, and one answer goes out (real threads)."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.exchange.fhir.codes import RejectedReason
from bars_portal.exchange.models import OutboundMessage
from referrals.cases.selectors import changes_of, responses_of
from referrals.responding import decisions, delivery, local
from referrals.responding.content import Rejection
from tests.factories.accounts import make_acting
from tests.integration.bookings.loopback import timeout
from tests.integration.referrals.desk import AnsweringDesk, outcome

PEOPLE = 6
pytestmark = pytest.mark.django_db(transaction=True)


Act = Callable[[Acting], object]


def at_once(everybody: Sequence[Acting], acts: Sequence[Act]) -> Counter[str]:
    """Each person does one of the acts, by turns."""
    start = Barrier(len(everybody))

    def one(number: int) -> str:
        try:
            start.wait(timeout=20)
            acts[number % len(acts)](everybody[number])
        except PolicyRefused:
            return "refused"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(everybody)) as pool:
        return Counter(pool.map(one, range(len(everybody))))


def people(desk: AnsweringDesk) -> list[Acting]:
    return [make_acting(organisation=desk.hub.provider) for _ in range(PEOPLE)]


def test_one_of_many_completes_or_rejects(desk: AnsweringDesk) -> None:
    case, now = desk.ask("VALREQ01"), desk.later()
    rejection = Rejection(RejectedReason.NOT_AVAILABLE)

    def complete(who: Acting) -> object:
        return decisions.complete_validation(case=case, outcome=outcome(), acting=who, now=now)

    def reject(who: Acting) -> object:
        return decisions.reject_case(case=case, rejection=rejection, acting=who, now=now)

    assert at_once(people(desk), [complete, reject]) == {"done": 1, "refused": PEOPLE - 1}
    assert responses_of(case).count() == OutboundMessage.objects.count() == 1
    assert changes_of(case).count() == 2


def test_one_of_many_takes_the_case(desk: AnsweringDesk) -> None:
    case, now = desk.ask("VALREQ01"), desk.later()

    def take(who: Acting) -> object:
        return local.assign_case(case=case, to=who.user, seen=None, acting=who, now=now)

    assert at_once(people(desk), [take]) == {"done": 1, "refused": PEOPLE - 1}


def test_one_of_many_checks_again(desk: AnsweringDesk) -> None:
    case = desk.ask("VALREQ01")
    answer = decisions.start_case(case=case, acting=desk.clinician, now=desk.later()).answer
    assert answer is not None
    desk.network.after.append(timeout)
    desk.deliver()

    def check(who: Acting) -> object:
        return delivery.check_response_again(answer=answer, acting=who, now=desk.now)

    assert at_once(people(desk), [check]) == {"done": 1, "refused": PEOPLE - 1}
    assert OutboundMessage.objects.count() == 1
