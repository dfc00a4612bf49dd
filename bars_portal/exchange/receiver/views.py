"""The FHIR endpoints: what all share, and each of them, thin, with one call."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar, cast
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.db import connection, models
from django.http import HttpRequest, UnreadablePostError
from django.http.response import HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed, Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from bars_portal import correlation
from bars_portal.audit.actor import Actor
from bars_portal.audit.services import record
from bars_portal.exchange import registry
from bars_portal.exchange.arrival import Arrival, Deadline, StoredReply, bounded, log_failure, partner
from bars_portal.exchange.fhir.bundle import Rendered
from bars_portal.exchange.fhir.capability import capability_statement, message_definitions
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError, fault
from bars_portal.exchange.fhir.queries.services import DefinitionQuery
from bars_portal.exchange.inbound import code_of, receive, store_refusal
from bars_portal.exchange.receiver.authentication import (
    PartnerThrottle,
    Peer,
    PeerAuthentication,
    note_certificate,
    who_came,
)
from bars_portal.exchange.receiver.parsers import PARSERS, Body, FhirRequest, readable_body
from bars_portal.exchange.receiver.renderers import (
    FORMAT_PARAMETER,
    RENDERERS,
    FhirNegotiation,
    FhirResponse,
    OutcomeResponse,
    headers_of,
    outcome_response,
    query_pairs,
)
from bars_portal.exchange.receiver.server.peer import PeerCertificate, seconds_waited
from bars_portal.exchange.receiver.warming import spare
from bars_portal.exchange.registry import ReadContext, owner_of, services
from bars_portal.exchange.transport.headers import CORRELATION_ID, IncomingHeaders, decode_headers
from bars_portal.metrics.figures import ACCESS_REFUSED, RECEIVED, partner_label
from bars_portal.sql import together

Params = Sequence[tuple[str, str]]


class OutcomeView(APIView):
    """DRF in FHIR's terms: its formats, and an OperationOutcome for every fault."""

    http_method_names = ["get", "post", "head"]
    permission_classes = ()
    throttle_classes: tuple[type[BaseThrottle], ...] = ()
    parser_classes = PARSERS
    renderer_classes = RENDERERS
    content_negotiation_class = FhirNegotiation
    # OPTIONS is a wrong verb like any other.
    metadata_class = None
    # `_format` is negotiated; no path ends in a format.
    format_kwarg = None

    def get_exception_handler(self) -> Any:
        return outcome_response

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> FhirRequest:
        made = FhirRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
        )
        # It refers back to the request: a circle, in which the body would stay until a sweep.
        made.parser_context.clear()
        return made

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Rendered here, so that a fault in it is answered like any other."""
        try:
            return self._rendered(request, response)
        except Exception as exc:  # noqa: BLE001 - the handler logs it
            return self._rendered(request, self.handle_exception(exc))

    def _rendered(self, request: Request, response: Response) -> Response:
        final = super().finalize_response(request, response)
        final.render()
        # It refers to the response and the view: the same kind of circle.
        cast(FhirResponse, final).renderer_context.clear()
        return final


class FailureView(OutcomeView):
    """What failed outside every endpoint: the receiver's handler400, handler404 and handler500."""

    issue: Issue | None = None
    default_response_headers: ClassVar[dict[str, str]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise OutcomeError(cast(Issue, self.issue))


class FhirView(OutcomeView):
    """One FHIR endpoint.

    Order of checks: certificate and address, how often, ids, path and verb, NHSD headers, formats, then the
    endpoint's own.
    """

    authentication_classes = (PeerAuthentication,)
    throttle_classes = (PartnerThrottle,)
    audit_action: ClassVar[str] = "exchange.read"
    # Whether all that the endpoint does, up to its answer, is bounded here.
    keeps_deadline: ClassVar[bool] = True
    peer: Peer | None = None
    incoming: IncomingHeaders | None = None
    now: datetime
    deadline: Deadline
    # Bytes of the largest content that went to the database or came from it.
    carried = 0
    # Records that were come to, whether or not they may be seen.
    opened: Sequence[models.Model] = ()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # Whoever asks has waited for a thread as well.
        self.deadline = Deadline.after(settings.DEADLINE_SECONDS - seconds_waited(request.META))
        try:
            with ExitStack() as self._bounds:
                response = super().dispatch(request, *args, **kwargs)
            self.note(cast(FhirResponse, response))
            return response
        finally:
            spare(connection, self.carried)
            # Django's alias of `get`, bound to this view: one more circle.
            vars(self).pop("head", None)

    def note(self, response: FhirResponse) -> None:
        """How partners are answered, and with which certificate they come."""
        if response.status_code == HTTPStatus.OK:
            # Not before: who cannot be answered waits for nothing more.
            note_certificate(cast(PeerCertificate, self.request.auth), now=self.now)
        organisation = self.incoming.organisation if self.incoming else None
        partner = partner_label(organisation.ods_code if organisation else "")
        RECEIVED.labels(partner, response.code or str(response.status_code)).inc()
        if response.code == OutcomeCode.NOT_PERMITTED.code:
            target = self.incoming.target if self.incoming else None
            ACCESS_REFUSED.labels(partner_label(target.value if target else ""), partner).inc()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """DRF's own steps in the order of the standard's refusals: 403 before 400 before 406."""
        if self.keeps_deadline:
            self._bounds.enter_context(bounded(self.deadline))
        self.now = datetime.now(UTC)
        # Who is turned away before the headers are judged asks under an id as well.
        if is_uuid(named := request.headers.get(CORRELATION_ID, "")):
            correlation.begin(named)
        self.perform_authentication(request)
        self.peer = cast(Peer, request.user)
        self.check_throttles(request)
        is_here = self.serves(request)
        # Who asks is on the trail, as far as it can be read.
        self.incoming = decode_headers(headers_of(request), judge_nhsd=is_here)
        correlation.begin(self.incoming.correlation_id)
        if not is_here:
            raise self.refusal_of(request)
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)

    def serves(self, request: Request) -> bool:
        """Whether there is something at this path, for this verb."""
        return request.method in self.allowed_methods

    def refusal_of(self, request: Request) -> Exception:
        return MethodNotAllowed(request.method or "")

    def handle_exception(self, exc: Exception) -> FhirResponse:
        self._bounds.close()
        return self.keep_refusal(cast(OutcomeResponse, super().handle_exception(exc)), exc)

    def keep_refusal(self, refusal: OutcomeResponse, exc: Exception) -> FhirResponse:
        """The refusal is on the trail; the answer matters more when that fails."""
        try:
            with bounded(self.deadline.extended()):
                self.audit("refused", code_of(refusal.issues[0]))
        except (DatabaseError, OutcomeError) as error:
            log_failure(error)
        return refusal

    @property
    def actor(self) -> Actor:
        return partner(self.incoming, self.peer.name if self.peer else "")

    def audit(self, outcome: str, code: str = "") -> None:
        """Every access is on the trail, refused ones too; parameters are not, they may name a patient.

        An event for each record that was come to, told to whom the record belongs; without any, one event of
        the organisation whose service was named. Before that is known it is the installation's.
        """
        target = self.incoming.target if self.incoming else None
        actor = self.actor if self.opened else replace(self.actor, organisation_id=owner_of(target))
        with together():
            for subject in self.opened or (None,):
                record(
                    actor=actor,
                    action=self.audit_action,
                    subject=subject,
                    outcome=outcome,
                    detail=self._audit_detail(code),
                    correlation_id=self.incoming.correlation_id if self.incoming else None,
                    now=self.now,
                )

    def _audit_detail(self, code: str) -> dict[str, str | int | None]:
        target = self.incoming.target if self.incoming else None
        return {
            "path": self.request.resolver_match.route if self.request.resolver_match else "",
            "verb": self.request.method or "",
            "service_id": (target.value or None) if target else None,
            "code": code,
            **(who_came(self.request.META) if self.peer is None else {}),
        }

    def read_context(self) -> ReadContext:
        incoming = self.require_headers()
        opened: list[models.Model] = []
        self.opened = opened
        return ReadContext(
            request_id=incoming.request_id,
            correlation_id=incoming.correlation_id,
            target=incoming.target,
            caller=incoming.caller,
            received_at=self.now,
            actor=self.actor,
            action=self.audit_action,
            detail=self._audit_detail(""),
            opened=opened,
        )

    def require_headers(self) -> IncomingHeaders:
        if self.incoming is None:
            raise AssertionError("initial() has not run")
        return self.incoming


class MetadataView(FhirView):
    audit_action: ClassVar[str] = "exchange.read_metadata"

    def get(self, request: Request) -> FhirResponse:
        statement = capability_statement(
            software=settings.BARS["SOFTWARE_NAME"],
            version=settings.BARS["SOFTWARE_VERSION"],
            now=self.now,
            rows=registry.workflow_rows(),
            reads=[reader.resource_type for reader in registry.readers()],
            formats=[each.name.lower() for each in Format],
        )
        self.audit("done")
        return FhirResponse(statement)


class MessageDefinitionView(FhirView):
    audit_action: ClassVar[str] = "exchange.read_definitions"

    def get(self, request: Request) -> FhirResponse:
        query = DefinitionQuery.parse(_params(request))
        service = services.provider.hosted(query.service_id)
        if service is None:
            raise fault(OutcomeCode.NOT_FOUND, "The service in context is not known here.", "context")
        found = message_definitions(service, registry.workflow_rows(), self.now, use_cases=query.use_cases)
        self.audit("done")
        return FhirResponse(found)


class ProcessMessageView(FhirView):
    """Its audit is written with the message itself, and so is its share of the deadline kept there.

    What is refused before that is stored as well, once the certificate says that it comes from a partner.
    """

    audit_action: ClassVar[str] = "exchange.receive_message"
    keeps_deadline: ClassVar[bool] = False
    # Who answers what has come this far.
    answer: Callable[[Arrival], StoredReply] = staticmethod(receive)
    handed_over = False

    def post(self, request: Request) -> FhirResponse:
        body = cast(Body, request.data)
        self.carried = max(len(body.raw), len(body.content))
        arrival = Arrival(
            body=body.raw,
            content=body.content,
            format=body.format,
            raw_headers=dict(request.headers),
            headers=self.require_headers(),
            peer=self.peer.name if self.peer else "",
            now=self.now,
            deadline=self.deadline,
        )
        self.handed_over = True
        return self._stored(self.answer(arrival))

    def keep_refusal(self, refusal: OutcomeResponse, exc: Exception) -> FhirResponse:
        # What is too much is not read, let alone kept: only the trail says that it came.
        too_much = isinstance(exc, Throttled)
        if self.handed_over or self.peer is None or too_much or self.request.method != "POST":
            return super().keep_refusal(refusal, exc)
        unread = isinstance(exc, RequestDataTooBig | UnreadablePostError)
        body = b"" if unread else readable_body(self.request._request)
        self.carried = len(body)
        try:
            reply = store_refusal(
                body=body,
                raw_headers=dict(self.request.headers),
                headers=self.incoming,
                peer=self.peer.name,
                now=self.now,
                deadline=self.deadline,
                issues=refusal.issues,
            )
        except DatabaseError:
            # The answer that it deserves all the same, and a second try to say so on the trail.
            return super().keep_refusal(refusal, exc)
        return self._stored(reply)

    def _stored(self, reply: StoredReply) -> FhirResponse:
        self.carried = max(self.carried, len(reply.body))
        response = FhirResponse(Rendered(reply.body), status=reply.status)
        response.code = reply.code
        return response


class ResourceView(FhirView):
    """Reads of one resource type: search, and read by id where there is such a thing."""

    # Of its URL.
    reader = cast(registry.ResourceReader, None)

    def get(self, request: Request, resource_id: str | None = None) -> FhirResponse:
        found = self._read(_uuid(resource_id)) if resource_id else self._search(request)
        # What is rendered was noted by its reader. Its rows came in pieces: no connection carried it whole.
        if not isinstance(found, Rendered):
            self.audit("done")
        return FhirResponse(found)

    def _search(self, request: Request) -> dict[str, Any] | Rendered:
        return self.reader.search(_params(request), self.read_context())

    def _read(self, resource_id: UUID) -> dict[str, Any] | Rendered:
        found = self.reader.read(resource_id, self.read_context())
        if found is None:
            raise fault(OutcomeCode.NOT_FOUND, f"There is no such {self.reader.resource_type}.")
        return found


class UnknownPathView(FhirView):
    """Every other path: the same checks and the same trail, and nothing there."""

    audit_action: ClassVar[str] = "exchange.unknown_path"

    def serves(self, request: Request) -> bool:
        return False

    def refusal_of(self, request: Request) -> Exception:
        return fault(OutcomeCode.NOT_FOUND, "There is nothing at this path.")


def _uuid(text: str) -> UUID:
    if not is_uuid(text):
        raise fault(OutcomeCode.VALUE, "The id in the path is not a UUID.", "id")
    return UUID(text)


def _params(request: Request) -> Params:
    """The query without `_format`, which is no search parameter."""
    return [(name, value) for name, value in query_pairs(request) if name != FORMAT_PARAMETER]


bad_request = FailureView.as_view(issue=Issue(OutcomeCode.INVALID, "The request is malformed."))
unknown_path = FailureView.as_view(issue=Issue(OutcomeCode.NOT_FOUND, "There is nothing at this path."))
server_error = FailureView.as_view(
    issue=Issue(OutcomeCode.SERVER_ERROR, "The request could not be processed.")
)
