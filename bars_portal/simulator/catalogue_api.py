"""The Endpoint Catalogue API of the specification, 1.4.0: HealthcareService, Endpoint and $template.

Only the owner of an Endpoint or template (its managingOrganization, by NHSD-End-User-Organisation) changes or
deletes it, and sees its address when it is private.
"""

import base64
import binascii
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from bars_portal.simulator.catalogue_outcomes import (
    FHIR_MEDIA,
    CatalogueError,
    CatalogueRefused,
    deleted_answer,
    refusal_answer,
)
from bars_portal.simulator.catalogue_resources import (
    ENDPOINT,
    SERVICE,
    TEMPLATE,
    Resource,
    check,
    codes,
    dos_ids,
    endpoint_ids,
    organisations,
    owners,
    shown_to,
)
from bars_portal.simulator.catalogue_searching import search
from bars_portal.simulator.catalogue_store import CatalogueStore
from bars_portal.simulator.config import Clock
from bars_portal.simulator.wire import Answer, Request, json_answer

ORGANISATION_HEADER = "NHSD-End-User-Organisation"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PATH = re.compile(r"/(?P<kind>HealthcareService|Endpoint)(/(?P<id>[^/$]+))?(?P<template>/\$template)?")


@dataclass(frozen=True)
class _Asked:
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
            asked = _asked(request, suffix)
            return self._verb(asked)(asked)
        except CatalogueRefused as refused:
            return refusal_answer(refused, request)

    def _verb(self, asked: _Asked) -> Callable[[_Asked], Answer]:
        verbs = {"GET": self._search, "POST": self._create}
        if asked.key is not None:
            verbs = {"GET": self._read, "PUT": self._put, "DELETE": self._delete}
        # A template is only searched for, never read alone.
        if asked.kind == TEMPLATE and asked.key is not None:
            del verbs["GET"]
        if asked.request.method not in verbs:
            raise CatalogueRefused(CatalogueError.WRONG_VERB, f"Served here: {', '.join(verbs)}.")
        return verbs[asked.request.method]

    def _search(self, asked: _Asked) -> Answer:
        path = f"/{ENDPOINT}/$template" if asked.kind == TEMPLATE else f"/{asked.kind}"
        url = self._fhir_url + path
        found, links = search(self._store, asked.kind, asked.request.query, url=url)
        entries = [
            {
                "fullUrl": f"{self._fhir_url}/{each['resourceType']}/{each['id']}",
                "resource": shown_to(each, asked.organisation),
                "search": {"mode": "match"},
            }
            for each in found
        ]
        bundle = {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}
        return json_answer(200, bundle, *asked.request.sent_ids(), media=FHIR_MEDIA)

    def _read(self, asked: _Asked) -> Answer:
        return asked.answer(200, self._there(asked))

    def _create(self, asked: _Asked) -> Answer:
        body = _body(asked)
        if "id" in body or "meta" in body:
            raise CatalogueRefused(CatalogueError.VALUE, "A new resource has neither id nor meta.")
        with self._store.lock:
            return asked.answer(200, self._keep(asked, str(uuid.uuid4()), body, version=1))

    def _put(self, asked: _Asked) -> Answer:
        key, body = str(asked.key), _body(asked)
        if str(body.get("id", key)).lower() != key:
            raise CatalogueRefused(
                CatalogueError.VALUE, "id: the body and the path name different resources."
            )
        with self._store.lock:
            there = self._store.get(asked.kind, key)
            if there is None:
                return asked.answer(201, self._keep(asked, key, body, version=1))
            _check_owner(asked, there)
            version = int(there["meta"]["versionId"]) + 1
            return asked.answer(200, self._keep(asked, key, body, version=version))

    def _delete(self, asked: _Asked) -> Answer:
        with self._store.lock:
            _check_owner(asked, self._there(asked))
            self._store.delete(asked.kind, str(asked.key))
        return deleted_answer(asked.request)

    def _there(self, asked: _Asked) -> Resource:
        there = self._store.get(asked.kind, str(asked.key))
        if there is None:
            raise CatalogueRefused(CatalogueError.NOT_FOUND, f"There is no such {asked.kind}.")
        return there

    def _keep(self, asked: _Asked, key: str, body: Resource, *, version: int) -> Resource:
        check(asked.kind, body)
        self._check_references(asked.kind, body)
        self._check_unique(asked.kind, key, body)
        meta = {"versionId": str(version), "lastUpdated": self._clock().isoformat(timespec="milliseconds")}
        resource = {**body, "id": key, "meta": meta}
        self._store.put(asked.kind, key, resource)
        return resource

    def _check_references(self, kind: str, body: Resource) -> None:
        if kind == SERVICE and not all(self._store.get(ENDPOINT, each) for each in endpoint_ids(body)):
            raise CatalogueRefused(
                CatalogueError.VALUE, "endpoint: it refers to an Endpoint that does not exist."
            )

    def _check_unique(self, kind: str, key: str, body: Resource) -> None:
        """One HealthcareService a DoS service id; one Endpoint an owner, address, connection and payload."""
        mark = _mark(kind, body)
        if any(each["id"] != key and _mark(kind, each) == mark for each in self._store.all(kind)):
            raise CatalogueRefused(CatalogueError.DUPLICATE, f"There is such a {kind} already.")


def _mark(kind: str, resource: Resource) -> object:
    if kind == SERVICE:
        return dos_ids(resource)
    address = str(resource.get("address")).rstrip("/")
    return (
        address,
        owners(resource),
        codes(resource.get("connectionType")),
        codes(resource.get("payloadType")),
    )


def _asked(request: Request, suffix: str) -> _Asked:
    match = _PATH.fullmatch(suffix)
    if match is None or (match["template"] and match["kind"] != ENDPOINT):
        raise CatalogueRefused(CatalogueError.NOT_FOUND, "The API path does not exist.")
    kind = TEMPLATE if match["template"] else match["kind"]
    if match["id"] is not None and not _UUID.fullmatch(match["id"]):
        raise CatalogueRefused(CatalogueError.VALUE, "id: this is no UUID.")
    key = match["id"].lower() if match["id"] else None
    return _Asked(kind, key, _organisation(request.header(ORGANISATION_HEADER)), request)


def _organisation(header: str) -> str:
    if not header:
        raise CatalogueRefused(CatalogueError.REQUIRED, f"{ORGANISATION_HEADER} is missing.")
    try:
        named = orjson.loads(base64.b64decode(header.encode("ascii", "ignore")))
    except (binascii.Error, orjson.JSONDecodeError):
        named = None
    found = (
        organisations([{"identifier": each} for each in named.get("identifier", [])])
        if isinstance(named, dict)
        else set()
    )
    if len(found) != 1:
        raise CatalogueRefused(CatalogueError.STRUCTURE, f"{ORGANISATION_HEADER} must name one ODS code.")
    return found.pop()


def _body(asked: _Asked) -> Resource:
    try:
        body = orjson.loads(asked.request.body)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise CatalogueRefused(CatalogueError.STRUCTURE, "The body must be a JSON object.")
    return body


def _check_owner(asked: _Asked, there: Resource) -> None:
    if asked.kind != SERVICE and asked.organisation not in owners(there):
        raise CatalogueRefused(
            CatalogueError.NOT_OWNER, "Only the owner of an Endpoint may change or delete it."
        )
