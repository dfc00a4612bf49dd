"""The FHIR endpoints: thin, each makes one call."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
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
from bars_portal.exchange.receiver.base import FhirView
from bars_portal.exchange.receiver.bodies import read_body
from bars_portal.exchange.receiver.negotiation import FORMAT_PARAMETER, query_pairs

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
    """Its audit is written with the message itself, and so is its share of the deadline kept there."""

    audit_action: ClassVar[str] = "exchange.receive_message"
    keeps_deadline: ClassVar[bool] = False

    def post(self, request: Request) -> HttpResponse:
        body = read_body(request._request)
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
        return self.stored_answer(receive(arrival))


class ResourceView(FhirView):
    """Reads of one resource type: search, and read by id where there is such a thing."""

    resource_type: str = ""

    def get(self, request: Request, resource_id: str | None = None) -> HttpResponse:
        found = self._find(request._request, resource_id)
        self.audit("done")
        if isinstance(found, Rendered):
            return self.stored_answer(StoredReply(200, found.body))
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
