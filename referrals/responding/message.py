"""A response as a message: where to, its header, and who responds."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from bars_portal.accounts.acting import name_of
from bars_portal.correspondence.envelope import header_between, own_triage_tool
from bars_portal.exchange.fhir.bundle import HeaderFacts, MessageBundle, triage_tool
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.json import as_text, dicts, extension
from bars_portal.exchange.fhir.profiles import EXTENSION_CDSS
from bars_portal.exchange.message_bytes import decode
from bars_portal.exchange.registry import Addressing
from directory.mapping import organisation_to_fhir
from referrals.cases.held import held_request
from referrals.cases.models import Case, CaseAnswer
from referrals.cases.selectors import bundle_id_as_sent, telling_message
from referrals.cases.states import ReplyKind
from referrals.parts.people import Organisations, Responder
from referrals.responding.bundles import build_response
from referrals.responding.content import read_content
from referrals.responding.envelope import Envelope

_NAMELESS = "The requesting organisation"


def as_response(subject: models.Model) -> CaseAnswer:
    if not isinstance(subject, CaseAnswer):
        raise TypeError("A response is about an answer.")
    return subject


def requester_address(answer: CaseAnswer) -> Addressing:
    """To the service that asked, in the conversation in which it did."""
    case = answer.case
    return Addressing(
        service_id=ServiceID.parse(case.source_service_id),
        correlation_id=case.correlation_id,
        use_case=UseCase(case.use_case),
        category=case.category.value,
    )


def response_of(answer: CaseAnswer, *, bundle_id: UUID, now: datetime) -> dict[str, Any]:
    """The Bundle that tells the answer."""
    case, kind = answer.case, ReplyKind(answer.kind)
    envelope = Envelope(
        bundle_id=bundle_id,
        now=now,
        header=_header(case),
        answers=bundle_id_as_sent(case, answer.answers_bundle_id),
        is_update=answer.is_update,
        organisations=_organisations(case, now),
        responder=_responder(answer),
    )
    return build_response(
        kind=kind,
        held=held_request(case),
        envelope=envelope,
        content=read_content(kind, answer.content),
        use_case=UseCase(case.use_case),
    )


def _header(case: Case) -> HeaderFacts:
    """`source` is the service that was asked: what the requester knows us by.

    The requester's decision support is told back, as the examples do it, with our own beside it.
    """
    return header_between(
        destination=ServiceID.parse(case.source_service_id),
        source=ServiceID.parse(case.service.service_id),
        triage_tools=(*_requesters_tool(case), *triage_tool("Responder", *own_triage_tool())),
    )


def _requesters_tool(case: Case) -> tuple[tuple[str, str], ...]:
    message = telling_message(case)
    header = MessageBundle(decode(message.body)).header if message is not None else {}
    parts = dicts(extension(header, EXTENSION_CDSS).get("extension"))
    named = ((as_text(each.get("url")), as_text(each.get("valueString"))) for each in parts)
    return tuple(part for part in named if part[0].startswith("Requester") and part[1])


def _organisations(case: Case, now: datetime) -> Organisations:
    provider = case.service.provider
    asking = case.requester_ods_code or case.sender_ods_code
    receiver = organisation_to_fhir(
        name=case.requester_name or case.sender_name or _NAMELESS, ods_code=asking or "-", now=now
    )
    if not asking:
        del receiver["identifier"]
    sender = organisation_to_fhir(name=provider.name, ods_code=provider.ods_code, now=now)
    return Organisations(sender=sender, receiver=receiver)


def _responder(answer: CaseAnswer) -> Responder:
    author = answer.author
    if author is None:
        return Responder(answer.author_label)
    return Responder(
        name_of(author),
        author.sds_role_profile_id,
        author.role_code,
        author.role_display,
        staff_id=str(author.pk),
    )
