"""The shortest way through the pages of each use case ends with a case that the receiver has taken."""

import pytest
from django.urls import reverse

from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.models import OutboundMessage
from referrals.cases.states import CaseStatus
from referrals.parts.content import check_parts, content_from_json
from tests.factories.contents import FIRST_OF
from tests.integration.request_pages.conftest import Desk
from tests.integration.request_pages.minimal import minimal
from tests.profiles import daily, share

# One of each application, and the ambulance's with its task: what a step asks follows from these. All go
# through the forms in tests/unit/referrals/test_forms.py, and over the wire in ../referrals/test_sending.py.
EACH = {*FIRST_OF.values(), UseCase.A6T2}
CASES = daily(enumerate(UseCase), lambda row: row[1] in EACH)


@pytest.mark.parametrize(("number", "use_case"), CASES)
def test_the_least_that_can_be_sent_is_taken_and_nothing_less(
    desk: Desk, number: int, use_case: UseCase
) -> None:
    """Without any one of the steps the page says which one is missing, and nothing goes out."""
    steps = minimal(use_case)
    draft = desk.filled(desk.begin(use_case.value), steps)
    whole = dict(draft.typed)
    written = desk.written(use_case)
    assert all(typed.items() <= whole[slug].items() for slug, typed in written.typed.items())
    written.delete()
    for left_out in share([*steps], number, of=2):
        draft.typed = {slug: typed for slug, typed in whole.items() if slug != left_out}
        draft.save()
        page = desk.send(draft).content.decode()
        assert "There is a problem" in page, left_out
        assert f'href="{desk.step(draft, left_out)}?back=check"' in page, left_out
        assert not OutboundMessage.objects.exists()
    draft.typed = whole
    draft.save()
    response = desk.send(draft)
    case = desk.case()
    assert response["Location"] == reverse("referrals:confirmation", args=[case.pk])
    assert (case.status, case.explanation) == (CaseStatus.SENT, "")
    content = content_from_json(case.content)
    check_parts(content)
    assert content.use_case is use_case
    page = desk.client.get(response["Location"]).content.decode()
    assert case.reference
    assert case.reference in page
