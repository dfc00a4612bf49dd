"""The FHIR endpoints: what all share, and each of them, thin, with one call."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, ClassVar, NoReturn
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.views import APIView

from bars_portal.audit.services import record
from bars_portal.exchange import registry
from bars_portal.exchange.arrival import Arrival, Deadline, StoredReply, bounded, partner
from bars_portal.exchange.context import ReadContext
from bars_portal.exchange.fhir.bundle import Rendered
from bars_portal.exchange.fhir.capability import capability_statement, message_definitions
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError, fault
from bars_portal.exchange.fhir.queries.services import DefinitionQuery
from bars_portal.exchange.inbound import code_of, log_failure, receive, store_refusal
from bars_portal.exchange.receiver.authentication import Peer, authenticate_peer
from bars_portal.exchange.receiver.connections import spare
from bars_portal.exchange.receiver.exceptions import issues_of
from bars_portal.exchange.receiver.negotiation import FORMAT_PARAMETER, answer_format, query_pairs
from bars_portal.exchange.receiver.parsers import read_again, read_body
from bars_portal.exchange.receiver.renderers import answer, headers_of, refusal, stored_answer
from bars_portal.exchange.registry import services
from bars_portal.exchange.transport.headers import IncomingHeaders, decode_headers

# What every FHIR endpoint shares: who calls, the ids, formats, faults as OperationOutcome, audit.


class FhirView(APIView):
    """One FHIR endpoint. Order of checks: certificate, ids, formats, verb, then the endpoint's own."""

    http_method_names = ["get", "post", "put", "patch", "delete", "head", "options"]
    # Bodies, formats and answers are this package's own: nothing of DRF's is made for each request.
    parser_classes = ()
    renderer_classes = ()
    audit_action: ClassVar[str] = "exchange.read"
    # Whether all that the endpoint does, up to its answer, is bounded here.
    keeps_deadline: ClassVar[bool] = True
    peer: Peer | None = None
    incoming: IncomingHeaders | None = None
    now: datetime
    deadline: Deadline
    # Bytes of the largest content that went to the database or came from it.
    carried = 0

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.deadline = Deadline.after(settings.DEADLINE_SECONDS)
        try:
            with ExitStack() as self._bounds:
                return super().dispatch(request, *args, **kwargs)
        finally:
            spare(connection, self.carried)
            # Django's alias of `get`, bound to this view: a circle, in which all of it stays until a sweep.
            vars(self).pop("head", None)

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Without what only DRF's own parsers need: the same kind of circle, with the body in it."""
        made = super().initialize_request(request, *args, **kwargs)
        made.parser_context.clear()
        return made

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if self.keeps_deadline:
            self._bounds.enter_context(bounded(self.deadline))
        self.now = datetime.now(UTC)
        plain = request._request
        self.peer = authenticate_peer(plain)
        self.incoming = decode_headers(headers_of(plain))
        answer_format(plain)

    @property
    def allowed_methods(self) -> list[str]:
        """For the header Allow."""
        return [verb for verb in super().allowed_methods if verb != "OPTIONS"]

    def options(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:  # type: ignore[override]  # DRF's own Request
        """Not the browsable kind of API: OPTIONS is a wrong verb like any other."""
        raise MethodNotAllowed("OPTIONS")

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:  # type: ignore[override]  # the same
        raise MethodNotAllowed(request.method or "")

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]  # rendered already
        self._bounds.close()
        issues = issues_of(exc)
        self._audit_refusal(issues[0])
        return refusal(self.request._request, *issues)

    def answer(self, resource: dict[str, Any]) -> HttpResponse:
        return answer(self.request._request, resource)

    def stored_answer(self, reply: StoredReply) -> HttpResponse:
        self.carried = max(self.carried, len(reply.body))
        return stored_answer(self.request._request, reply.body, status=reply.status)

    def audit(self, outcome: str, code: str = "") -> None:
        """Every access is on the trail, refused ones too; parameters are not, they may name a patient."""
        record(
            actor=partner(self.incoming, self.peer.name if self.peer else ""),
            action=self.audit_action,
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
            "service_id": target.value if target else None,
            "code": code,
        }

    def read_context(self) -> ReadContext:
        incoming = self.require_headers()
        organisation = incoming.organisation
        return ReadContext(
            request_id=incoming.request_id,
            correlation_id=incoming.correlation_id,
            target=incoming.target,
            sender_ods_code=organisation.ods_code if organisation else "",
            received_at=self.now,
            actor=partner(incoming, self.peer.name if self.peer else ""),
            action=self.audit_action,
            detail=self._audit_detail(""),
        )

    def require_headers(self) -> IncomingHeaders:
        if self.incoming is None:
            raise AssertionError("initial() has not run")
        return self.incoming

    def _audit_refusal(self, issue: Issue) -> None:
        try:
            with bounded(self.deadline.extended()):
                self.audit("refused", code_of(issue))
        except (DatabaseError, OutcomeError) as error:
            # The answer matters more now; the log line is what remains.
            log_failure(error)


# The FHIR endpoints: thin, each makes one call.


Params = Sequence[tuple[str, str]]


class MetadataView(FhirView):
    audit_action: ClassVar[str] = "exchange.read_metadata"

    def get(self, request: Request) -> HttpResponse:
        statement = capability_statement(
            software=settings.BARS["SOFTWARE_NAME"],
            version=settings.BARS["SOFTWARE_VERSION"],
            now=self.now,
            rows=registry.workflow_rows(),
            reads=[reader.resource_type for reader in registry.readers()],
            formats=[each.name.lower() for each in Format],
        )
        self.audit("done")
        return self.answer(statement)


class MessageDefinitionView(FhirView):
    audit_action: ClassVar[str] = "exchange.read_definitions"

    def get(self, request: Request) -> HttpResponse:
        query = DefinitionQuery.parse(_params(request._request))
        service = services.provider.hosted(query.service_id)
        if service is None:
            raise fault(OutcomeCode.NOT_FOUND, "The service in context is not known here.", "context")
        found = message_definitions(service, registry.workflow_rows(), self.now, use_cases=query.use_cases)
        self.audit("done")
        return self.answer(found)


class ProcessMessageView(FhirView):
    """Its audit is written with the message itself, and so is its share of the deadline kept there.

    What is refused before that is stored as well, once the certificate says that it comes from a partner.
    """

    audit_action: ClassVar[str] = "exchange.receive_message"
    keeps_deadline: ClassVar[bool] = False
    handed_over = False

    def post(self, request: Request) -> HttpResponse:
        body = read_body(request._request)
        self.carried = max(len(body.raw), len(body.content))
        arrival = Arrival(
            body=body.raw,
            content=body.content,
            format=body.format,
            raw_headers=dict(request._request.headers),
            headers=self.require_headers(),
            peer=self.peer.name if self.peer else "",
            now=self.now,
            deadline=self.deadline,
        )
        self.handed_over = True
        return self.stored_answer(receive(arrival))

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]  # rendered already
        if self.handed_over or self.peer is None or self.request.method != "POST":
            return super().handle_exception(exc)
        try:
            return self.stored_answer(self._store(exc))
        except DatabaseError:
            # The answer that it deserves all the same, and a second try to say so on the trail.
            return super().handle_exception(exc)

    def _store(self, exc: Exception) -> StoredReply:
        request = self.request._request
        unread = isinstance(exc, RequestDataTooBig | UnreadablePostError)
        body = b"" if unread else read_again(request)
        self.carried = len(body)
        return store_refusal(
            body=body,
            raw_headers=dict(request.headers),
            headers=self.incoming,
            peer=self.peer.name if self.peer else "",
            now=self.now,
            deadline=self.deadline,
            issues=issues_of(exc),
        )


class ResourceView(FhirView):
    """Reads of one resource type: search, and read by id where there is such a thing."""

    resource_type: str = ""

    def get(self, request: Request, resource_id: str | None = None) -> HttpResponse:
        found = self._find(request._request, resource_id)
        if isinstance(found, Rendered):
            # The reader noted it. Its rows came in pieces: no connection carried all of it.
            return stored_answer(request._request, found.body, status=200)
        self.audit("done")
        return self.answer(found)

    def _find(self, request: HttpRequest, resource_id: str | None) -> dict[str, Any] | Rendered:
        reader = registry.reader(self.resource_type)
        if reader is None:
            raise fault(OutcomeCode.NOT_FOUND, "There is nothing at this path.")
        if resource_id is None:
            return reader.search(_params(request), self.read_context())
        found = reader.read(_uuid(resource_id), self.read_context())
        if found is None:
            raise fault(OutcomeCode.NOT_FOUND, f"There is no such {self.resource_type}.")
        return found


class UnknownPathView(FhirView):
    """Every other path: the same checks and the same trail, and then nothing."""

    audit_action: ClassVar[str] = "exchange.unknown_path"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise fault(OutcomeCode.NOT_FOUND, "There is nothing at this path.")


def _uuid(text: str) -> UUID:
    if not is_uuid(text):
        raise fault(OutcomeCode.VALUE, "The id in the path is not a UUID.", "id")
    return UUID(text)


def _params(request: HttpRequest) -> Params:
    """The query without `_format`, which is no search parameter."""
    return [(name, value) for name, value in query_pairs(request) if name != FORMAT_PARAMETER]
