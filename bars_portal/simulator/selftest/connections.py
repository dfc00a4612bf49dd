"""The request of a step, and the connections to the receiver under test that it goes over.

Template or bytes, format, the BaRS headers (standard section 3), query; what comes back is kept as it is.
"""

import datetime as dt
import gzip
import ipaddress
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import uuid4

import httpx
import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bars_portal.simulator.fhir import FHIR_JSON, FHIR_XML, to_xml
from bars_portal.simulator.headers import ORGANISATION_HEADER, TARGET_HEADER, encode_header
from bars_portal.simulator.selftest.messages import PathError, Values, build, values_at
from bars_portal.simulator.selftest.model import Exchange, Json, Step

SERVICE_SYSTEM = "https://fhir.nhs.uk/Id/dos-service-id"
REQUEST_ID, CORRELATION_ID = "X-Request-ID", "X-Correlation-ID"
ACCEPT = "application/fhir+json; version=1.1.0"
ORGANISATION = {
    "resourceType": "Organization",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "A1001"}],
    "name": "Self-test sender",
}
SOFTWARE = {
    "resourceType": "Device",
    "identifier": [{"system": "https://consumersupplier.com/Id/device-identifier", "value": "BARS-SELFTEST"}],
    "deviceName": {"name": "BaRS self-test", "type": "manufacturer-name"},
    "version": {"value": "1.0.0"},
}
PROCESS_MESSAGE = "/$process-message"
INCLUDES = ["Slot:schedule", "Schedule:actor:Practitioner", "Schedule:actor:HealthcareService"]
_BOOKED_FOR = "Appointment.serviceCategory[*].coding[*].code"
# For the query: what stays readable in a report.
_SAFE = ":/|,$"


@dataclass(frozen=True)
class Outgoing:
    """A request before it goes; `message` is the FHIR in its body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""
    chunked: bool = False
    message: Json | None = None


def make(step: Step, values: Values, earlier: list[Outgoing]) -> Outgoing:
    """The request of the step. Raises PathError, NotFhir, UnknownPlaceholder for what is written wrong."""
    if step.does == "repeat":
        return _repeated(earlier[int(step.what) - 1], step.options, values)
    if step.does == "send":
        return _message(build(step.what, step.options, values), step.options, values)
    if step.does == "post":
        body = values.fill(step.what).encode()
        return _post(body, step.options, values, step.options.get("type", FHIR_JSON))
    return _call(step.what, step.options, values)


def _message(message: Json, options: Mapping[str, Any], values: Values) -> Outgoing:
    in_xml = options.get("as") == "xml"
    body = to_xml(message) if in_xml else orjson.dumps(message)
    body = _respelt(body.decode(), options.get("respell", {})).encode()
    sent = _post(body, options, values, options.get("type", FHIR_XML if in_xml else FHIR_JSON))
    # What is sent as a header of its own goes before what the message says.
    headers = {"use-context": _use_context(message), **sent.headers}
    return replace(sent, message=message, headers=headers)


def _respelt(body: str, spellings: Mapping[str, str]) -> str:
    """What no message as a tree can say: prefixes of XML, elements twice. Raises PathError."""
    for usual, other in spellings.items():
        if usual not in body:
            raise PathError(f"{usual} is not in the body of the message")
        body = body.replace(usual, other)
    return body


def _use_context(message: Json) -> str:
    """<use case>|<category>|<event>|<reason>, as the message has them."""
    codings = "category[*].coding[*].code"
    requests, bookings = values_at(message, f"ServiceRequest.{codings}"), values_at(message, _BOOKED_FOR)
    category, use_case = (*requests, "", "")[:2] if requests else ("booking", *bookings, "")[:2]
    event = values_at(message, "MessageHeader.eventCoding.code")
    reason = values_at(message, "MessageHeader.reason.coding[0].code")
    return "|".join(map(str, (use_case, category, *event[:1], *reason[:1])))


def _post(body: bytes, options: Mapping[str, Any], values: Values, media_type: str) -> Outgoing:
    headers = _headers(options, values)
    if media_type:
        headers = {"Content-Type": media_type, **headers}
    if options.get("zipped"):
        headers["Content-Encoding"] = "gzip"
        body = body if options["zipped"] == "badly" else gzip.compress(body)
    path = PROCESS_MESSAGE + _query(options, values)
    return Outgoing("POST", path, headers, body, chunked=bool(options.get("chunked")))


def _repeated(first: Outgoing, options: Mapping[str, Any], values: Values) -> Outgoing:
    headers = dict(first.headers)
    if options.get("ids") == "new":
        headers[REQUEST_ID] = str(uuid4())
    return replace(first, headers=headers | values.fill(dict(options.get("headers", {}))))


def _call(what: str, options: Mapping[str, Any], values: Values) -> Outgoing:
    method, _, path = values.fill(what).partition(" ")
    return Outgoing(method, path + _query(options, values), _headers(options, values))


def _headers(options: Mapping[str, Any], values: Values) -> dict[str, str]:
    service = values.fill(options.get("service", "{{service}}"))
    usual = _usual_headers(service, values.fill("{{id:conversation}}"))
    if accept := options.get("accept"):
        usual["Accept"] = accept
    pretty = {name: encode_header(each, pretty=True) for name, each in options.get("encoded", {}).items()}
    sent = usual | pretty | values.fill(dict(options.get("headers", {})))
    return {name: value for name, value in sent.items() if name not in options.get("without", ())}


def _usual_headers(service: str, conversation: str) -> dict[str, str]:
    """What every request carries: a new request id, the conversation's id, target, organisation, software."""
    return {
        REQUEST_ID: str(uuid4()),
        CORRELATION_ID: conversation,
        TARGET_HEADER: encode_header({"system": SERVICE_SYSTEM, "value": service}),
        ORGANISATION_HEADER: encode_header(ORGANISATION),
        "NHSD-Requesting-Software": encode_header(SOFTWARE),
        "Accept": ACCEPT,
    }


def _query(options: Mapping[str, Any], values: Values) -> str:
    asked: dict[str, list[str]] = _slot_search(values) if options.get("slots") else {}
    for name, value in values.fill(dict(options.get("params", {}))).items():
        asked[name] = value if isinstance(value, list) else [value]
    pairs = [(name, value) for name, several in asked.items() for value in several]
    return f"?{urlencode(pairs, safe=_SAFE, quote_via=quote)}" if pairs else ""


def _slot_search(values: Values) -> dict[str, list[str]]:
    """A well-formed search of a day around the first slot that the scenario took, or of the next days."""
    slot = values.slots.get("slot", {"start": values.stamp("now+1d"), "end": values.stamp("now+2d")})
    return {
        "Schedule.actor:HealthcareService": [values.fixed["service"]],
        "status": ["free"],
        "start": [f"ge{slot['start']}", f"le{slot['end']}"],
        "_include": list(INCLUDES),
    }


OWN, NONE, STRANGER, WRONG_NAME = "own", "none", "stranger", "wrong-name"
CERTIFICATES = frozenset({OWN, NONE, STRANGER, WRONG_NAME})
TIMEOUT_SECONDS = 40.0


class TargetError(Exception):
    """The target cannot be used as it was given; the text says why."""


@dataclass(frozen=True)
class Target:
    """The receiver's base URL and the files for mutual TLS. Plain http is for this computer only."""

    url: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    wrong_name: tuple[Path, Path] | None = None
    # Where to connect, when that is not what the URL's host says by DNS.
    address: str = ""

    @property
    def has_tls(self) -> bool:
        """Whether certificates mean anything here."""
        return urlsplit(self.url).scheme == "https"


class Connections:
    """One kept-alive client for each kind of certificate. Raises TargetError for unusable files."""

    def __init__(self, target: Target) -> None:
        require_usable(target)
        self._target = target
        self._lock = Lock()
        self._clients: dict[str, httpx.Client] = {}

    def offers(self, certificate: str) -> bool:
        """Whether the scenario's certificate can be shown to this target."""
        if not self._target.has_tls:
            return certificate == OWN
        return certificate != WRONG_NAME or self._target.wrong_name is not None

    def client(self, certificate: str) -> httpx.Client:
        """The client that shows it."""
        with self._lock:
            if certificate not in self._clients:
                self._clients[certificate] = self._open(certificate)
            return self._clients[certificate]

    def close(self) -> None:
        """Closes every connection."""
        for client in self._clients.values():
            client.close()

    def _open(self, certificate: str) -> httpx.Client:
        verify = self._context(certificate) if self._target.has_tls else False
        url, hooks = httpx.URL(self._target.url), []
        if self._target.address:
            hooks.append(_named(url))
            url = url.copy_with(host=self._target.address)
        return httpx.Client(
            base_url=url,
            verify=verify,
            trust_env=False,
            timeout=TIMEOUT_SECONDS,
            event_hooks={"request": hooks},
        )

    def _context(self, certificate: str) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=str(self._target.ca) if self._target.ca else None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._show(context, certificate)
        except OSError as problem:
            raise TargetError(f"the certificate files cannot be used: {type(problem).__name__}") from problem
        return context

    def _show(self, context: ssl.SSLContext, certificate: str) -> None:
        if certificate == STRANGER:
            _load_stranger(context)
        elif certificate == WRONG_NAME and self._target.wrong_name:
            context.load_cert_chain(*map(str, self._target.wrong_name))
        elif certificate == OWN and self._target.certificate:
            key = self._target.key
            context.load_cert_chain(str(self._target.certificate), str(key) if key else None)


def _named(url: httpx.URL) -> Callable[[httpx.Request], None]:
    """The name is still what TLS asks for and checks, and what stands in the Host header."""

    def name(request: httpx.Request) -> None:
        request.extensions["sni_hostname"] = url.host
        request.headers["Host"] = url.netloc.decode()

    return name


def require_usable(target: Target) -> None:
    parts = urlsplit(target.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise TargetError("the target is no http or https URL")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise TargetError("plain http is for receivers on this computer only")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _load_stranger(context: ssl.SSLContext) -> None:
    """A certificate that nobody signed but itself, good for an hour and gone with the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stranger.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "stranger.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + made.public_bytes(Encoding.PEM))
        context.load_cert_chain(str(file))


class NoAnswer(Exception):
    """The connection was refused, broken or silent; the text says which."""


def send(client: httpx.Client, outgoing: Outgoing) -> Exchange:
    """One request. Raises NoAnswer."""
    request = client.build_request(
        outgoing.method, client.base_url, headers=dict(outgoing.headers), content=_content(outgoing)
    )
    # What httpx adds by itself would hide what the scenario leaves out.
    for name in {"accept", "user-agent", "accept-encoding"} - {each.lower() for each in outgoing.headers}:
        del request.headers[name]
    # httpx would normalise the address; the target given here goes onto the wire as it is.
    target = client.base_url.raw_path.rstrip(b"/") + outgoing.path.encode()
    request.extensions["target"] = target
    began = time.monotonic()
    try:
        answer = client.send(request)
    except httpx.TransportError as problem:
        raise NoAnswer(type(problem).__name__) from problem
    return Exchange(
        method=outgoing.method,
        url=f"{str(client.base_url).rstrip('/')}{outgoing.path}",
        headers={name.lower(): value for name, value in request.headers.items()},
        body=outgoing.body,
        status=answer.status_code,
        answer_headers={name.lower(): value for name, value in answer.headers.items()},
        answer_body=answer.content,
        seconds=time.monotonic() - began,
    )


def send_copies(client: httpx.Client, outgoing: Outgoing, copies: int) -> list[Exchange]:
    """The very same request once, or several times at once. Raises NoAnswer."""
    with ThreadPoolExecutor(copies) as pool:
        return list(pool.map(lambda _: send(client, outgoing), range(copies)))


def _content(outgoing: Outgoing) -> bytes | Iterator[bytes] | None:
    if outgoing.chunked:
        return (outgoing.body[at : at + 1000] for at in range(0, len(outgoing.body), 1000))
    return outgoing.body if outgoing.method == "POST" or outgoing.body else None
