"""The FHIR endpoints: thin, each makes one call."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from rest_framework.request import Request

from bars_portal.exchange import registry
from bars_portal.exchange.arrival import Arrival, StoredReply
from bars_portal.exchange.fhir.capability import capability_statement, message_definitions
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.fhir.queries import DefinitionQuery
from bars_portal.exchange.fhir.rendered import Rendered
from bars_portal.exchange.inbound import receive
from bars_portal.exchange.receiver.answers import stored_answer
from bars_portal.exchange.receiver.base import FhirView, issues_of
from bars_portal.exchange.receiver.bodies import read_body
from bars_portal.exchange.receiver.negotiation import FORMAT_PARAMETER, query_pairs
from bars_portal.exchange.receiver.raw_bodies import read_again
from bars_portal.exchange.refusals import store_refusal

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
        service = registry.hosted_services.find(query.service_id)
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
