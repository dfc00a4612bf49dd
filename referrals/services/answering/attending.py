"""The patient of a referral was expected and did not come."""

from datetime import datetime

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.exchange.fhir.codes import ServiceRequestStatus
from referrals import mapping
from referrals.answer_policies import Decision
from referrals.content_answers import NonAttendance
from referrals.models import Case
from referrals.services.answering.deciding import Decided, decide, locked_case
from referrals.services.status import write_version


@transaction.atomic
def record_non_attendance(*, case: Case, missed: NonAttendance, acting: Acting, now: datetime) -> Decided:
    """Tell whoever referred, with a safeguarding concern where there is one; the request ends revoked.

    Raises PolicyRefused.
    """
    held = locked_case(case.category, case.pk)
    version = held.version + 1
    revoked = {**held.resource, "status": ServiceRequestStatus.REVOKED.value}
    decided = decide(
        case=held,
        decision=Decision.RECORD_NON_ATTENDANCE,
        content=missed,
        acting=acting,
        now=now,
        changes={
            "resource": mapping.accepted_request(revoked, case_id=held.pk, version=version, now=now),
            "version": version,
        },
    )
    write_version(case=decided.case, bundle_id="", message_id=None, now=now)
    return decided
