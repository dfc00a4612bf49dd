"""Puts the parts together: `create_app(config)` is the WSGI application."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any

from bars_portal.simulator.catalogue import Catalogue
from bars_portal.simulator.catalogue_api import CatalogueApi
from bars_portal.simulator.catalogue_resolving import Resolver
from bars_portal.simulator.catalogue_store import CatalogueStore
from bars_portal.simulator.clients import ClientRegistry
from bars_portal.simulator.config import FHIR_BASE, TOKEN_PATH, Clock, Config, Sleep, system_clock
from bars_portal.simulator.drills import PREFIX, Drills
from bars_portal.simulator.faults import ConnectionCut, FaultBoard
from bars_portal.simulator.forwarding import MutualTlsReceiver, Receiver, client_context
from bars_portal.simulator.journal import Journal
from bars_portal.simulator.oauth import TokenEndpoint
from bars_portal.simulator.outcomes import ProxyError, error_answer
from bars_portal.simulator.proxy import HTTPS, Proxy
from bars_portal.simulator.status import status_page
from bars_portal.simulator.tkw.receiver import TKW_BASE_URL, TkwReceiver
from bars_portal.simulator.tokens import TokenStore
from bars_portal.simulator.wire import (
    Answer,
    BodyTooLarge,
    Request,
    StartResponse,
    request_from_environ,
    send,
)

WsgiApp = Callable[[Mapping[str, Any], StartResponse], Iterable[bytes]]


@dataclass(frozen=True)
class _Parts:
    config: Config
    clock: Clock
    journal: Journal
    token_endpoint: TokenEndpoint
    proxy: Proxy
    drills: Drills


def create_app(
    config: Config,
    *,
    clock: Clock = system_clock,
    sleep: Sleep | None = None,
    https: Receiver | None = None,
) -> WsgiApp:
    """The whole simulator. Raises OSError when a certificate file cannot be used.

    `sleep` is how drills wait; `https` stands in for the receivers behind mutual TLS.
    """
    parts = _build(config, clock, sleep or Event().wait, https or _mutual_tls(config))

    def application(environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            request = request_from_environ(environ)
        except BodyTooLarge:
            return send(error_answer(ProxyError.TOO_LARGE), start_response)
        return send(_noted(parts, request), start_response, head_only=request.method == "HEAD")

    return application


def _build(config: Config, clock: Clock, sleep: Sleep, https: Receiver) -> _Parts:
    registry, tokens, faults = ClientRegistry(config.clients_file), TokenStore(), FaultBoard()
    store = CatalogueStore(config.state_dir)
    proxy = Proxy(
        registry=registry,
        tokens=tokens,
        catalogue=Catalogue(config.catalogue_file, resolver=Resolver(store, clock=clock)),
        catalogue_api=CatalogueApi(store, fhir_url=config.fhir_url, clock=clock),
        receivers={HTTPS: https, TKW_BASE_URL: TkwReceiver(clock=clock)},
        faults=faults,
        fhir_url=config.fhir_url,
        clock=clock,
        sleep=sleep,
    )
    endpoint = TokenEndpoint(registry=registry, tokens=tokens, token_url=config.token_url, clock=clock)
    return _Parts(config, clock, Journal(), endpoint, proxy, Drills(faults))


def _mutual_tls(config: Config) -> Receiver:
    context = client_context(
        ca_file=config.ca_file, cert_file=config.client_cert_file, key_file=config.client_key_file
    )
    return MutualTlsReceiver(context)


def _noted(parts: _Parts, request: Request) -> Answer:
    """Answers and keeps a line about it; a cut connection is noted too."""
    began, at, status = time.monotonic(), parts.clock(), "failed"
    try:
        answer = _answer(parts, request)
        status = str(answer.status)
    except ConnectionCut:
        status = "cut"
        raise
    finally:
        parts.journal.note(request, status=status, at=at, took_ms=round((time.monotonic() - began) * 1000))
    return answer


def _answer(parts: _Parts, request: Request) -> Answer:
    path = request.raw_path
    if path == TOKEN_PATH:
        return parts.token_endpoint.answer(request)
    if path.startswith(f"{FHIR_BASE}/"):
        return parts.proxy.answer(request)
    if path.startswith(PREFIX):
        return parts.drills.answer(request)
    if path == "/" and request.method in {"GET", "HEAD"}:
        return status_page(parts.config, parts.journal)
    return error_answer(ProxyError.PATH_UNKNOWN, request)
