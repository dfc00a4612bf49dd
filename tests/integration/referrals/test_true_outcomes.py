"""A request, an update, a taking back: read back after a doubtful refusal, compared with what was asked."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from bars_portal.correspondence.explanations import READ_BACK
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.codes import ARPPriority, UseCase
from bars_portal.exchange.models import DeliveryState, OutboundMessage
from referrals.cases.models import Case
from referrals.cases.selectors import changes_of
from referrals.cases.states import CaseStatus, Category
from tests.factories.contents import make_content
from tests.integration.bookings.loopback import Fault, answering, refusing, timeout
from tests.integration.referrals.sending import Desk, events, theirs
from tests.profiles import daily

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

LATER = timedelta(hours=2)
FAILED = refusing(500, "REC_SERVER_ERROR", "exception")
FAULTS = {
    "500": FAILED,
    "409": refusing(409, "REC_CONFLICT", "conflict"),
    "422": refusing(422, "REC_UNPROCESSABLE_ENTITY"),
}
PRIORITY = ARPPriority.C2
Act = Callable[[Desk], Case]


def updated(desk: Desk) -> Case:
    content = make_content(UseCase.A4T1)
    content = replace(content, assessment=replace(content.assessment, priority=PRIORITY))
    return desk.update(desk.sent(Category.VALIDATION), content)


# What a person does -> the events when it was applied, when it surely was not, and while it is not known.
ACTS: dict[str, tuple[Act, str, str, str]] = {
    "referral": (lambda desk: desk.refer(), "confirm", "refuse", "lose"),
    "validation": (lambda desk: desk.validate(), "confirm", "refuse", "lose"),
    "update": (updated, "confirm-update", "refuse-update", "lose-update"),
    "revoke": (lambda desk: desk.revoke(desk.sent()), "confirm-revoke", "refuse-revoke", "lose-revoke"),
    "revoked validation": (
        lambda desk: desk.revoke(desk.sent(Category.VALIDATION)),
        "confirm-revoke",
        "refuse-revoke",
        "lose-revoke",
    ),
    "in error": (lambda desk: desk.in_error(desk.sent()), "confirm-in-error", "refuse-revoke", "lose-revoke"),
}


def turns(of: Iterable[str]) -> "list[ParameterSet]":
    """Each act with one of them in turn, the first act with all: each is judged by one rule for every act."""
    kinds, acts = list(of), list(ACTS)

    def kept(row: tuple[str, str]) -> bool:
        number = acts.index(row[0])
        return number == 0 or kinds.index(row[1]) == number % len(kinds)

    return daily(product(acts, kinds), kept)


def repeat(desk: Desk, case: Case, fault: Fault) -> None:
    desk.network.before.append(fault)
    desk.network.deliver_due(after=LATER)
    case.refresh_from_db()


@pytest.mark.parametrize(("name", "code"), turns(FAULTS))
def test_what_arrived_counts_whatever_the_repeat_was_told(sender: Desk, name: str, code: str) -> None:
    act, applied, _, lost = ACTS[name]
    case = act(sender)
    sender.network.after.append(timeout)
    sender.arrive(case)
    repeat(sender, case, FAULTS[code])
    assert events(case)[-2:] == [lost, applied]
    assert changes_of(case).last().note == READ_BACK  # type: ignore[union-attr]  # it has a history
    held = theirs(case)
    assert (case.priority, case.resource["status"]) == (held.priority, held.resource["status"])
    assert (case.pending, case.explanation) == (None, "")
    assert case.remote_id == str(held.pk)


@pytest.mark.parametrize("name", ACTS)
def test_a_500_after_which_it_was_applied(sender: Desk, name: str) -> None:
    act, applied, _, _ = ACTS[name]
    case = act(sender)
    sender.network.after.append(FAILED)
    sender.arrive(case)
    assert events(case)[-1] == applied
    assert case.resource["status"] == theirs(case).resource["status"]


@pytest.mark.parametrize(("name", "code"), turns(FAULTS))
def test_what_surely_did_not_arrive_is_refused(sender: Desk, name: str, code: str) -> None:
    act, _, refused, lost = ACTS[name]
    case = act(sender)
    sender.network.before.append(timeout)
    sender.arrive(case)
    repeat(sender, case, FAULTS[code])
    assert events(case)[-2:] == [lost, refused]
    assert case.explanation
    assert sender.network.requests[-1].method == "GET"


@pytest.mark.parametrize("name", ACTS)
def test_while_it_cannot_be_read_it_is_not_known(sender: Desk, name: str) -> None:
    act, applied, _, lost = ACTS[name]
    case = act(sender)
    sender.network.before += [FAILED, timeout]
    sender.arrive(case)
    assert events(case)[-1] == lost
    assert "still trying by ourselves" in case.explanation
    assert sender.network.deliver_due(after=LATER) == [DeliveryState.ACCEPTED]
    assert events(case)[-1] == applied


def test_an_older_referral_with_the_same_number_proves_nothing(sender: Desk) -> None:
    """Taken back and sent anew: both have one case number, and the first is not the second."""
    old = sender.arrive(sender.revoke(sender.sent()))
    again = sender.refer(assessment=make_content(UseCase.A1T1).assessment)
    type(again).objects.filter(pk=again.pk).update(case_number=old.case_number)
    sender.network.before.append(FAILED)
    assert sender.arrive(again).status == CaseStatus.REFUSED


# -- what the service says is not what we asked for


def saying(change: Callable[[dict[str, Any]], None]) -> Fault:
    """Our receiver's own answer, spoilt."""

    def answer(request: Any) -> Any:
        bundle = json.loads(request.content)
        bundle["entry"][1]["resource"].setdefault("id", "x")
        own = {"resourceType": "Encounter", "status": "planned", "identifier": [{"value": "RIV-1"}]}
        bundle["entry"].append({"fullUrl": "urn:uuid:own", "resource": own})
        change(bundle)
        return answering(bundle)(request)

    return answer


def somebody_else(bundle: dict[str, Any]) -> None:
    for each in bundle["entry"]:
        if each["resource"]["resourceType"] == "Patient":
            each["resource"] |= {"identifier": [], "birthDate": "1950-02-03", "name": [{"family": "Other"}]}


def another_request(bundle: dict[str, Any]) -> None:
    bundle["id"] = "another"


def another_status(bundle: dict[str, Any]) -> None:
    bundle["entry"][1]["resource"]["status"] = "draft"


def another_focus(bundle: dict[str, Any]) -> None:
    bundle["entry"][0]["resource"]["focus"] = [{"reference": "urn:uuid:own"}]


CHANGES = {each.__name__: each for each in (somebody_else, another_request, another_status, another_focus)}


@pytest.mark.parametrize(("name", "changed"), turns(CHANGES))
def test_an_answer_about_something_else_is_not_known(sender: Desk, name: str, changed: str) -> None:
    (act, applied, _, lost), change = ACTS[name], CHANGES[changed]
    case = act(sender)
    sender.network.before.append(saying(change))
    sender.arrive(case)
    assert events(case)[-1] == lost
    if change is somebody_else:
        assert "We asked for" in case.explanation
        assert "OTHER, born 03-Feb-1950" in case.explanation
    # The repeat is taken, and read as a repeat ought to be.
    assert sender.network.deliver_due(after=LATER) == [DeliveryState.ACCEPTED]
    assert events(case)[-1] == applied


def test_an_answer_that_is_as_asked_counts(sender: Desk) -> None:
    sender.network.before.append(saying(lambda bundle: None))
    case = sender.sent()
    assert (case.status, case.remote_id, case.reference) == (CaseStatus.SENT, "x", "RIV-1")
    assert OutboundMessage.objects.get().state == DeliveryState.ACCEPTED
