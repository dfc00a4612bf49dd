"""Puts the parts together: `create_app(config)` is the WSGI application, `serve(config)` runs it."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any

from gunicorn.app.base import BaseApplication

from bars_portal.simulator.catalogue.api import CatalogueApi
from bars_portal.simulator.catalogue.resources import Catalogue, CatalogueStore
from bars_portal.simulator.cis2 import issuer as cis2
from bars_portal.simulator.cis2.issuer import Issuer
from bars_portal.simulator.config import FHIR_BASE, TOKEN_PATH, Clock, Config, Sleep, system_clock
from bars_portal.simulator.desks.world import SimulatedInt
from bars_portal.simulator.drills import (
    CERTIFICATE_FAULTS,
    PREFIX,
    TOKEN_SERVICE,
    Drills,
    Fault,
    FaultBoard,
    meet,
)
from bars_portal.simulator.forwarding import CertificateDrill, MutualTlsReceiver, Receiver, client_context
from bars_portal.simulator.journal import Journal
from bars_portal.simulator.oauth import ClientRegistry, TokenEndpoint, TokenStore
from bars_portal.simulator.outcomes import ProxyError, error_answer
from bars_portal.simulator.proxy import HTTPS, Proxy
from bars_portal.simulator.selftest.pages import PATH, SelftestPages
from bars_portal.simulator.tkw.receiver import TKW_BASE_URL, TkwReceiver
from bars_portal.simulator.tkw.replies import Later, Replies, in_a_thread
from bars_portal.simulator.web.pages import RequestPages
from bars_portal.simulator.wire import (
    Answer,
    BodyTooLarge,
    Request,
    StartResponse,
    json_answer,
    request_from_environ,
    send,
)

WsgiApp = Callable[[Mapping[str, Any], StartResponse], Iterable[bytes]]
THREADS = 16
KEEP_ALIVE_SECONDS = 75
STOP_SECONDS = 3


@dataclass(frozen=True)
class _Parts:
    config: Config
    clock: Clock
    journal: Journal
    proxy: Proxy
    drills: Drills
    ask_token: Callable[[Request], Answer]
    pages: tuple[RequestPages, SelftestPages]
    cis2: Issuer
    simulated: SimulatedInt


def create_app(
    config: Config,
    *,
    clock: Clock = system_clock,
    sleep: Sleep | None = None,
    https: Receiver | None = None,
    journal: Journal | None = None,
    later: Later = in_a_thread,
) -> WsgiApp:
    """The whole simulator. Raises OSError when a certificate file cannot be used.

    `sleep` is how drills wait, `later` how replies do; `https` stands in for receivers behind mutual TLS.
    """
    parts = _build(
        config,
        clock=clock,
        sleep=sleep or Event().wait,
        https=https or _mutual_tls(config),
        journal=journal or Journal(),
        later=later,
    )

    def application(environ: Mapping[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        try:
            request = request_from_environ(environ)
        except BodyTooLarge:
            return send(error_answer(ProxyError.TOO_LARGE), start_response)
        answer = _page(parts, request)
        if answer is None and (elsewhere := parts.simulated.find(request.raw_path)) is not None:
            answer = elsewhere(request)
        if answer is None:
            answer = parts.journal.keep(request, lambda asked: _answer(parts, asked), clock=parts.clock)
        return send(answer, start_response, head_only=request.method == "HEAD")

    return application


def _build(
    config: Config, *, clock: Clock, sleep: Sleep, https: Receiver, journal: Journal, later: Later
) -> _Parts:
    registry, tokens, faults = ClientRegistry(config.clients_file), TokenStore(), FaultBoard()
    receivers: dict[str, Receiver] = {HTTPS: https} | _certificate_drills(config, clock)
    store = CatalogueStore(config.state_dir)
    catalogue = Catalogue(config.catalogue_file, store=store, clock=clock)
    proxy = Proxy(
        registry=registry,
        tokens=tokens,
        catalogue=catalogue,
        catalogue_api=CatalogueApi(store, fhir_url=config.fhir_url, clock=clock),
        receivers=receivers,
        faults=faults,
        fhir_url=config.fhir_url,
        clock=clock,
        sleep=sleep,
    )
    replies = Replies(carry=proxy.carry, journal=journal, clock=clock, delay=config.reply_delay, later=later)
    tkw = TkwReceiver(clock=clock, set_off=replies.set_off)
    receivers[TKW_BASE_URL] = tkw
    endpoint = TokenEndpoint(registry=registry, tokens=tokens, token_url=config.token_url, clock=clock)
    drills = Drills(faults, reset=tkw.reset, states=tkw.states, possible=_possible_faults(config))
    pages = (
        RequestPages(config, journal, clock=clock),
        SelftestPages(config, catalogue=catalogue, clock=clock),
    )

    def ask_token(request: Request) -> Answer:
        """Raises ConnectionCut in a drill."""
        drill = faults.take(service=TOKEN_SERVICE, method=request.method)
        return meet(drill, request, forward=lambda _: endpoint.answer(request), sleep=sleep)

    issuer = Issuer(public_url=config.public_url, file=config.cis2_file, clock=clock)
    simulated = SimulatedInt(config, journal=journal, clock=clock, sleep=sleep, later=later)
    return _Parts(config, clock, journal, proxy, drills, ask_token, pages, issuer, simulated)


def _certificate_drills(config: Config, clock: Clock) -> dict[str, Receiver]:
    return {str(fault): CertificateDrill(fault, config=config, clock=clock) for fault in CERTIFICATE_FAULTS}


def _possible_faults(config: Config) -> frozenset[Fault]:
    """Only an authority can issue a certificate that has expired."""
    return frozenset(Fault) - (frozenset() if config.ca_key_file else {Fault.EXPIRED_CERTIFICATE})


def _mutual_tls(config: Config) -> Receiver:
    context = client_context(
        ca_file=config.ca_file, cert_file=config.client_cert_file, key_file=config.client_key_file
    )
    return MutualTlsReceiver(context)


def _page(parts: _Parts, request: Request) -> Answer | None:
    """A page, a download or where to look next, for whoever sits at this computer; None is no page's path."""
    found = next((each for group in parts.pages if (each := group.find(request.raw_path))), None)
    if found is None:
        return None
    if not request.is_local:
        return json_answer(404, {"error": "not found"})
    if request.method not in ({"GET", "HEAD", "POST"} if request.raw_path == PATH else {"GET", "HEAD"}):
        return json_answer(405, {"error": "method not allowed"})
    return found(request)


def _answer(parts: _Parts, request: Request) -> Answer:
    path = request.raw_path
    if path == TOKEN_PATH:
        return parts.ask_token(request)
    if path.startswith(f"{FHIR_BASE}/"):
        return parts.proxy.answer(request)
    if path.startswith(f"{cis2.PREFIX}/"):
        return parts.cis2.answer(request)
    if path.startswith(PREFIX):
        return parts.drills.answer(request)
    return error_answer(ProxyError.PATH_UNKNOWN, request)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn without its command line and without its control socket."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._stopping = Event()
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn: our settings, nothing from files or the environment."""
        for name, value in self._settings().items():
            self.cfg.set(name, value)

    def load(self) -> WsgiApp:
        """Called by gunicorn in the worker: threads and connections must not be shared across its fork."""
        return create_app(self._config, sleep=self._stopping.wait)

    def _settings(self) -> Mapping[str, Any]:
        return {
            "bind": f"{self._config.host}:{self._config.port}",
            "worker_class": "gthread",
            # What it remembers lives in that process.
            "workers": 1,
            "threads": THREADS,
            "keepalive": KEEP_ALIVE_SECONDS,
            "graceful_timeout": STOP_SECONDS,
            "loglevel": "warning",
            "control_socket_disable": True,
            "worker_tmp_dir": str(self._config.state_dir),
            "limit_request_line": 8190,
            "worker_exit": self._wake_drills,
        }

    def _wake_drills(self, _server: object, _worker: object) -> None:
        # A drill may be sleeping in a thread, and Python waits for threads before it ends.
        self._stopping.set()


def serve(config: Config) -> None:
    """Serves until SIGTERM or SIGINT. Raises OSError when the state folder cannot be made."""
    config.state_dir.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s simulator %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    Server(config).run()
