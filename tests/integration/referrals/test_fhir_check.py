"""Everything that we answer has no errors in the published checker that the message itself did not have."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bars_portal.audit.actor import Actor
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.registry import ReadContext
from referrals.cases.models import ValidationCase
from referrals.cases.states import Category
from referrals.messages import ServiceRequestReader
from tests.factories.referrals import NOW, make_hub, make_sent_case
from tests.fhir_check import assert_no_errors
from tests.integration.referrals.official import (
    NEW_REQUESTS,
    Bundle,
    adapted,
    answer_of,
    answering,
    example,
    of_type,
    resources,
)

pytestmark = pytest.mark.django_db
CATEGORY = "message-category-servicerequest"


@pytest.fixture
def check(shared_dir: Path, tmp_path: Path) -> Any:
    def run(*answers: Bundle) -> None:
        for number, answer in enumerate(answers):
            (tmp_path / f"{number}.json").write_text(json.dumps(mended(answer)))
        assert_no_errors(shared_dir, tmp_path)

    return run


def mended(answer: Bundle) -> Bundle:
    """Without what the sender did wrong, which is echoed (messages.md, first section)."""
    found = answer if "entry" in answer else {"entry": [{"resource": answer}]}
    for request in resources(found, "ServiceRequest"):
        for concept in request["category"]:
            codings = concept["coding"]
            if codings[0]["code"] == "validation":
                concept["coding"] = [each for each in codings if each["system"].endswith(CATEGORY)]
    text = json.dumps(answer).replace("fhir.nhs.uk/id/ods", "fhir.nhs.uk/Id/ods")
    loaded: Bundle = json.loads(text)
    return loaded


def test_answers_to_new_requests(shared_dir: Path, check: Any) -> None:
    hub = make_hub()
    check(*(answer_of(adapted(example(shared_dir, name), hub)) for name in NEW_REQUESTS))


def test_answers_to_what_follows(shared_dir: Path, check: Any) -> None:
    hub, conversation, request_id = make_hub(), uuid4(), str(uuid4())
    names = ("VALREQ01", "VALREQ02")
    answers = [answer_of(adapted(example(shared_dir, n), hub), correlation_id=conversation) for n in names]
    cancel = adapted(example(shared_dir, "SERVREQ01"), hub)
    of_type(cancel, "ServiceRequest")["meta"]["lastUpdated"] = "2021-11-26T16:00:00+00:00"
    answers.append(answer_of(cancel, correlation_id=conversation))
    make_sent_case(Category.VALIDATION, bundle_id=request_id)
    replies = [adapted(example(shared_dir, name), hub) for name in ("VALRESP01A", "VALRESP02")]
    answers += [answer_of(answering(each, request_id)) for each in replies]
    answers.append(answer_of(adapted(example(shared_dir, "REFRESP02"), hub)))
    check(*answers)


def test_answers_to_reads(shared_dir: Path, check: Any) -> None:
    message = adapted(example(shared_dir, "VALREQ01"), make_hub())
    of_type(message, "Patient")["identifier"][0]["value"] = "9476719931"
    answer_of(message)
    context = ReadContext(uuid4(), uuid4(), None, Caller("RX111"), NOW, Actor("partner"))
    number = "https://fhir.nhs.uk/Id/nhs-number|9476719931"
    found = ServiceRequestReader().search([("patient:identifier", number)], context)
    read = ServiceRequestReader().read(ValidationCase.objects.get().pk, context)
    assert read is not None
    check(found, read)
