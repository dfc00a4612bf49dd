"""Who sees a case, or a reply that answers nothing."""

from dataclasses import replace

import pytest

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.audit.models import AuditEvent
from bars_portal.correspondence.states import Direction
from referrals.cases.history import record_case_view
from referrals.cases.models import UnmatchedReply
from referrals.cases.policies import VIEW, can_view, check_can_view, check_can_view_unmatched
from tests.factories.accounts import make_acting
from tests.factories.referrals import NOW, make_case, make_sent_case

pytestmark = pytest.mark.django_db
SENT, RECEIVED = VIEW[Direction.SENT], VIEW[Direction.RECEIVED]


def allowed(acting: Acting, *permissions: str) -> Acting:
    return replace(acting, permissions=frozenset(permissions))


def test_each_direction_has_a_permission_of_its_own() -> None:
    received, sent = make_case(), make_sent_case()
    for case, right, wrong in ((received, RECEIVED, SENT), (sent, SENT, RECEIVED)):
        own = make_acting(organisation=case.organisation)
        assert can_view(allowed(own, right), case)
        assert not can_view(allowed(own, wrong), case)
        assert not can_view(allowed(make_acting(), right), case)


def test_a_refusal_says_why() -> None:
    case = make_case()
    with pytest.raises(PolicyRefused, match="another organisation"):
        check_can_view(make_acting(), case)
    with pytest.raises(PolicyRefused, match="not allowed"):
        check_can_view(allowed(make_acting(organisation=case.organisation)), case)


def test_an_unmatched_reply_is_for_those_who_send() -> None:
    case = make_case()
    reply = UnmatchedReply(organisation=case.organisation)
    own = make_acting(organisation=case.organisation)
    check_can_view_unmatched(allowed(own, SENT), reply)
    with pytest.raises(PolicyRefused, match="not allowed"):
        check_can_view_unmatched(allowed(own, RECEIVED), reply)
    with pytest.raises(PolicyRefused, match="another organisation"):
        check_can_view_unmatched(allowed(make_acting(), SENT), reply)


def test_a_look_is_on_the_trail_as_what_it_was() -> None:
    case = make_case()
    with pytest.raises(PolicyRefused):
        record_case_view(case=case, acting=make_acting(), now=NOW)
    record_case_view(case=case, acting=make_acting(organisation=case.organisation), now=NOW)
    events = AuditEvent.objects.filter(action="referrals.view_case").order_by("pk")
    assert [each.outcome for each in events] == ["refused", "done"]
