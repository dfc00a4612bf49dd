"""The Endpoint Catalogue API of the specification, 1.4.0: HealthcareService, Endpoint and $template.

Only the owner of an Endpoint or template (its managingOrganization, by NHSD-End-User-Organisation) changes or
deletes it, and sees its address when it is private.
"""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from bars_portal.simulator.catalogue.resources import (
    CONNECTION_SYSTEM,
    ENDPOINT,
    FHIR_MEDIA,
    ODS_SYSTEM,
    PAYLOAD_SYSTEM,
    SERVICE,
    TEMPLATE,
    CatalogueError,
    CatalogueRefused,
    CatalogueStore,
    bare,
    check,
    codes,
    dos_ids,
    endpoint_ids,
    identifiers,
    need,
    organisations,
    owners,
    shown_to,
)
from bars_portal.simulator.config import Clock
from bars_portal.simulator.fhir import (
    FHIR_JSON,
    NotFhir,
    Resource,
    child,
    decoded,
    dicts,
    operation_outcome,
)
from bars_portal.simulator.headers import ORGANISATION_HEADER, decode_header
from bars_portal.simulator.outcomes import ERROR_CODES
from bars_portal.simulator.wire import Answer, Request, json_answer

PAGE = 20
TOKEN = "page-token"  # noqa: S105 - a place in the results
_HAS = "_has"
Test = Callable[[Resource], bool]
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PATH = re.compile(r"/(?P<kind>HealthcareService|Endpoint)(/(?P<id>[^/$]+))?(?P<template>/\$template)?")


@dataclass(frozen=True)
class _Operation:
    """One request of one organisation about a kind of resource, or about one of them."""

    kind: str
    key: str | None
    organisation: str
    request: Request

    def answer(self, status: int, resource: Resource) -> Answer:
        shown = shown_to(resource, self.organisation)
        return json_answer(status, shown, *self.request.sent_ids(), media=FHIR_MEDIA)


class CatalogueApi:
    """Answers under /HealthcareService and /Endpoint; token and ids are checked before it is asked."""

    def __init__(self, store: CatalogueStore, *, fhir_url: str, clock: Clock) -> None:
        self._store, self._fhir_url, self._clock = store, fhir_url, clock

    @staticmethod
    def serves(suffix: str) -> bool:
        """Whether the path below the FHIR base belongs to the catalogue."""
        return _PATH.fullmatch(suffix) is not None

    def answer(self, request: Request, suffix: str) -> Answer:
        try:
            operation = _operation(request, suffix)
            return self._verb(operation)(operation)
        except CatalogueRefused as refused:
            return refused.answer(request)

    def _verb(self, operation: _Operation) -> Callable[[_Operation], Answer]:
        verbs = {"GET": self._search, "POST": self._create}
        if operation.key is not None:
            verbs = {"GET": self._read, "PUT": self._put, "DELETE": self._delete}
        # A template is only searched for, never read alone.
        if operation.kind == TEMPLATE and operation.key is not None:
            del verbs["GET"]
        if operation.request.method not in verbs:
            raise CatalogueRefused(CatalogueError.WRONG_VERB, f"Served here: {', '.join(verbs)}.")
        return verbs[operation.request.method]

    def _search(self, operation: _Operation) -> Answer:
        path = f"/{ENDPOINT}/$template" if operation.kind == TEMPLATE else f"/{operation.kind}"
        url = self._fhir_url + path
        found, links = search(self._store, operation.kind, operation.request.query, url=url)
        entries = [
            {
                "fullUrl": f"{self._fhir_url}/{each['resourceType']}/{each['id']}",
                "resource": shown_to(each, operation.organisation),
                "search": {"mode": "match"},
            }
            for each in found
        ]
        bundle = {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}
        return json_answer(200, bundle, *operation.request.sent_ids(), media=FHIR_MEDIA)

    def _read(self, operation: _Operation) -> Answer:
        return operation.answer(200, self._there(operation))

    def _create(self, operation: _Operation) -> Answer:
        body = _body(operation)
        new = "id" not in body and "meta" not in body
        need(new, CatalogueError.VALUE, "A new resource has neither id nor meta.")
        with self._store.lock:
            return operation.answer(200, self._keep(operation, str(uuid.uuid4()), body, version=1))

    def _put(self, operation: _Operation) -> Answer:
        key, body = str(operation.key), _body(operation)
        same = str(body.get("id", key)).lower() == key
        need(same, CatalogueError.VALUE, "id: the body and the path name different resources.")
        with self._store.lock:
            there = self._store.get(operation.kind, key)
            if there is None:
                return operation.answer(201, self._keep(operation, key, body, version=1))
            _check_owner(operation, there)
            version = int(there["meta"]["versionId"]) + 1
            return operation.answer(200, self._keep(operation, key, body, version=version))

    def _delete(self, operation: _Operation) -> Answer:
        with self._store.lock:
            _check_owner(operation, self._there(operation))
            self._store.delete(operation.kind, str(operation.key))
        coding = {"system": ERROR_CODES, "code": "OK"}
        words = "Resource deleted successfully."
        outcome = operation_outcome("informational", coding, words, severity="information")
        return json_answer(200, outcome, *operation.request.sent_ids(), media=FHIR_MEDIA)

    def _there(self, operation: _Operation) -> Resource:
        there = self._store.get(operation.kind, str(operation.key))
        if there is None:
            raise CatalogueRefused(CatalogueError.NOT_FOUND, f"There is no such {operation.kind}.")
        return there

    def _keep(self, operation: _Operation, key: str, body: Resource, *, version: int) -> Resource:
        check(operation.kind, body)
        self._check_references(operation.kind, body)
        self._check_unique(operation.kind, key, body)
        meta = {"versionId": str(version), "lastUpdated": self._clock().isoformat(timespec="milliseconds")}
        resource = {**body, "id": key, "meta": meta}
        self._store.put(operation.kind, key, resource)
        return resource

    def _check_references(self, kind: str, body: Resource) -> None:
        known = kind != SERVICE or all(self._store.get(ENDPOINT, each) for each in endpoint_ids(body))
        need(known, CatalogueError.VALUE, "endpoint: it refers to an Endpoint that does not exist.")

    def _check_unique(self, kind: str, key: str, body: Resource) -> None:
        """One HealthcareService a DoS service id; one Endpoint an owner, address, connection and payload."""
        mark = _mark(kind, body)
        others = (each for each in self._store.all(kind) if each["id"] != key)
        new = all(_mark(kind, each) != mark for each in others)
        need(new, CatalogueError.DUPLICATE, f"There is such a {kind} already.")


def _mark(kind: str, resource: Resource) -> object:
    if kind == SERVICE:
        return dos_ids(resource)
    kinds = (codes(resource.get(name)) for name in ("connectionType", "payloadType"))
    return str(resource.get("address")).rstrip("/"), owners(resource), *kinds


def _operation(request: Request, suffix: str) -> _Operation:
    match = _PATH.fullmatch(suffix)
    if match is None or (match["template"] and match["kind"] != ENDPOINT):
        raise CatalogueRefused(CatalogueError.NOT_FOUND, "The API path does not exist.")
    kind = TEMPLATE if match["template"] else match["kind"]
    if match["id"] is not None and not _UUID.fullmatch(match["id"]):
        raise CatalogueRefused(CatalogueError.VALUE, "id: this is no UUID.")
    key = match["id"].lower() if match["id"] else None
    return _Operation(kind, key, _organisation(request.header(ORGANISATION_HEADER)), request)


def _organisation(header: str) -> str:
    need(bool(header), CatalogueError.REQUIRED, f"{ORGANISATION_HEADER} is missing.")
    named = dicts(child(decode_header(header)).get("identifier"))
    found = organisations([{"identifier": each} for each in named])
    need(len(found) == 1, CatalogueError.STRUCTURE, f"{ORGANISATION_HEADER} must name one ODS code.")
    return found.pop()


def _body(operation: _Operation) -> Resource:
    try:
        return decoded(operation.request.body, FHIR_JSON)
    except NotFhir as problem:
        raise CatalogueRefused(CatalogueError.STRUCTURE, "The body must be a JSON object.") from problem


def _check_owner(operation: _Operation, there: Resource) -> None:
    owned = operation.kind == SERVICE or operation.organisation in owners(there)
    need(owned, CatalogueError.NOT_OWNER, "Only the owner of an Endpoint may change or delete it.")


def search(
    store: CatalogueStore, kind: str, query: str, *, url: str
) -> tuple[list[Resource], list[Resource]]:
    """One page of resources, and its links. Raises CatalogueRefused for parameters that are not served."""
    params = [_named(pair) for pair in parse_qsl(query, keep_blank_values=True)]
    start = _start([value for name, value in params if name == TOKEN])
    wanted = [pair for pair in params if pair[0] != TOKEN]
    tests = [_test(store, kind, name, value) for name, value in wanted]
    _need_all(kind, [name for name, _ in wanted])
    found = [each for each in store.all(kind) if all(test(each) for test in tests)]
    links = [{"relation": "self", "url": f"{url}?{urlencode(params)}"}]
    if len(found) > start + PAGE:
        following = urlencode([*wanted, (TOKEN, str(start + PAGE))])
        links.append({"relation": "next", "url": f"{url}?{following}"})
    return found[start : start + PAGE], links


def _named(pair: tuple[str, str]) -> tuple[str, str]:
    """The specification writes `_has:HealthcareService.Id=x` and `_has` with the rest as its value."""
    name, value = pair
    if name == _HAS:
        name, _, value = f"{_HAS}:{value}".partition("=")
    return name, value


def _start(tokens: Sequence[str]) -> int:
    if not tokens:
        return 0
    right = tokens[0].isascii() and tokens[0].isdigit() and len(tokens[0]) < 10
    need(right, CatalogueError.VALUE, f"{TOKEN}: this is no page.")
    return int(tokens[0])


def _need_all(kind: str, names: Sequence[str]) -> None:
    needed = {"Endpoint.identifier", "ConnectionType", "PayloadType"} if kind == TEMPLATE else set()
    if missing := sorted(needed - set(names)):
        raise CatalogueRefused(CatalogueError.REQUIRED, f"The parameter {missing[0]} is missing.")
    need(bool(names), CatalogueError.REQUIRED, "A parameter to search by is missing.")


def _test(store: CatalogueStore, kind: str, name: str, value: str) -> Test:
    made = _TESTS.get((kind, name))
    if made is None:
        raise CatalogueRefused(CatalogueError.VALUE, f"The parameter {name[:60]} is not served here.")
    return made(store, value)


def _token(text: str) -> tuple[str, str]:
    system, bar, value = text.rpartition("|")
    need(bool(bar and system and value), CatalogueError.VALUE, "An identifier is written as system|value.")
    return bare(system), value


def _identified(_store: CatalogueStore, text: str) -> Test:
    wanted = _token(text)
    return lambda resource: wanted in identifiers(resource)


def _provided(_store: CatalogueStore, text: str) -> Test:
    system, code = _token(text)
    need(system == bare(ODS_SYSTEM), CatalogueError.VALUE, "An organisation is named by its ODS code.")
    return lambda resource: code.upper() in organisations(resource.get("providedBy"))


def _of_service(store: CatalogueStore, text: str) -> Test:
    wanted = _token(text)
    ids = {
        key
        for service in store.all(SERVICE)
        if wanted in identifiers(service)
        for key in endpoint_ids(service)
    }
    return lambda resource: resource["id"] in ids


def _of_service_id(store: CatalogueStore, text: str) -> Test:
    service = store.get(SERVICE, text.lower())
    ids = set(endpoint_ids(service)) if service else set()
    return lambda resource: resource["id"] in ids


def _coded(member: str, expected: str) -> Callable[[CatalogueStore, str], Test]:
    def made(_store: CatalogueStore, text: str) -> Test:
        system, code = _token(text)
        need(system == bare(expected), CatalogueError.VALUE, f"{member} has codes of {expected}.")
        return lambda resource: code in codes(resource.get(member))

    return made


_TESTS: dict[tuple[str, str], Callable[[CatalogueStore, str], Test]] = {
    (SERVICE, "HealthcareService.providedBy"): _provided,
    (SERVICE, "HealthcareService.identifier"): _identified,
    (ENDPOINT, "_has:HealthcareService.Identifier"): _of_service,
    (ENDPOINT, "_has:HealthcareService.Id"): _of_service_id,
    (ENDPOINT, "Endpoint.identifier"): _identified,
    (TEMPLATE, "Endpoint.identifier"): _identified,
    (TEMPLATE, "ConnectionType"): _coded("connectionType", CONNECTION_SYSTEM),
    (TEMPLATE, "PayloadType"): _coded("payloadType", PAYLOAD_SYSTEM),
}
