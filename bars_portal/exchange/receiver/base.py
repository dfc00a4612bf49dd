"""What every FHIR endpoint shares: who calls, the ids, formats, faults as OperationOutcome, audit."""

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, ClassVar, NoReturn

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
from bars_portal.exchange.arrival import StoredReply, partner
from bars_portal.exchange.context import ReadContext
from bars_portal.exchange.deadline import Deadline, bounded
from bars_portal.exchange.failures import issue_of, log_failure
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError
from bars_portal.exchange.receiver.answers import answer, headers_of, refusal, stored_answer
from bars_portal.exchange.receiver.authentication import Peer, authenticate_peer
from bars_portal.exchange.receiver.connections import spare
from bars_portal.exchange.receiver.negotiation import answer_format
from bars_portal.exchange.refusals import code_of
from bars_portal.exchange.transport.headers import IncomingHeaders, decode_headers


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


def issues_of(exc: Exception) -> tuple[Issue, ...]:
    """What to answer for an exception; what is nobody's fault but ours is logged."""
    match exc:
        case OutcomeError():
            return exc.issues
        case MethodNotAllowed():
            return (Issue(OutcomeCode.METHOD_NOT_ALLOWED, "This verb is not served here."),)
        case RequestDataTooBig():
            return (Issue(OutcomeCode.PAYLOAD_TOO_LARGE, "The body is larger than this service takes."),)
        case UnreadablePostError():
            return (Issue(OutcomeCode.TIMEOUT, "The body did not arrive completely and in time."),)
        case DatabaseError():
            return (issue_of(exc),)
    log_failure(exc)
    return (Issue(OutcomeCode.SERVER_ERROR, "The request could not be processed."),)


def unknown_path(request: HttpRequest, exception: object = None) -> HttpResponse:
    """handler404 of the receiver."""
    return refusal(request, Issue(OutcomeCode.NOT_FOUND, "There is nothing at this path."))


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500 of the receiver: what failed outside every view."""
    return refusal(request, Issue(OutcomeCode.SERVER_ERROR, "The request could not be processed."))


def bad_request(request: HttpRequest, exception: object = None) -> HttpResponse:
    """handler400 of the receiver."""
    return refusal(request, Issue(OutcomeCode.INVALID, "The request is malformed."))
