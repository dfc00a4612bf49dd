"""One table: what was said of which kind, and the message that says it."""

from typing import Any, cast

from bars_portal.exchange.fhir.codes import UseCase
from referrals.content_answers import AnswerContent, CadStatus, NonAttendance, Outcome, Rejection
from referrals.mapping.responses.attendance import did_not_attend
from referrals.mapping.responses.envelope import Envelope
from referrals.mapping.responses.full import validation_full
from referrals.mapping.responses.held import HeldRequest
from referrals.mapping.responses.interim import (
    cad_rejection,
    cad_response,
    validation_interim,
    validation_rejected,
)
from referrals.states import ReplyKind


def build_response(
    *, kind: ReplyKind, held: HeldRequest, envelope: Envelope, content: AnswerContent, use_case: UseCase
) -> dict[str, Any]:
    """The whole Bundle. `content` is of its kind, as content_answers.read_content gives it."""
    match kind:
        case ReplyKind.INTERIM:
            return validation_interim(held, envelope)
        case ReplyKind.REJECTED:
            return validation_rejected(held, envelope, cast(Rejection, content))
        case ReplyKind.FULL:
            return validation_full(held, envelope, cast(Outcome, content))
        case ReplyKind.DID_NOT_ATTEND:
            return did_not_attend(held, envelope, cast(NonAttendance, content), use_case=use_case)
        case ReplyKind.CAD_STATUS:
            return cad_response(held, envelope, cast(CadStatus, content))
        case ReplyKind.CAD_REJECTION:
            return cad_rejection(held, envelope, cast(Rejection, content))
