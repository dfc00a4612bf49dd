"""The address for replies: it hears what answers, of every use case, and takes no request."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.live.conftest import Query
from tests.live.messages import addressed
from tests.live.partner import Partner, outcome_of
from tests.live.xml import JSON, XML, to_xml

REPLIES = "2000099000"
KEPT = "SELECT count(*) FROM referrals_unmatchedreply WHERE bundle_id = %s"


@pytest.mark.parametrize("media_type", [JSON, XML])
@pytest.mark.parametrize("name", ["REFRESP01", "REFRESP02-"])
def test_a_reply_is_heard(
    name: str, media_type: str, direct: Partner, shared_dir: Path, query: Query
) -> None:
    """It answers nothing of ours, so it is kept for people: it may be a safeguarding warning."""
    message = addressed(shared_dir, name, REPLIES) | {"id": str(uuid4())}
    body = message if media_type == JSON else to_xml(message)

    answer = direct.post(body, service=REPLIES, headers={"Content-Type": media_type})

    assert (answer.status_code, answer.json()["id"]) == (200, message["id"]), answer.text
    assert query(KEPT, message["id"]) == [(1,)]


@pytest.mark.parametrize("name", ["REFREQ01", "VALREQ01"])
def test_a_request_is_not_taken(name: str, direct: Partner, shared_dir: Path) -> None:
    message = addressed(shared_dir, name, REPLIES) | {"id": str(uuid4())}

    assert outcome_of(direct.post(message, service=REPLIES)) == (400, "REC_BAD_REQUEST", "invariant")
