"""Many messages about one case at the same moment: each is taken or refused whole (real threads)."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.db import connection

from referrals.cases.models import ValidationCase
from referrals.cases.selectors import changes_of, replies_of, versions_of
from referrals.cases.states import CaseStatus, Category
from tests.factories.referrals import make_hub, make_sent_case
from tests.integration.referrals.official import (
    Bundle,
    adapted,
    answer_of,
    answering,
    example,
    issue,
    later,
    send,
)

SENDERS = 8
pytestmark = pytest.mark.django_db(transaction=True)


def at_once(bundles: list[Bundle], conversation: UUID) -> Counter[tuple[int, str]]:
    start = Barrier(len(bundles))

    def one(bundle: Bundle) -> tuple[int, str]:
        try:
            start.wait(timeout=10)
            reply = send(bundle, correlation_id=conversation)
            return (200, "") if reply.status == 200 else issue(reply)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(bundles)) as pool:
        return Counter(pool.map(one, bundles))


def copies(bundle: Bundle) -> list[Bundle]:
    return [{**deepcopy(bundle), "id": str(uuid4())} for _ in range(SENDERS)]


def test_eight_updates_at_once_are_eight_versions(shared_dir: Path) -> None:
    hub, conversation = make_hub(), uuid4()
    answer_of(adapted(example(shared_dir, "VALREQ01"), hub), correlation_id=conversation)
    updates = copies(adapted(example(shared_dir, "VALREQ02"), hub))
    assert at_once(updates, conversation) == {(200, ""): SENDERS}
    case = ValidationCase.objects.get()
    assert case.version == SENDERS + 1
    assert [each.number for each in versions_of(case)] == list(range(1, SENDERS + 2))
    assert changes_of(case).count() == SENDERS + 1
    assert case.journey.patients.count() <= 2, "the same patient is not written again"


def test_eight_revokes_at_once_end_it_once(shared_dir: Path) -> None:
    hub, conversation = make_hub(), uuid4()
    answer_of(adapted(example(shared_dir, "VALREQ01"), hub), correlation_id=conversation)
    outcomes = at_once(copies(adapted(example(shared_dir, "SERVREQ01"), hub)), conversation)
    assert outcomes == {(200, ""): 1, (422, "processing"): SENDERS - 1}
    case = ValidationCase.objects.get()
    assert (case.status, case.version, versions_of(case).count()) == (CaseStatus.REVOKED, 2, 2)


def test_updates_and_revokes_at_once(shared_dir: Path) -> None:
    hub, conversation = make_hub(), uuid4()
    answer_of(adapted(example(shared_dir, "VALREQ01"), hub), correlation_id=conversation)
    updates = copies(adapted(example(shared_dir, "VALREQ02"), hub))[: SENDERS // 2]
    revokes = copies(later(adapted(example(shared_dir, "SERVREQ01"), hub), 60))[: SENDERS // 2]
    outcomes = at_once([*updates, *revokes], conversation)
    assert set(outcomes) <= {(200, ""), (422, "processing"), (409, "conflict")}
    case = ValidationCase.objects.get()
    assert case.status == CaseStatus.REVOKED
    assert case.version == versions_of(case).count() == changes_of(case).count() == outcomes[200, ""] + 1


def test_eight_replies_at_once_are_all_kept(shared_dir: Path) -> None:
    hub, request_id = make_hub(), str(uuid4())
    case = make_sent_case(Category.VALIDATION, bundle_id=request_id)
    message = answering(adapted(example(shared_dir, "VALRESP02"), hub), request_id)
    assert at_once(copies(message), case.correlation_id) == {(200, ""): SENDERS}
    case.refresh_from_db()
    assert (case.status, replies_of(case).count()) == (CaseStatus.COMPLETED, SENDERS)
